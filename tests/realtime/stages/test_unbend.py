import cv2
import numpy as np
import pytest

from engines.networks.classes import Region
from realtime.align import STRIP, transform_points
from realtime.frame import Glasses
from realtime.stages.delete import Delete
from realtime.stages.generate import Generate
from realtime.stages.unbend import ASK_EVERY, Unbend
from tests.realtime.stages.conftest import ScriptedNetwork, face_at, picture_of


def parsed(kind=(0.02, 0.95, 0.03)) -> ScriptedNetwork:
    """A deleter that sees two round lenses about the eyes, in rims."""
    labels = np.full((1, 128, 256), Region.SKIN, np.uint8)
    for x in (75, 180):
        cv2.circle(labels[0], (x, 64), 33, int(Region.FRAME), -1)
        cv2.circle(labels[0], (x, 64), 30, int(Region.CLEAR_LENS), -1)
    glasses = np.zeros((1, 4, 128, 256), np.float32)
    glasses[0, 0] = labels[0] == Region.FRAME
    shadow = np.ones((1, 3, 128, 256), np.float32)
    kinds = np.array([kind], np.float32)
    return ScriptedNetwork(lambda _: {"labels": labels, "glasses": glasses, "shadow": shadow, "kind": kinds})


def power(*scales: float) -> ScriptedNetwork:
    """A network that says these scales, one a picture: of it, and again of its mirror image."""
    answers = iter(np.repeat(scales, 2))
    return ScriptedNetwork(lambda _: {"scale": np.array([[next(answers)]], np.float32)})


def test_crop_mask_and_landmarks_are_unbent_and_the_frame_with_them():
    frame = picture_of()
    _, (before,) = Delete(parsed())(frame, (face_at(),))
    _, (face,) = Unbend(power(1.15))(frame, (before,))
    assert len(face.lenses) == 2 and face.lenses[0].scale == pytest.approx(1.15)
    changed = (face.crop != before.crop).any(2)
    assert changed[STRIP][64, 50:100].mean() > 0.5 and not changed[STRIP][:25].any() and not changed[:40].any()
    assert (face.mask != before.mask).any()
    moved = transform_points(face.crop_from_frame, face.landmarks) - transform_points(
        before.crop_from_frame, before.landmarks
    )
    corner = transform_points(before.crop_from_frame, before.landmarks)[36] - face.lenses[0].centre
    np.testing.assert_allclose(moved[36], 0.15 * corner, atol=0.05)
    assert np.abs(moved[48:]).max() < 1e-2  # the mouth stays
    fill = ScriptedNetwork(lambda _: {"strip_filled": np.full((1, 3, 128, 256), 0.5, np.float32)})
    straight, _ = Generate(fill)(frame, (face,))
    bent, _ = Generate(fill)(frame, (before,))
    assert (straight.image != bent.image).any() and straight.original is frame.image


@pytest.mark.parametrize("kind", [(0.95, 0.03, 0.02), (0.02, 0.03, 0.95)])
def test_bare_faces_and_dark_lenses_pass(kind):
    _, (before,) = Delete(parsed(kind))(picture_of(), (face_at(),))
    network = power(1.2)
    _, (face,) = Unbend(network)(picture_of(), (before,))
    assert face is before and not network.asked and face.glasses is not Glasses.CLEAR


def test_the_power_is_asked_now_and_then_and_averaged():
    network = power(1.1, 1.2)
    delete, unbend = Delete(parsed()), Unbend(network)
    for index in range(ASK_EVERY + 1):
        frame = picture_of(index=index)
        _, (face,) = unbend(*delete(frame, (face_at(),)))
        assert len(network.asked) == (2 if index < ASK_EVERY else 4)
    assert face.lenses[0].scale == pytest.approx(np.sqrt(1.1 * 1.2), rel=1e-3)
    mirrored = network.asked[1]["strip"][..., ::-1]
    np.testing.assert_allclose(network.asked[0]["strip"], mirrored)
