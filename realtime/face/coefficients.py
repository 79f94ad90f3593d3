"""The 239 coefficients of one face, y = (identity, expression, texture, light, pose), paper section 3.3.

Angles in radians. The pose part is in pixels of the image the coefficients belong to (a crop or a frame).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SLICES = {
    "identity": slice(0, 80),
    "expression": slice(80, 144),
    "texture": slice(144, 224),
    "light": slice(224, 233),
    "pose": slice(233, 239),
}
COUNT = 239
POSE_NAMES = ("pitch", "yaw", "roll", "scale", "x", "y")


@dataclass(frozen=True, slots=True)
class Pose:
    """Weak-perspective pose, eq. 7: v2d = scale * P_r * R * S + t, with R = Rz(roll) Ry(yaw) Rx(pitch).

    Model axes: x to the subject's left, y up, z towards the camera, right-handed, millimetres. Image: x right, y down,
    so u = scale * (R S)_x + x and v = -scale * (R S)_y + y. scale is in pixels per millimetre.
    Positive pitch looks down, positive yaw turns to the subject's left, positive roll tilts the head's top to the
    subject's right (counter-clockwise in the image).
    """

    pitch: float
    yaw: float
    roll: float
    scale: float
    x: float
    y: float

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) float64."""
        return rotation_matrix(self.pitch, self.yaw, self.roll)


def rotation_matrix(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """R = Rz(roll) Ry(yaw) Rx(pitch), (3, 3) float64, right-handed model axes."""
    cp, sp, cy, sy, cr, sr = np.cos(pitch), np.sin(pitch), np.cos(yaw), np.sin(yaw), np.cos(roll), np.sin(roll)
    rx = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rz = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return rz @ ry @ rx


def angles_from_rotation(rotation: np.ndarray) -> tuple[float, float, float]:
    """(pitch, yaw, roll) of a (3, 3) rotation, the inverse of `rotation_matrix` for |yaw| < 90 degrees."""
    yaw = np.arcsin(np.clip(-rotation[2, 0], -1.0, 1.0))
    pitch = np.arctan2(rotation[2, 1], rotation[2, 2])
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return float(pitch), float(yaw), float(roll)


def pose(coefficients: np.ndarray) -> Pose:
    """The pose part of (239,) coefficients."""
    return Pose(*(float(v) for v in coefficients[SLICES["pose"]]))


def move_pose(coefficients: np.ndarray, target_from_source: np.ndarray) -> np.ndarray:
    """The same face seen in another image: (239,) coefficients of a source image -> those of the target image.

    target_from_source: (2, 3) similarity between image pixels (x right, y down), without reflection.
    """
    a, b = target_from_source[0, 0], target_from_source[1, 0]
    moved = np.array(coefficients, dtype=np.float32, copy=True)
    start = SLICES["pose"].start
    scale = float(np.hypot(a, b))
    moved[start + 2] -= np.arctan2(b, a)  # image angles run clockwise, roll counter-clockwise
    moved[start + 3] *= scale
    place = np.asarray(coefficients[start + 4 : start + 6], np.float64)
    moved[start + 4 : start + 6] = target_from_source[:, :2] @ place + target_from_source[:, 2]
    return moved
