"""What the networks misread, as far as it can be learnt: one linear step from what they say of a face to what is.

An open jaw, a turned head or a nod shifts the 68 points of N_L and the coefficients of N_r together and in the same
way on everyone: the nose's points climb when the jaw drops, wide mouths read as half open, turned faces pucker. On
synthetic heads the truth is known, so that one linear step from both answers to pose and expression, as in supervised
descent (Xiong and De la Torre 2013), is fitted there by `python -m tools.correction`, anew for new weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from realtime.face.blendshapes import expression_bounds
from realtime.face.coefficients import SLICES, angles_from_rotation, pose, rotation_matrix
from realtime.face.model import FaceModel

EXPRESSION, POSE = SLICES["expression"], SLICES["pose"]
JAW = 17  # the first points, which slide along the outline: only what they say across it is used
MOST_TURN, MOST_SHIFT_MM = float(np.radians(15)), 15.0  # bounds of what is believed


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What both networks say of one face, seen upright, in the head's millimetres.

    apart: (68, 2) from the model's points, posed as regressed, to N_L's; x right, y down. across: (17, 2) unit normals
    of the outline there. expression: (64,) as regressed. pitch, yaw: radians, as regressed.
    """

    apart: np.ndarray
    across: np.ndarray
    expression: np.ndarray
    pitch: float
    yaw: float

    def features(self) -> np.ndarray:
        """(190,) float64: what the step is linear in."""
        outline = (self.apart[:JAW] * self.across).sum(1)
        return np.r_[outline, self.apart[JAW:].ravel(), self.expression, turn_features(self.pitch, self.yaw)]


def turn_features(pitch: float, yaw: float) -> np.ndarray:
    """(7,): 1, yaw, its size, its square, pitch, its square, their product; radians, the sizes smooth at 0."""
    return np.array([1.0, yaw, np.hypot(yaw, 0.1) - 0.1, yaw * yaw, pitch, pitch * pitch, yaw * pitch])


def read(model: FaceModel, coefficients: np.ndarray, landmarks: np.ndarray) -> Reading:
    """(239,) as regressed and (68, 2) points, both in pixels of one image."""
    here = pose(coefficients)
    upright = upright_from_image(here.roll)
    scale = max(here.scale, 1e-3)
    points = (np.asarray(landmarks, np.float64) - (here.x, here.y)) @ upright.T / scale
    modelled = (model.landmarks_of(coefficients).astype(np.float64) - (here.x, here.y)) @ upright.T / scale
    return Reading(
        points - modelled, normals_of(points[:JAW]), coefficients[EXPRESSION].astype(np.float64), here.pitch, here.yaw
    )


def normals_of(outline: np.ndarray) -> np.ndarray:
    """(n, 2) points of a line -> (n, 2) unit normals."""
    along = np.gradient(np.asarray(outline, np.float64), axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    return along[:, ::-1] * (-1, 1)


def upright_from_image(roll: float) -> np.ndarray:
    """(2, 2) turn of image vectors (y down) that sets a head of this roll upright."""
    cos, sin = np.cos(roll), np.sin(roll)
    return np.array([[cos, -sin], [sin, cos]])


@dataclass(frozen=True, eq=False)
class Correction:
    """step: (190, 69) features -> turn about the upright head's camera axes x, y, z in radians, shift right and down in
    mm, change of the 64 expressions.
    """

    step: np.ndarray

    def applied(self, model: FaceModel, coefficients: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """(239,), (68, 2) of one image -> (239,) with the pose and the expression that both answers together mean."""
        change = read(model, coefficients, landmarks).features() @ self.step
        turn = np.clip(change[:3], -MOST_TURN, MOST_TURN)
        shift_mm = np.clip(change[3:5], -MOST_SHIFT_MM, MOST_SHIFT_MM)
        here = pose(coefficients)
        rotation = rotation_matrix(0, 0, here.roll) @ rotation_matrix(*turn) @ rotation_matrix(here.pitch, here.yaw, 0)
        corrected = np.array(coefficients, np.float32)
        corrected[POSE.start : POSE.start + 3] = angles_from_rotation(rotation)
        corrected[POSE.start + 4 :] += here.scale * (upright_from_image(here.roll).T @ shift_mm)
        corrected[EXPRESSION] = np.clip(corrected[EXPRESSION] + change[5:], *expression_bounds())
        return corrected


@lru_cache(maxsize=1)
def load_correction() -> Correction:
    """What was learnt of the networks that ship."""
    with (files("realtime.face") / "assets" / "correction.npz").open("rb") as asset, np.load(asset) as arrays:
        return Correction(arrays["step"].astype(np.float64))
