"""Pulls pose and expression of regressed coefficients towards the 68 points that were seen.

The regressor (paper 3.3) sees the whole face at 160 px and is steady in identity; the landmark network (3.1) sees lids,
lips and outline more sharply. This joins both: Gauss-Newton on eq. 7 over the 68 points, with the regressed values as
the prior, so that closed eyes close and the drawn mesh lies on the face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.face.blendshapes import EXPRESSION_NAMES, expression_bounds
from realtime.face.coefficients import SLICES, angles_from_rotation, pose, rotation_matrix
from realtime.face.landmarks import choose_contour
from realtime.face.model import FaceModel

EXPRESSION, POSE = SLICES["expression"], SLICES["pose"]
LIDS = np.array([name.startswith("eyeBlink") for name in EXPRESSION_NAMES])


@dataclass(frozen=True, slots=True)
class AnchorSettings:
    """How far each side is believed.

    point: standard deviation of a landmark, over the eye distance; jaw points, which slide, are `jaw` times worse.
    expression: of a regressed weight; lids: of a blink, which the regressor at 160 px hardly sees.
    angle: of a regressed angle, radians. scale: of the logarithm of the scale. Position is left to the points.
    steps: Gauss-Newton steps.
    """

    point: float = 0.025
    jaw: float = 3.0
    expression: float = 0.3
    lids: float = 1.0
    angle: float = 0.12
    scale: float = 0.1
    steps: int = 2


def anchor(
    model: FaceModel, coefficients: np.ndarray, landmarks: np.ndarray, settings: AnchorSettings | None = None
) -> np.ndarray:
    """(239,) coefficients and (68, 2) landmarks of the same image -> (239,) with pose and expression between both."""
    settings = settings or AnchorSettings()
    eye_distance = max(float(np.linalg.norm(landmarks[45] - landmarks[36])), 1.0)
    spread = np.full(68, settings.point * eye_distance)
    spread[:17] *= settings.jaw
    weight = np.repeat(1 / spread, 2)
    believed = np.where(LIDS, settings.lids, settings.expression)
    prior = np.r_[1 / believed, np.full(3, 1 / settings.angle), 1 / settings.scale, 0.0, 0.0]
    low, high = expression_bounds()
    start = coefficients.astype(np.float64)
    start_rotation = pose(start).rotation
    now = start.copy()
    for _ in range(settings.steps):
        residual = (landmarks - model.landmarks_of(now)).ravel() * weight
        jacobian = _jacobian(model, now) * weight[:, None]
        grown = np.log(now[POSE][3] / start[POSE][3])
        away = np.r_[now[EXPRESSION] - start[EXPRESSION], _turn(start_rotation, now), grown, 0, 0]
        normal = jacobian.T @ jacobian + np.diag(prior**2 + 1e-9)
        step = np.linalg.solve(normal, jacobian.T @ residual - prior**2 * away)
        now[EXPRESSION] = np.clip(now[EXPRESSION] + step[:64], low, high)
        _turn_and_move(now, step[64:])
    return now.astype(np.float32)


def _jacobian(model: FaceModel, coefficients: np.ndarray) -> np.ndarray:
    """(136, 70): change of the 68 pixels with expression, a small turn about the three axes, log scale, x, y."""
    seen_at = pose(coefficients)
    to_image = seen_at.scale * seen_at.rotation[:2] * np.array([[1], [-1]])  # (2, 3)
    offsets = coefficients[: EXPRESSION.stop].astype(np.float32) @ model.landmark_shape
    points = (model.landmark_mean + offsets.reshape(-1, 3)) @ seen_at.rotation.T * seen_at.scale  # y up
    chosen = _rows_seen(points, seen_at.roll)
    basis = model.landmark_shape[EXPRESSION].reshape(64, -1, 3)[:, chosen]  # (64, 68, 3)
    out = np.zeros((68, 2, 70))
    out[:, :, :64] = (basis @ to_image.T.astype(np.float32)).transpose(1, 2, 0)
    x, y, z = points[chosen].T
    zero = np.zeros(68)
    # d(w x p): turning about camera axes x, y, z; image y runs down
    out[:, 0, 64:67] = np.stack([zero, z, -y], 1)
    out[:, 1, 64:67] = np.stack([z, zero, -x], 1)
    out[:, 0, 67], out[:, 1, 67] = x, -y
    out[:, 0, 68], out[:, 1, 69] = 1, 1
    return out.reshape(136, 70)


def _rows_seen(points: np.ndarray, roll: float) -> np.ndarray:
    """(68,) rows of `FaceModel.landmark_mean` that are the landmarks now; the jaw's slide along their contour."""
    contour = points[68:].reshape(17, -1, 3)
    rows = np.arange(68)
    rows[:17] = 68 + np.arange(17) * contour.shape[1] + choose_contour(contour[..., 0], -contour[..., 1], roll)
    return rows


def _turn(start_rotation: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """(3,) rotation vector from the start to the present pose; exact to second order, which small turns allow."""
    between = pose(coefficients).rotation @ start_rotation.T
    return 0.5 * np.array([between[2, 1] - between[1, 2], between[0, 2] - between[2, 0], between[1, 0] - between[0, 1]])


def _turn_and_move(coefficients: np.ndarray, step: np.ndarray) -> None:
    """Apply (6,) turn about x, y, z, change of log scale, shift in x and y, in place."""
    angle = float(np.linalg.norm(step[:3]))
    turn = np.eye(3)
    if angle > 1e-9:
        x, y, z = step[:3] / angle
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        turn = turn + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    start = POSE.start
    coefficients[start : start + 3] = angles_from_rotation(turn @ rotation_matrix(*coefficients[start : start + 3]))
    coefficients[start + 3] *= np.exp(np.clip(step[3], -0.5, 0.5))
    coefficients[start + 4 : start + 6] += step[4:6]
