"""OpenSeeFace's whole packet of a head that can be placed by hand, laid out from its documented layout.

The head's 68 points lie on a slope, steps of 1/64 of the protocol's unit (150 mm) apart, nose tip (30) in the middle.
It looks ahead, two pixels a millimetre; every point is seen two pixels right of and below where the model has it.
"""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import numpy as np

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import COUNT, SLICES, Pose
from realtime.face.drive import Drive, Eye
from realtime.frame import Face

TIME_S = 4.25
STEP_MM = 150 / 64
SHAPES = {
    "eyeWideLeft": 0.25, "eyeBlinkRight": 0.5, "browOuterUpLeft": 0.75, "browDownRight": 0.375, "mouthSmileLeft": 0.5,
    "mouthFrownRight": 0.25, "jawOpen": 0.625,
}  # fmt: skip


def sloping_model() -> Any:
    """What an encoder asks of a `FaceModel`; whoever's coefficients, the same head."""
    steps = np.arange(68) - 30
    points = STEP_MM * np.stack([steps, -steps, np.arange(68) // 17], axis=1)
    eyeballs = np.array([[37.5, 75.0, 0.0], [-37.5, 75.0, 0.0]], np.float32)  # left, right
    return SimpleNamespace(
        landmark_mean=points.astype(np.float32), landmark_shape=np.zeros((144, 204), np.float32),
        eyeballs_of=lambda coefficients: eyeballs,
    )  # fmt: skip


def sloping_face() -> Face:
    head = Pose(0.0, 0.0, 0.0, 2.0, 380.0, 180.0)
    coefficients = np.zeros(COUNT, np.float32)
    coefficients[SLICES["pose"]] = (0.0, 0.0, 0.0, 2.0, 380.0, 180.0)
    seen = np.array([[382 + 4.6875 * (i - 30), 182 + 4.6875 * (i - 30)] for i in range(68)], np.float32)
    weights = dict.fromkeys(ARKIT_NAMES, 0.0) | SHAPES
    drive = Drive(weights, head, Eye(opening=1.0, confidence=0.25), Eye(opening=0.5, confidence=0.125))
    box = np.r_[seen.min(0), seen.max(0)]
    return Face(2, box, seen, confidence=0.75, coefficients=coefficients, drive=drive)


def golden_openseeface() -> bytes:
    """1785 bytes, little-endian."""
    # its 66 points among the 68: the inner mouth's corners are missing, the outer ones come behind the outline
    order = [*range(48), 49, 50, 51, 52, 53, 55, 56, 57, 58, 59, 48, 61, 62, 63, 54, 65, 66, 67]
    head = b"".join([
        b"\0\0\0\0\0\0\x11\x40", b"\x02\0\0\0", b"\0\0\x20\x44\0\0\xf0\x43",  # 4.25 s, face 2, 640 x 480
        b"\0\0\0\x3f", b"\0\0\x80\x3f", b"\x01", b"\0\0\0\x40",  # open: right, left; found; 2 pixels of error
        struct.pack("<4f", 0.7071067811865476, 0.7071067811865476, 0.0, 0.0),  # half a turn about x + y
        struct.pack("<3f", -180.0, 0.0, 90.0),  # receivers take half a turn and 90 degrees off
        struct.pack("<3f", 60 / 300, -60 / 300, -640 / 300),  # up, to the image's left, to the camera; 300 px a unit
    ])  # fmt: skip
    sure = b"\0\0\x40\x3f" * 66 + b"\0\0\0\x3e" + b"\0\0\x80\x3e"  # then the right and the left pupil
    flat = b"".join(struct.pack("<2f", 182 + 4.6875 * (i - 30), 382 + 4.6875 * (i - 30)) for i in order)  # y, x
    flat += struct.pack("<4f", 30.0, 305.0, 30.0, 455.0)
    # x to the subject's right; y and z are sent turned over
    solid = b"".join(struct.pack("<3f", (30 - i) / 64, (i - 30) / 64, (1 - i // 17) / 64) for i in order)
    solid += struct.pack("<6f", 0.25, -0.5, 1 / 64 - 0.08, -0.25, -0.5, 1 / 64 - 0.08)  # pupils: 12 mm before
    solid += struct.pack("<6f", 0.25, -0.5, 1 / 64, -0.25, -0.5, 1 / 64)  # the eyeballs' centres
    brows = (0.0, 0.75, 0.0, 0.0, -0.375, 0.0)  # steepness, height, quirk of the left, then of the right
    mouth = (-0.5, 0.5, 0.25, 0.0, 0.625, 0.25)  # corners down and out, left, right; open; wide
    return head + sure + flat + solid + struct.pack("<14f", 0.25, -0.5, *brows, *mouth)
