"""Known motion of a synthetic head in eyeglasses, through the real stages and the shipped weights.

A blink moves nothing but the eyes, a turn of the head nothing but the head, a look nothing but the gaze.
"""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest

from realtime.face.blendshapes import ARKIT_NAMES, expression_from
from realtime.face.coefficients import SLICES
from realtime.face.drive import Drive
from realtime.face.model import load_face_model
from realtime.frame import Frame
from realtime.options import Options
from realtime.pipeline import open_pipeline
from realtime.stages.drive import DriveAvatar
from tools.demo.actor import Actor, cast
from tools.demo.speech import sample_speech

pytestmark = pytest.mark.slow
MODEL_EYE_MM = 16.2  # the synthetic eyes' radius, to the plane of the iris
OTHERS = [name for name in ARKIT_NAMES if not name.startswith(("eyeBlink", "eyeLook"))]
LOOKS = {
    "left": ({"eyeLookOutLeft": 0.6, "eyeLookInRight": 0.6}, (19.2, 0.0)),
    "right": ({"eyeLookInLeft": 0.6, "eyeLookOutRight": 0.6}, (-19.2, 0.0)),
    "up": ({"eyeLookUpLeft": 0.6, "eyeLookUpRight": 0.6}, (0.0, -15.0)),
    "down": ({"eyeLookDownLeft": 0.4, "eyeLookDownRight": 0.4}, (0.0, 12.0)),
}
YAWS = (-24, -16, -8, 8, 16, 24)


class Posed(Actor):
    """The demo's actor in the pose that a test asks for."""

    asked: np.ndarray

    def coefficients(self, time_s: float) -> np.ndarray:
        return self.asked


class Scene:
    """Pictures of one person by their expression and yaw, and the pipeline that watches them at ten frames a second."""

    def __init__(self, calibrated: bool = True, pictures: dict[tuple, np.ndarray] | None = None) -> None:
        model = load_face_model("live")
        cast_as = cast(model, sample_speech(np.random.default_rng(5), 1.0), 5, "square", 9)
        self._actor = Posed(**{field.name: getattr(cast_as, field.name) for field in fields(Actor)})
        self.pictures = {} if pictures is None else pictures  # the same whoever watches
        self.pipeline = open_pipeline(Options(faces=1))
        self._gaze = DriveAvatar(model, lambda: 0.5, adapt=False, eye_radius_mm=MODEL_EYE_MM)
        self._index = 0
        self.watch(count=8)
        self.pipeline.switches.calibrations += calibrated  # the neutral face, as a person would ask for it
        self.watch(count=12)

    def watch(self, shapes: dict[str, float] | None = None, yaw: float = 0.0, count: int = 6) -> Drive:
        """What the last of `count` frames drives. yaw in degrees."""
        image = self._picture(shapes or {}, yaw)
        for _ in range(count):
            frame = Frame(image, self._index, self._index, Fraction(1, 10))
            self._index += 1
            frame, faces = self.pipeline(frame)
            assert len(faces) == 1
            _, (known,) = self._gaze(frame, faces)
        self.gaze = np.degrees([known.drive.left.yaw, known.drive.left.pitch])
        return faces[0].drive

    def _picture(self, shapes: dict[str, float], yaw: float) -> np.ndarray:
        key = (tuple(sorted(shapes.items())), yaw)
        if key not in self.pictures:
            coefficients = cast_as_coefficients(self._actor)
            coefficients[SLICES["expression"]] = expression_from(shapes)
            coefficients[SLICES["pose"]] = [0.05, np.radians(yaw), 0.0, 1.36, 320, 220]
            object.__setattr__(self._actor, "asked", coefficients)
            self.pictures[key] = self._actor.frame(len(self.pictures), 25)[0]
        return self.pictures[key]


def cast_as_coefficients(actor: Posed) -> np.ndarray:
    """(239,) of the actor at rest, in the demo's light."""
    return Actor.coefficients(actor, 0.0).copy()


@pytest.fixture(scope="module")
def scene():
    made = Scene()
    yield made
    made.pipeline.close()


@pytest.fixture(scope="module")
def newcomer(scene):
    """The same person before a program that has learnt nothing of them."""
    made = Scene(calibrated=False, pictures=scene.pictures)
    yield made
    made.pipeline.close()


@pytest.fixture
def rest(scene) -> Drive:
    return scene.watch()


