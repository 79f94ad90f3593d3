"""Protocols `lfw` and `invariance` on identities that are known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.face.coefficients import COUNT, SLICES
from realtime.frame import Face, Glasses
from tools.evaluate.faces import LabelledFace
from tools.evaluate.invariance import evaluate_invariance, mean_distance
from tools.evaluate.lfw import (
    Pairs,
    best_threshold,
    equal_error,
    first_pairs,
    identities,
    listed_pairs,
    roc_area,
    verification,
)
from tools.evaluate.whole_chain import moved


def people(noise: float, count: int = 60, seed: int = 0) -> tuple[Pairs, dict[str, np.ndarray]]:
    """Pairs of `count` people with two pictures each, and noisy identities of all pictures."""
    rng = np.random.default_rng(seed)
    found = {}
    for person in range(count):
        identity = rng.standard_normal(80)
        for k in range(2):
            found[f"{person}_{k}"] = identity + noise * rng.standard_normal(80)
    first = [f"{p}_0" for p in range(count)] * 2
    second = [f"{p}_1" for p in range(count)] + [f"{(p + 1) % count}_1" for p in range(count)]
    same = np.arange(2 * count) < count
    return Pairs(tuple(first), tuple(second), same, np.arange(2 * count) % 10), found


def test_exact_identities_are_told_apart_without_error() -> None:
    pairs, found = people(noise=0.2)
    metrics, picture = verification(pairs, found)
    assert metrics["accuracy"] == 100 and metrics["eer100"] == 100 and metrics["nauc"] == 100
    assert metrics["accuracy_std"] == 0 and metrics["misses"] == 0 and picture.shape == (480, 640, 3)


def test_noise_alone_is_a_coin() -> None:
    pairs, found = people(noise=1000.0, count=300)
    metrics, _ = verification(pairs, found)
    assert 40 < metrics["accuracy"] < 60 and 40 < metrics["nauc"] < 60 and 40 < metrics["eer100"] < 60


def test_a_single_fold_is_cut_into_ten_and_missing_faces_are_counted() -> None:
    pairs, found = people(noise=0.2)
    one = Pairs(pairs.first, pairs.second, pairs.same, np.zeros(len(pairs.same), int))
    del found["3_1"]
    metrics, _ = verification(one, found)
    assert metrics["misses"] == 1 and 95 < metrics["accuracy"] < 100 and metrics["accuracy_std"] > 0


def test_thresholds_errors_and_areas() -> None:
    likeness, same = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
    assert roc_area(likeness, same) == pytest.approx(0.75)
    assert ((likeness > best_threshold(likeness, same)) == same).sum() == 3
    assert equal_error(np.array([0.0, 0.1, 0.9, 1.0]), np.array([False, False, True, True])) == 0


def test_pairs_are_read_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name, level in (("a.png", 10), ("b.png", 200)):
        cv2.imwrite(str(tmp_path / "images" / name), np.full((8, 8), level, np.uint8))
    (tmp_path / "pairs.csv").write_text("fold,a,b,same\n0,a.png,b.png,0\n1,a.png,a.png,1\n")
    pairs, read = listed_pairs(tmp_path)
    assert pairs.same.tolist() == [False, True] and pairs.fold.tolist() == [0, 1]
    assert read("b.png").shape == (8, 8, 3)
    found = identities(pairs, read, lambda image: face_of(np.full(80, float(image.mean()))))
    assert set(found) == {"a.png", "b.png"} and found["a.png"][0] == pytest.approx(10)
    assert len(first_pairs(pairs, 1).same) == 1
    with pytest.raises(FileNotFoundError, match="no pairs"):
        listed_pairs(tmp_path / "images")


def face_of(identity: np.ndarray, glasses: Glasses = Glasses.NONE) -> Face:
    coefficients = np.zeros(COUNT, np.float32)
    coefficients[SLICES["identity"]] = identity
    return Face(0, np.zeros(4, np.float32), np.zeros((68, 2), np.float32), coefficients=coefficients, glasses=glasses)


def test_invariance_is_the_move_over_the_distance_between_people(frontal_faces: list[LabelledFace]) -> None:
    base = {id_of(face.image): np.eye(80)[k] * 3 for k, face in enumerate(frontal_faces)}

    def judge(image: np.ndarray) -> Face:
        name = id_of(image)
        clean = any(np.array_equal(image, face.image) for face in frontal_faces)
        return face_of(base[name] + (0 if clean else 0.5 * np.eye(80)[70]))

    metrics, _ = evaluate_invariance(frontal_faces, judge, judge)
    assert metrics["people"] == 3 and metrics["pictures"] == 6
    assert metrics["invariance"] == pytest.approx(0.5 / (3 * np.sqrt(2)), rel=1e-3)
    assert metrics["invariance_clear"] == pytest.approx(metrics["invariance_dark"], rel=1e-3)


def test_mean_distance() -> None:
    assert mean_distance(np.array([[0.0, 0], [3, 4], [0, 0]])) == pytest.approx(10 / 3)


def id_of(image: np.ndarray) -> int:
    """The corner pixel, which no eyeglasses reach, numbers the pictures of `frontal_faces`."""
    return int(image[0, 0, 0])


@pytest.fixture
def frontal_faces() -> list[LabelledFace]:
    from realtime.align import crop_from_landmarks
    from realtime.face.coefficients import move_pose
    from realtime.face.model import load_face_model

    model = load_face_model("live")
    coefficients = np.zeros(COUNT, np.float32)
    coefficients[SLICES["pose"]] = [0, 0, 0, 1.2, 0, 0]
    coefficients = move_pose(coefficients, crop_from_landmarks(model.landmarks_of(coefficients)))
    points = model.landmarks_of(coefficients)
    faces = []
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 60, (256, 256, 3)).astype(np.float32), (0, 0), 6)
    for k in range(3):
        image = np.clip(np.array([205, 160, 135]) + noise, 0, 255).astype(np.uint8)
        image[:4, :4] = 10 + k
        faces.append(LabelledFace(str(k), image, points))
    return faces


def test_a_face_found_in_a_bordered_picture_is_told_in_the_pictures_own_pixels() -> None:
    face = face_of(np.zeros(80))
    matrix = np.array([[2.0, 0, 5], [0, 2, 7]])
    pose = np.zeros(COUNT, np.float32)
    pose[SLICES["pose"]] = (0, 0, 0, 1.5, 40, 50)
    found = moved(face.with_(crop_from_frame=matrix, coefficients=pose, landmarks=np.full((68, 2), 30.0)), -10)
    assert (found.landmarks == 20).all() and (found.box == -10).all()
    assert found.crop_from_frame is not None and found.coefficients is not None
    seen = matrix[:, :2] @ np.array([30.0, 30]) + matrix[:, 2]
    np.testing.assert_allclose(found.crop_from_frame[:, :2] @ np.array([20.0, 20]) + found.crop_from_frame[:, 2], seen)
    np.testing.assert_allclose(found.coefficients[SLICES["pose"]], (0, 0, 0, 1.5, 30, 40), atol=1e-5)
