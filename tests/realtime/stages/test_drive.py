"""The stage on faces whose coefficients are known and whose eyes are drawn into the crop."""

import time

import cv2
import numpy as np
import pytest

from engines import open_network
from realtime.align import TEMPLATE_PX
from realtime.face.blendshapes import ARKIT_NAMES, expression_from
from realtime.face.coefficients import COUNT, SLICES
from realtime.face.model import load_face_model
from realtime.frame import Face, Glasses
from realtime.stages.drive import DriveAvatar, with_lids
from tests.realtime.stages.conftest import face_at, landmarks_at, picture_of

SCALE = 1.15  # px per mm of the crop
RADIUS_MM = 11.0


@pytest.fixture(scope="module")
def model():
    return load_face_model("live")


def seen(model, *, yaw: float = 0.0, pitch: float = 0.0, closed: tuple[bool, bool] = (False, False), **more) -> Face:
    """A crop in which both eyes look this way (degrees); closed: left, right. The frame is the crop."""
    crop = np.full((256, 256, 3), 170, np.uint8)
    coefficients = np.zeros(COUNT, np.float32)
    coefficients[SLICES["pose"]] = [0, 0, 0, SCALE, 127.5, 104]
    coefficients[SLICES["expression"]] = expression_from(more.pop("shapes", {}))
    landmarks = face_at().landmarks.copy()
    landmarks[27:48] = TEMPLATE_PX[:21]
    for side, (x, y, _) in enumerate(model.mean[model.eyes]):
        middle = np.array([127.5 + SCALE * x, 104 - SCALE * y])
        away = RADIUS_MM * SCALE * np.array([np.sin(np.radians(yaw)), np.sin(np.radians(pitch))])
        _draw_eye(crop, middle, middle + away, closed[side])
    face = Face(0, np.array([60, 40, 200, 220], np.float32), landmarks.astype(np.float32))
    return face.with_(coefficients=coefficients, crop=crop, crop_from_frame=np.eye(2, 3), **more)


def _draw_eye(crop: np.ndarray, middle: np.ndarray, iris: np.ndarray, closed: bool) -> None:
    fixed = tuple(round(float(v) * 16) for v in middle)
    if closed:
        cv2.ellipse(crop, fixed, (16 * 16, 2 * 16), 0, 0, 180, (70, 60, 60), 1, cv2.LINE_AA, 4)
        return
    white = np.zeros(crop.shape[:2], np.uint8)
    cv2.ellipse(white, fixed, (16 * 16, 9 * 16), 0, 0, 360, 255, -1, cv2.LINE_AA, 4)
    eye = np.full_like(crop, 225)
    cv2.circle(eye, tuple(round(float(v) * 16) for v in iris), int(6.7 * 16), (60, 50, 45), -1, cv2.LINE_AA, 4)
    crop[white > 0] = eye[white > 0]


def run(stage: DriveAvatar, *faces: Face, start: int = 0):
    """The drive after these faces, one a frame at thirty frames a second."""
    for index, face in enumerate(faces, start):
        _, (driven,) = stage(picture_of(index=index), (face,))
    return driven.drive


def stage_of(model, **more) -> DriveAvatar:
    return DriveAvatar(model, lambda: 0.0, **({"adapt": False} | more))


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (20, 0), (-20, 0), (0, 12), (0, -12), (12, -8)])
def test_degrees_are_those_drawn(model, yaw, pitch):
    drive = run(stage_of(model), *[seen(model, yaw=yaw, pitch=pitch)] * 10)
    assert np.degrees([drive.left.yaw, drive.left.pitch]) == pytest.approx([yaw, pitch], abs=2.5)
    assert drive.left.confidence > 0.8 and drive.right.confidence > 0.8
    assert tuple(drive.shapes) and set(drive.shapes) == set(ARKIT_NAMES)
    out = drive.shapes["eyeLookOutLeft"] - drive.shapes["eyeLookInLeft"]
    assert out == pytest.approx(yaw / 32, abs=0.09)
    assert drive.shapes["eyeLookInRight"] - drive.shapes["eyeLookOutRight"] == pytest.approx(out, abs=1e-6)


