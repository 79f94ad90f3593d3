"""Groups that figures are split by: skin tone, eye region, means."""

import numpy as np
import pytest

from realtime.align import crop_from_landmarks
from realtime.face.coefficients import COUNT, SLICES, move_pose
from realtime.face.model import load_face_model
from tools.evaluate.groups import Groups, eye_region, group_means, skin_tone_group, times_as_bad


@pytest.fixture(scope="module")
def landmarks():
    model, coefficients = load_face_model("live"), np.zeros(COUNT, np.float32)
    coefficients[SLICES["pose"]] = [0, 0, 0, 1.2, 0, 0]
    moved = move_pose(coefficients, crop_from_landmarks(model.landmarks_of(coefficients)))
    return model.landmarks_of(moved)


@pytest.mark.parametrize(
    ("colour", "group"), [((236, 205, 185), "light"), ((175, 130, 100), "medium"), ((95, 65, 50), "dark")]
)
def test_cheeks_tell_the_tone(landmarks, colour, group):
    image = np.zeros((256, 256, 3), np.uint8)
    image[120:200, 40:216] = colour
    assert skin_tone_group(image, landmarks) == group


def test_eye_region_covers_both_eyes_and_little_else(landmarks):
    region = eye_region(landmarks, (256, 256))
    for eye in (landmarks[36:42], landmarks[42:48]):
        x, y = np.round(eye.mean(0)).astype(int)
        assert region[y, x]
    nose_x, nose_y = np.round(landmarks[30]).astype(int)
    assert not region[nose_y, nose_x]
    width = np.linalg.norm(landmarks[36] - landmarks[39])
    assert 0.5 * width**2 < region.sum() < 2.5 * width**2


def test_means_by_group():
    assert group_means({"psnr": [("a", 1.0), ("b", 5.0), ("a", 3.0)]}) == {"psnr": {"a": 2.0, "b": 5.0}}


def test_the_worst_group_is_named_with_how_much_worse_it_is():
    groups = Groups()
    for tone, error in (("light", 0.03), ("dark", 0.06)):
        for _ in range(6):
            groups.add("nme", error, skin_tone=tone)
    groups.add("nme", 0.9, skin_tone="medium")  # one picture is no group
    report = groups.report()
    assert report["worst_group"] == "nme skin_tone dark" and report["group_sizes"]["skin_tone"]["dark"] == 6
    mean = (6 * 0.03 + 6 * 0.06 + 0.9) / 13
    assert report["worst_group_ratio"] == pytest.approx(0.06 / mean)
    assert report["unfair"] == {}


def test_errors_scores_and_decibels_are_compared_alike():
    assert times_as_bad("nme", 0.06, 0.03) == pytest.approx(2)
    assert times_as_bad("share_right", 0.4, 0.8) == pytest.approx(2)
    assert times_as_bad("psnr_frame", 20.0, 26.02) == pytest.approx(2, abs=1e-3)
    assert times_as_bad("identity", 0.0, 0.8) == pytest.approx(1000)
