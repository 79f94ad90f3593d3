"""What must survive the removal: identity, gaze, lids and light, on pictures whose change is known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engines.networks.classes import Region
from realtime.align import STRIP
from realtime.face.coefficients import COUNT, SLICES
from realtime.face.model import load_face_model
from realtime.frame import Glasses
from tools.evaluate.eyes_kept import EyesKept
from tools.evaluate.identity import IdentityKept, jittered
from tools.evaluate.light import judge_light
from tools.evaluate.removed import Removed
from tools.evaluate.tally import Scores
from tools.factory.wear import Sample


@pytest.fixture(scope="module")
def coefficients() -> np.ndarray:
    values = np.zeros(COUNT, np.float32)
    values[SLICES["pose"]] = (0.0, 0.0, 0.0, 1.16, 127.5, 104.0)
    return values


@pytest.fixture(scope="module")
def points(coefficients: np.ndarray) -> np.ndarray:
    return load_face_model("live").landmarks_of(coefficients)


def drawn(points: np.ndarray, gaze_px: float = 0.0) -> np.ndarray:
    """(256, 256, 3): skin, and an iris in each eye, moved sideways."""
    image = np.full((256, 256, 3), (200, 160, 140), np.uint8)
    for first in (36, 42):
        x, y = points[first : first + 6].mean(0)
        cv2.ellipse(image, (round(float(x)), round(float(y))), (13, 7), 0, 0, 360, (235, 235, 235), -1)
        cv2.circle(image, (round(float(x + gaze_px) * 16), round(float(y) * 16)), 96, (40, 25, 20), -1, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(image, (0, 0), 0.7)


def removed(points: np.ndarray, coefficients: np.ndarray, clean: np.ndarray, result: np.ndarray) -> Removed:
    labels = np.full((256, 256), Region.SKIN, np.uint8)
    ones = np.ones((256, 256), np.float32)
    sample = Sample(clean, clean, labels, ones, Glasses.CLEAR, coefficients, "round")
    return Removed(0, sample, points, {}, np.zeros((128, 256), np.uint8), result[STRIP].copy(), result, "light")


def test_a_moved_iris_and_a_closing_lid_are_measured_in_eye_widths(
    points: np.ndarray, coefficients: np.ndarray
) -> None:
    clean, result = drawn(points), drawn(points, gaze_px=3.0)
    shut = points.copy()
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        shut[upper] += 0.5 * (points[lower] - points[upper])

    def locate(crop: np.ndarray, near: np.ndarray) -> np.ndarray:
        return shut if crop is result else points

    scores = Scores()
    EyesKept(locate)(removed(points, coefficients, clean, result), scores)
    width = float(np.linalg.norm(points[36] - points[39]))
    assert np.mean(scores.values["gaze_change"]) == pytest.approx(3 / width, abs=0.02)
    opening = np.linalg.norm(points[37] - points[41]) / width
    assert np.mean(scores.values["eyelid_change"]) == pytest.approx(opening / 2, rel=0.15)
    assert np.mean(scores.values["gaze_kept"]) == 0 and np.mean(scores.values["eyelid_kept_worn"]) == 1
    assert np.mean(scores.values["gaze_change_jitter"]) < 0.02 and np.mean(scores.values["eyelid_change_worn"]) == 0


def test_identity_is_the_share_of_what_two_encodings_of_one_photograph_have_in_common(
    points: np.ndarray, coefficients: np.ndarray
) -> None:
    clean = drawn(points)
    result = np.full_like(clean, 10)

    def recognise(crop: np.ndarray) -> np.ndarray:
        angle = 0.0 if crop.mean() > 100 else np.radians(60)
        return np.array([np.cos(angle), np.sin(angle)])

    scores = Scores()
    judge = IdentityKept(recognise)
    judge(removed(points, coefficients, clean, result), scores)
    judge(replace(removed(points, coefficients, clean, clean), number=1), scores)
    assert scores.values["identity"] == pytest.approx([0.5, 1.0])
    assert scores.values["identity_jitter_cosine"] == pytest.approx([1, 1])
    assert scores.values["identity_stranger"] == pytest.approx([1.0]), "compared with the photograph before"
    assert scores.report()["by_kind"]["identity"] == {"round": pytest.approx(0.75)}


def test_encodings_differ_a_little_and_repeat() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    smooth = cv2.GaussianBlur(crop, (0, 0), 3)
    one, other = (jittered(smooth, (0, 0, k)) for k in range(2))
    assert not np.array_equal(one, other) and np.array_equal(one, jittered(smooth, (0, 0, 0)))
    assert np.abs(one.astype(int) - smooth).mean() < 6


def test_light_is_scored_where_it_was_changed_with_and_without(points: np.ndarray, coefficients: np.ndarray) -> None:
    clean = np.full((256, 256, 3), 160, np.uint8)
    labels = np.full((256, 256), Region.SKIN, np.uint8)
    labels[80:120, 60:110], labels[80:90, 60:80] = Region.CLEAR_LENS, Region.GLARE
    worn, result = clean.copy(), clean.copy()
    worn[labels == Region.CLEAR_LENS] = 128  # a tint of 0.8
    worn[labels == Region.GLARE] = 250
    result[labels == Region.CLEAR_LENS], result[labels == Region.GLARE] = 158, 150
    sample = Sample(worn, clean, labels, np.ones((256, 256), np.float32), Glasses.CLEAR, coefficients, "round")
    one = Removed(0, sample, points, {}, np.zeros((128, 256), np.uint8), result[STRIP].copy(), result, "light")
    scores = Scores()
    judge_light(one, scores)
    expected = {"psnr_tint": 2, "psnr_tint_worn": 32, "psnr_glare": 10, "psnr_glare_worn": 90}
    for name, error in expected.items():
        assert scores.values[name] == pytest.approx([20 * np.log10(255 / error)], abs=0.01), name
    assert "psnr_shadow" not in scores.values