@pytest.fixture(scope="module")
def lids():
    with open_network("lids", provider="cpu") as network:
        yield network


@pytest.mark.parametrize("looked_at", [False, True], ids=["irises", "lids"])
@pytest.mark.parametrize("closed", [(True, True), (True, False), (False, True)])
def test_blinks_and_winks(model, closed, lids, looked_at):
    stage = stage_of(model, lids=lids if looked_at else None)
    run(stage, *[seen(model)] * 20)
    drive = run(stage, *[seen(model, closed=closed)] * 4, start=20)
    for side, shut in zip(("Left", "Right"), closed, strict=True):
        assert drive.shapes[f"eyeBlink{side}"] == pytest.approx(float(shut), abs=0.1)
    assert run(stage, seen(model), start=24).shapes["eyeBlinkLeft"] < 0.05


def test_behind_dark_lenses_the_expression_is_all_that_is_known(model):
    dark = seen(model, yaw=25, shapes={"eyeBlinkLeft": 0.4, "eyeLookUpRight": 0.3}, glasses=Glasses.DARK)
    drive = run(stage_of(model), *[dark] * 5)
    assert drive.left.confidence == drive.right.confidence == 0 and drive.left.yaw == 0
    assert drive.shapes["eyeBlinkLeft"] == pytest.approx(0.4) and drive.shapes["eyeLookUpRight"] == pytest.approx(0.3)


def test_repainted_eyes_are_not_measured(model):
    painted = np.zeros((256, 256), np.uint8)
    painted[80:130] = 255
    drive = run(stage_of(model), *[seen(model, yaw=25, mask=painted)] * 5)
    assert drive.left.confidence == 0 and drive.left.yaw == 0 and drive.shapes["eyeBlinkLeft"] == 0


def test_the_neutral_key_makes_where_they_look_straight_ahead(model):
    requests = [0]
    stage = stage_of(model, requests=lambda: requests[0])
    assert np.degrees(run(stage, *[seen(model, yaw=8, pitch=6)] * 5).left.yaw) == pytest.approx(8, abs=2)
    requests[0] = 1
    drive = run(stage, *[seen(model, yaw=8, pitch=6)] * 35, start=5)
    assert np.degrees([drive.left.yaw, drive.left.pitch]) == pytest.approx([0, 0], abs=0.5)


def test_without_adaptation_the_shapes_are_the_coefficients(model):
    shapes = {"mouthSmileLeft": 0.4, "jawOpen": 0.02}
    drive = run(stage_of(model), *[seen(model, shapes=shapes)] * 3)
    assert drive.shapes["mouthSmileLeft"] == pytest.approx(0.4) and drive.shapes["jawOpen"] == pytest.approx(0.02)
    assert run(stage_of(model, adapt=True), seen(model, shapes=shapes)).shapes["jawOpen"] == 0


def test_a_face_that_is_not_reconstructed_has_no_drive(model):
    _, (face,) = stage_of(model)(picture_of(), (face_at(),))
    assert face.drive is None


def test_it_costs_about_a_millisecond_of_one_core(model):
    stage, face = stage_of(model, adapt=True), seen(model)
    run(stage, *[face] * 5)
    frames = [picture_of(index=index) for index in range(5, 105)]
    start = time.process_time()
    for frame in frames:
        stage(frame, (face,))
    assert (time.process_time() - start) / 100 < 0.002  # half of that on a core of its own


def test_landmarks_of_a_shut_eye_come_together_and_those_of_open_ones_stay():
    points = landmarks_at((300, 200), 100)
    points[[43, 44]] = [(340, 195), (350, 195)]
    points[[47, 46]] = [(340, 205), (350, 205)]
    moved = with_lids(points, (0.05, 0.8))
    gap = np.linalg.norm(moved[[43, 44]] - moved[[47, 46]], axis=1)
    np.testing.assert_allclose(gap, 10 - 6 * 0.55 / 0.6, atol=0.01)
    assert moved[43, 1] - points[43, 1] > points[47, 1] - moved[47, 1] > 0  # the upper lid does most of it
    still = np.setdiff1d(np.arange(68), [43, 44, 46, 47])
    np.testing.assert_array_equal(moved[still], points[still])
