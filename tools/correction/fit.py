"""Ridge regression of `realtime.correction`'s step from observed heads, each also seen in a mirror."""

from __future__ import annotations

import numpy as np

from realtime.align import MIRROR
from realtime.correction import JAW, Reading, read, turn_features, upright_from_image
from realtime.face.blendshapes import EXPRESSION_NAMES, SIGNED
from realtime.face.coefficients import SLICES, angles_from_rotation, pose, rotation_matrix
from realtime.face.model import FaceModel
from tools.correction.observe import Observations

# of features in units of their spread; half to twice as much differs by less than 3 % on people who were left out
POSE_RIDGE, EXPRESSION_RIDGE = 0.5, 0.1
# What hardly varies on synthetic heads may vary on photographs: it counts as if it varied by this (mm, weight, turn).
LEAST_SPREAD = np.r_[np.full(119, 1.0), np.full(64, 0.15), np.full(7, 0.1)]
EXPRESSION = SLICES["expression"]
LIDS_AND_BROWS = np.r_[17:27, 37, 38, 40, 41, 43, 44, 46, 47]
POSE_WEIGHTS = ("jaw", "mouthSmile", "mouthFunnel", "mouthPucker", "mouthLowerDown", "mouthUpperUp", "mouthClose")
MIRRORED_STEP = np.array([1.0, -1.0, -1.0, -1.0, 1.0])  # pitch, yaw, roll, right, down


def learn(model: FaceModel, seen: Observations, ease: float = 1.0) -> np.ndarray:
    """(190, 69) float32 step of `realtime.correction.Correction`. ease: multiplies both ridges."""
    readings = [read(model, *one) for one in zip(seen.regressed, seen.points, strict=True)]
    steps = np.array([step_to(*one) for one in zip(seen.regressed, seen.truth, strict=True)])
    features = np.array([one.features() for one in readings] + [mirrored(one).features() for one in readings])
    wanted = np.concatenate([steps, mirrored_steps(steps)])
    step = ridge_regression(features, wanted, ease * EXPRESSION_RIDGE)
    rigid = rigid_features()
    step[:, :5] = 0
    step[rigid, :5] = ridge_regression(features, wanted[:, :5], ease * POSE_RIDGE, rigid)
    return step.astype(np.float32)


def rigid_features() -> np.ndarray:
    """(190,) bool: what may speak of the pose. Lids and brows move on their own; the mouth tells what it does to the
    rest, and so do the weights that the networks show clearly."""
    moving = np.isin(np.arange(JAW, 68), LIDS_AND_BROWS)
    shown = [name.startswith(POSE_WEIGHTS) for name in EXPRESSION_NAMES]
    return np.r_[np.ones(JAW, bool), np.repeat(~moving, 2), shown, np.ones(len(turn_features(0.0, 0.0)), bool)]


def ridge_regression(
    features: np.ndarray, wanted: np.ndarray, ridge: float, used: np.ndarray | None = None
) -> np.ndarray:
    """(n, 190) features, one of them constant, and (n, m) -> (k, m) for the k `used`; the constant is not shrunk."""
    used = np.ones(features.shape[1], bool) if used is None else used
    features = features[:, used]
    constant = features.std(0) < 1e-9
    spread = np.where(constant, 1.0, np.maximum(features.std(0), LEAST_SPREAD[used]))
    unit = features / spread
    damp = np.diag(np.where(constant, 1e-9, ridge))
    return np.linalg.solve(unit.T @ unit / len(unit) + damp, unit.T @ wanted / len(unit)) / spread[:, None]


def step_to(regressed: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(69,) from one (239,) to another of the same image: turn, shift, expression, as `Correction.step` gives them."""
    here, there = pose(regressed), pose(truth)
    level = rotation_matrix(0, 0, here.roll)
    turn = angles_from_rotation(level.T @ there.rotation @ here.rotation.T @ level)
    shift_mm = upright_from_image(here.roll) @ np.array([there.x - here.x, there.y - here.y]) / here.scale
    return np.r_[turn, shift_mm, truth[EXPRESSION] - regressed[EXPRESSION]]


def mirrored(reading: Reading) -> Reading:
    """What the networks would say of the mirror image."""
    across = reading.across[::-1] * (-1, 1)
    assert len(across) == JAW
    expression = reading.expression[OTHER_SIDE] * TURNS_SIGN
    return Reading(reading.apart[MIRROR] * (-1, 1), across, expression, reading.pitch, -reading.yaw)


def mirrored_steps(steps: np.ndarray) -> np.ndarray:
    """(n, 69) -> the same of mirror images."""
    return np.c_[steps[:, :5] * MIRRORED_STEP, steps[:, 5:][:, OTHER_SIDE] * TURNS_SIGN]


def _other_side(name: str) -> str:
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    return name.removesuffix("Right") + "Left" if name.endswith("Right") else name


OTHER_SIDE = np.array([EXPRESSION_NAMES.index(_other_side(name)) for name in EXPRESSION_NAMES])
TURNS_SIGN = np.array([-1.0 if name in SIGNED else 1.0 for name in EXPRESSION_NAMES])