def blinks(drive: Drive) -> tuple[float, float]:
    return drive.shapes["eyeBlinkLeft"], drive.shapes["eyeBlinkRight"]


def most_moved(rest: Drive, now: Drive) -> tuple[float, str]:
    """The largest change of a shape that is not an eye's."""
    return max((abs(now.shapes[name] - rest.shapes[name]), name) for name in OTHERS)


def turned(rest: Drive, now: Drive) -> float:
    """Degrees, the largest change of an angle of the head."""
    a, b = rest.pose, now.pose
    return float(np.degrees(max(abs(a.pitch - b.pitch), abs(a.yaw - b.yaw), abs(a.roll - b.roll))))


def test_a_blink_closes_both_eyes_and_moves_neither_head_nor_face(scene, rest):
    assert max(blinks(rest)) < 0.05
    closed = scene.watch({"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0})
    assert min(blinks(closed)) > 0.85
    assert turned(rest, closed) < 0.5
    assert most_moved(rest, closed)[0] < 0.05, most_moved(rest, closed)
    assert max(blinks(scene.watch())) < 0.05


@pytest.mark.parametrize("yaw", [-16, 16])
def test_a_turned_head_blinks_too(scene, yaw):
    assert max(blinks(scene.watch(yaw=yaw))) < 0.1
    assert min(blinks(scene.watch({"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, yaw=yaw))) > 0.85
    assert max(blinks(scene.watch(yaw=yaw))) < 0.1


@pytest.mark.parametrize(("side", "closed_eye"), [("Left", 0), ("Right", 1)])
def test_a_wink_stays_single(scene, rest, side, closed_eye):
    winked = scene.watch({f"eyeBlink{side}": 1.0})
    assert blinks(winked)[closed_eye] > 0.85 and blinks(winked)[1 - closed_eye] < 0.05
    assert turned(rest, winked) < 0.5
    assert most_moved(rest, winked)[0] < 0.05, most_moved(rest, winked)
    assert abs(winked.left.yaw - rest.left.yaw) < np.radians(6)  # the open eye tells where they look


@pytest.mark.parametrize("look", LOOKS)
def test_gaze_is_measured_in_degrees(scene, rest, look):
    scene.watch()
    ahead = scene.gaze.copy()
    shapes, there = LOOKS[look]
    now = scene.watch(shapes)
    np.testing.assert_allclose(scene.gaze - ahead, there, atol=4.0)
    assert now.left.confidence > 0.5 and now.right.confidence > 0.5
    assert turned(rest, now) < 1.5
    assert most_moved(rest, now)[0] < 0.05, most_moved(rest, now)
    assert max(blinks(now)) < 0.3


@pytest.mark.parametrize(
    ("shapes", "seen", "most_turned"),
    [
        ({"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0}, ("mouthSmileLeft", "mouthSmileRight"), 3.0),
        ({"jawOpen": 1.0}, ("jawOpen",), 3.0),
    ],
    ids=["smile", "jaw"],
)
def test_what_the_mouth_does_is_seen_and_moves_neither_eyes_nor_head(scene, rest, shapes, seen, most_turned):
    now = scene.watch(shapes)
    for name in seen:
        assert now.shapes[name] - rest.shapes[name] > 0.3
    assert max(blinks(now)) < 0.15
    assert turned(rest, now) < most_turned


@pytest.mark.parametrize("yaw", [-20, 20])
def test_an_unknown_persons_turn_moves_no_shape(newcomer, yaw):
    """Neither the neutral face was asked for, nor has the head turned before."""
    ahead = newcomer.watch()
    now = newcomer.watch(yaw=yaw, count=8)
    assert abs(np.degrees(now.pose.yaw - ahead.pose.yaw) - yaw) < 6
    assert most_moved(ahead, now)[0] < 0.05, most_moved(ahead, now)


def test_turning_the_head_moves_no_shape(scene):
    for _ in range(2):  # as people do now and then; what it does to the shapes is learnt from it
        for yaw in (*YAWS[3:], *YAWS[:3]):
            scene.watch(yaw=yaw, count=4)
    rest = scene.watch(count=8)
    for yaw in YAWS:
        now = scene.watch(yaw=yaw, count=8)
        assert abs(np.degrees(now.pose.yaw - rest.pose.yaw) - yaw) < 6
        assert max(blinks(now)) < 0.1
        assert most_moved(rest, now)[0] < 0.05, (yaw, most_moved(rest, now))
