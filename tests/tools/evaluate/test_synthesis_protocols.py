"""Protocols glasses, parsing, removal and coefficients on a rendered head, with scripted networks and known answers."""

import cv2
import numpy as np
import pytest

from engines.networks.classes import Region
from realtime.align import STRIP
from realtime.face.coefficients import COUNT, SLICES
from realtime.face.model import load_face_model
from tools.evaluate.coefficients import aligned_error, evaluate_points, evaluate_vertices
from tools.evaluate.faces import LabelledFace
from tools.evaluate.glasses import evaluate_glasses, worn_f1
from tools.evaluate.inpainting import masked_scores, navier_stokes, telea
from tools.evaluate.parsing import evaluate_parsing
from tools.evaluate.parsing_scores import ParsingScores, confusion, f1_macro
from tools.evaluate.removal import evaluate_removal

UNWORN = {
    "labels": np.full((128, 256), Region.SKIN, np.uint8),
    "glasses": np.zeros((4, 128, 256), np.float32),
    "shadow": np.ones((3, 128, 256), np.float32),
    "kind": np.array([1.0, 0.0, 0.0], np.float32),
}


@pytest.fixture(scope="module")
def model():
    return load_face_model("live")


@pytest.fixture(scope="module")
def coefficients():
    values = np.zeros(COUNT, np.float32)
    values[SLICES["pose"]] = (0.0, 0.0, 0.0, 1.16, 127.5, 104.0)
    return values


@pytest.fixture(scope="module")
def face(model, coefficients):
    """A smooth skin-coloured picture whose landmarks are those of the mean head."""
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.normal(0, 60, (256, 256, 3)).astype(np.float32), (0, 0), 6)
    image = np.clip(np.array([205, 160, 135]) + noise, 0, 255).astype(np.uint8)
    return LabelledFace("rendered/0", image, model.landmarks_of(coefficients))


def test_removal_scores_each_method_on_the_same_input(face, model):
    def fill(channels):
        image = np.ascontiguousarray((channels[0, :3].transpose(1, 2, 0) * 255).astype(np.uint8))
        return navier_stokes(image, (channels[0, 3] * 255).astype(np.uint8))

    metrics, sheet = evaluate_removal([face], lambda strip: UNWORN, fill, model, seed=4)
    assert metrics["pictures"] == 1 and sheet.shape[1] == 6 * 256
    for part in ("frame", "dark_lens"):
        for name, least in (("psnr", 15.0), ("ssim", 0.2)):
            values = {method: metrics[f"{name}_{part}{method}"] for method in ("", "_telea", "_ns")}
            assert all(value > least for value in values.values())
            assert abs(values[""] - values["_ns"]) < (2.0 if name == "psnr" else 0.1)
    assert len(metrics["by_kind"]["psnr_frame"]) == 1 and len(metrics["by_skin_tone"]["psnr_dark_lens"]) == 1
    assert metrics["by_lens"]["psnr_frame"] == {"clear": metrics["psnr_frame"]}
    assert metrics["psnr_frame_chain"] < metrics["psnr_frame"], "the scripted deleter sees no frame either"
    assert metrics["shadow_dice"] == 0, "the scripted deleter sees no shadow"
    assert metrics["psnr_shadow"] == metrics["psnr_shadow_worn"] < 40
    assert 12 < metrics["psnr_eyes"] == metrics["psnr_eyes_worn"] < 50, "nothing undoes tint or glare"


def test_parsing_counts_what_the_network_missed(face, model):
    metrics, _ = evaluate_parsing([face], lambda strip: UNWORN, model)
    assert metrics["iou_frame"] == 0 and metrics["iou_lens"] == 0 and metrics["pictures"] == 1
    assert metrics["kind_f1_macro"] < 0.4


def test_glasses_metrics():
    truth, said = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 0, 2])
    assert confusion(truth, said, 3).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert f1_macro(truth, said, 3) == pytest.approx((0.5 + 0.5 + 1) / 3)
    assert worn_f1(truth, said) == pytest.approx(2 * 2 / (3 + 3))


def test_a_face_nobody_finds_counts_as_bare(face):
    pictures = [("a", face.image, 1), ("b", face.image, 0)]
    metrics, _ = evaluate_glasses(iter(pictures), lambda name, image: None, lambda strip: (strip, strip))
    assert metrics["misses"] == 2 and metrics["confusion"] == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_overlap_ignores_unlabelled_pixels():
    truth = np.array([[Region.FRAME, Region.FRAME, Region.SKIN, Region.IGNORE]], np.uint8)
    said = np.array([[Region.FRAME, Region.SKIN, Region.FRAME, Region.FRAME]], np.uint8)
    scores = ParsingScores()
    scores.add(truth, said)
    assert scores.iou()["iou_frame"] == pytest.approx(1 / 3)


def test_true_coefficients_are_perfect(face, model, coefficients):
    metrics, _ = evaluate_points([face], lambda crop: moved(coefficients, face), model)
    assert metrics["nme"] < 1e-3
    heads = [(face.image, coefficients, {"lens": "clear"})]
    assert evaluate_vertices(heads, lambda crop: coefficients, model)["vertex_mm"] < 1e-3


def moved(coefficients, face):
    """The coefficients in the aligned crop of the face."""
    from realtime.align import crop_from_landmarks
    from realtime.face.coefficients import move_pose

    return move_pose(coefficients, crop_from_landmarks(face.landmarks))


def test_alignment_forgives_a_similarity_and_nothing_else():
    rng = np.random.default_rng(2)
    points = rng.normal(0, 40, (500, 3))
    turn = cv2.Rodrigues(np.array([0.2, -0.4, 0.1]))[0]
    assert aligned_error(1.3 * points @ turn.T + 7, points) < 1e-9
    assert aligned_error(points + rng.normal(0, 2, points.shape), points) == pytest.approx(2 * 1.596, rel=0.05)


def test_scores_inside_the_mask_only():
    truth = np.full((64, 64, 3), 100, np.uint8)
    made, mask = truth.copy(), np.zeros((64, 64), np.uint8)
    mask[20:30, 20:30] = 255
    made[mask == 0] = 0
    made[20:30, 20:30] = 110
    assert masked_scores(truth, made, mask)[0] == pytest.approx(20 * np.log10(255 / 10))
    assert np.isnan(masked_scores(truth, made, np.zeros_like(mask))[0])
    ramp = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None] * 3, 64, 0).repeat(3, 2)
    holed = ramp * (mask[..., None] == 0)
    for method in (telea, navier_stokes):
        assert masked_scores(ramp, method(holed, mask), mask)[0] > 25
    assert STRIP == slice(40, 168)
