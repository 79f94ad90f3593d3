"""Pulls pose and expression of regressed coefficients towards the 68 points that were seen.

The regressor (paper 3.3) sees the whole face at 160 px and is steady in identity; the landmark network (3.1) sees lids,
lips and outline more sharply. This joins both: the pose is what both together mean (`realtime.correction`), then
Gauss-Newton on eq. 7 over the 68 points finds the expression, with the regressed one as the prior, so that closed eyes
close and the drawn mesh lies on the face. The points alone may not turn the head: they follow lids, lips and jaw.
How far lids and lips are apart is believed more than where they are: both of a pair err alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.correction import normals_of
from realtime.face.blendshapes import EXPRESSION_NAMES, expression_bounds
from realtime.face.coefficients import SLICES, angles_from_rotation, pose, rotation_matrix
from realtime.face.model import FaceModel

EXPRESSION, POSE = SLICES["expression"], SLICES["pose"]
LIPS_APART = np.array([(61, 67), (62, 66), (63, 65)])  # upper and lower landmarks of the mouth
LIDS_APART = np.array([(37, 41), (38, 40), (43, 47), (44, 46)])
ABOVE, BELOW = np.concatenate([LIPS_APART, LIDS_APART]).T
LIDS = np.array([name.startswith("eyeBlink") for name in EXPRESSION_NAMES])
BROWS = np.array([name.startswith(("browDown", "browInnerUp", "browOuterUp")) for name in EXPRESSION_NAMES])
# what lips and lids show clearly; the 68 points hardly tell the others apart, which would soak up their errors
SHOWN = np.array(
    [
        name.startswith(("jawOpen", "mouthSmile", "mouthFrown", "mouthFunnel", "mouthPucker", "mouthClose"))
        or name.startswith(("mouthUpperUp", "mouthLowerDown", "eyeSquint", "eyeWide"))
        for name in EXPRESSION_NAMES
    ]
)


@dataclass(frozen=True, slots=True)
class AnchorSettings:
    """How far each side is believed.

    point: standard deviation of a landmark, over the eye distance; jaw points are `jaw` times worse across the outline
    and `along` times along it, where they are spread evenly between ear and chin: an open mouth pulls them all down.
    expression: of a regressed weight that the points show; hidden: of one that they hardly show; brows: of theirs;
    lids: of a blink, which the regressor at 160 px hardly sees.
    angle: of a corrected angle, radians. scale: of the logarithm of the scale. place: of the position, mm.
    lips_apart, lids_apart: of the distance between two points of a pair, over the eye distance.
    steps: Gauss-Newton steps.
    """

    point: float = 0.06
    jaw: float = 3.0
    along: float = 30.0
    expression: float = 0.15
    hidden: float = 0.02
    brows: float = 0.05
    lids: float = 1.0
    angle: float = 0.01
    scale: float = 0.03
    place: float = 0.5
    lips_apart: float = 0.02
    lids_apart: float = 0.008
    steps: int = 2


def anchor(
    model: FaceModel, coefficients: np.ndarray, landmarks: np.ndarray, settings: AnchorSettings | None = None
) -> np.ndarray:
    """(239,) coefficients and (68, 2) landmarks of the same image -> (239,) with pose and expression between both."""
    settings = settings or AnchorSettings()
    eye_distance = max(float(np.linalg.norm(landmarks[45] - landmarks[36])), 1.0)
    whiten = _whitening(landmarks, settings) / (settings.point * eye_distance)
    apart = np.repeat((settings.lips_apart, settings.lids_apart), (len(LIPS_APART), len(LIDS_APART))) * eye_distance
    believed = np.where(SHOWN, settings.expression, np.where(BROWS, settings.brows, settings.hidden))
    believed = np.where(LIDS, settings.lids, believed)
    placed = 1 / (settings.place * max(float(coefficients[POSE][3]), 1e-3))
    prior = np.r_[1 / believed, np.full(3, 1 / settings.angle), 1 / settings.scale, placed, placed]
    low, high = expression_bounds()
    start = coefficients.astype(np.float64)
    start[POSE.start + 3] = max(start[POSE.start + 3], 1e-3)  # a scale that no face has would have no logarithm
    start_rotation = pose(start).rotation
    now = start.copy()
    for _ in range(settings.steps):
        points, jacobian = _seen(model, now)
        missed, change = landmarks - points, jacobian.reshape(68, 2, 70)
        gaps, gap_change = _between(missed, change, apart)
        residual = np.r_[(whiten @ missed[:, :, None]).ravel(), gaps]
        jacobian = np.concatenate([(whiten @ change).reshape(136, 70), gap_change])
        grown = np.log(now[POSE][3] / start[POSE][3])
        shifted = now[POSE][4:] - start[POSE][4:]
        away = np.r_[now[EXPRESSION] - start[EXPRESSION], _turn(start_rotation, now), grown, shifted]
        normal = jacobian.T @ jacobian + np.diag(prior**2 + 1e-9)
        step = np.linalg.solve(normal, jacobian.T @ residual - prior**2 * away)
        now[EXPRESSION] = np.clip(now[EXPRESSION] + step[:64], low, high)
        _turn_and_move(now, step[64:])
    return now.astype(np.float32)


def _between(missed: np.ndarray, change: np.ndarray, apart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Errors (14,) and Jacobian (14, 70) of the vectors between the points of every pair, in their deviations `apart`
    (7,), out of those of the points, (68, 2) and (68, 2, 70). A gap says nothing of the pose."""
    errors = (missed[ABOVE] - missed[BELOW]) / apart[:, None]
    changes = (change[ABOVE] - change[BELOW]) / apart[:, None, None]
    changes[..., 64:] = 0
    return errors.ravel(), changes.reshape(-1, 70)


def _whitening(landmarks: np.ndarray, settings: AnchorSettings) -> np.ndarray:
    """(68, 2, 2) that makes the errors of all points alike: rows of the jaw's points are along and across its line."""
    whiten = np.tile(np.eye(2), (68, 1, 1))
    across = normals_of(landmarks[:17])
    whiten[:17, 0] = across[:, ::-1] * (1, -1) / settings.along
    whiten[:17, 1] = across / settings.jaw
    return whiten


def _seen(model: FaceModel, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(68, 2) landmarks; (136, 70) their change with expression, a small turn about x, y, z, log scale, x, y."""
    seen_at = pose(coefficients)
    chosen = model.landmark_vertices(coefficients)
    shape = model.shape.reshape(len(model.shape), -1, 3)[:, chosen]  # (144, 68, 3)
    offsets = coefficients[: EXPRESSION.stop].astype(np.float32) @ shape.reshape(len(shape), -1)
    turned = (model.mean[chosen] + offsets.reshape(-1, 3)) @ seen_at.rotation.T * seen_at.scale
    x, y, z = turned.T  # y up
    to_image = (seen_at.scale * seen_at.rotation[:2] * np.array([[1], [-1]])).astype(np.float32)
    change, zero = np.zeros((68, 2, 70)), np.zeros(68)
    change[:, :, :64] = (shape[EXPRESSION] @ to_image.T).transpose(1, 2, 0)
    # d(w x p): turning about camera axes x, y, z; image y runs down
    change[:, 0, 64:67] = np.stack([zero, z, -y], 1)
    change[:, 1, 64:67] = np.stack([z, zero, -x], 1)
    change[:, 0, 67], change[:, 1, 67] = x, -y
    change[:, 0, 68], change[:, 1, 69] = 1, 1
    return np.stack([x + seen_at.x, seen_at.y - y], 1), change.reshape(136, 70)


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
