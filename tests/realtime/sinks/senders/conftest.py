"""One face that is known in every number, and the shot that shows it."""

from __future__ import annotations

import numpy as np

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import COUNT, SLICES, pose
from realtime.face.drive import Drive, Eye
from realtime.frame import Face, Frame
from realtime.sinks.base import Shot
from tests.realtime.stages.conftest import face_at


def driven(
    shapes: dict[str, float] | None = None,
    *,
    pitch: float = 0.0,
    yaw: float = 0.0,
    roll: float = 0.0,
    left: Eye | None = None,
    right: Eye | None = None,
    track: int = 0,
    scale: float = 2.0,
    at: tuple[float, float] = (319.5, 239.5),
) -> Face:
    """A face with these weights, the others 0, its head where it is said to be."""
    coefficients = np.zeros(COUNT, np.float32)
    coefficients[SLICES["pose"]] = [pitch, yaw, roll, scale, *at]
    weights = dict.fromkeys(ARKIT_NAMES, 0.0) | (shapes or {})
    drive = Drive(weights, pose(coefficients), left or Eye(confidence=1.0), right or Eye(confidence=1.0))
    return face_at(at, 104 / 1.15 * scale, track).with_(coefficients=coefficients, drive=drive)


def shot_of(*faces: Face, index: int = 0) -> Shot:
    """640x480 at 30 frames a second."""
    frame = Frame(np.zeros((480, 640, 3), np.uint8), index, pts=index)
    return Shot(frame, frame, tuple(faces))
