"""Fits the face model to 68 points of one photograph: pose, identity and expression; light and albedo stay 0.

Gauss-Newton on all of them at once. Noise and priors are Gaussian (points `NOISE_MM` off, standard-normal identity,
half-normal expression within its bounds), far-off points count less, and the jaw's points slide with the pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np
from threadpoolctl import ThreadpoolController

from realtime.face.blendshapes import EXPRESSION_NAMES, expression_bounds
from realtime.face.coefficients import COUNT, SLICES, angles_from_rotation
from realtime.face.landmarks import choose_contour
from realtime.face.model import FaceModel

IDENTITIES, SHAPES, CONTOUR = 80, 144, 17


@dataclass(frozen=True)
class FitOptions:
    """noise_mm: how far off a point usually is; smaller trusts the points more. contour: weight of the jaw's points."""

    noise_mm: float = 1.0
    expression_sigma: float = 0.4
    unseen_sigma: float = 0.05  # of shapes that 68 points cannot show
    contour: float = 0.3
    steps: int = 6
    outlier_mm: float = 5.0


# 68 points say nothing about these, or too little to tell them from others.
UNSEEN = ("eyeLook", "pupilDilate", "tongue", "cheekPuff", "cheekRaiser", "cheekSquint", "lipPuff", "nostrilFlare",
          "jawForward")  # fmt: skip
OPPOSITES = (
    ("mouthLeft", "mouthRight"), ("jawLeft", "jawRight"), ("mouthPucker", "mouthFunnel"),
    *((f"{a}{side}", f"{b}{side}") for side in ("Left", "Right") for a, b in (
        ("browDown", "browOuterUp"), ("eyeBlink", "eyeWide"), ("eyeSquint", "eyeWide"), ("mouthSmile", "mouthFrown"),
        ("mouthPress", "mouthStretch"),
    )),
)  # fmt: skip


def fit_landmarks(
    model: FaceModel, points: np.ndarray, weights: np.ndarray | None = None, options: FitOptions | None = None
) -> np.ndarray:
    """(68, 2) pixels of any image, (68,) weights (0 leaves a point out; default all 1) -> (239,) float32 coefficients.

    Raises ValueError when fewer than 8 points have weight or all coincide.
    """
    options = options or FitOptions()
    points = np.asarray(points, np.float64)
    weights = np.ones(68) if weights is None else np.asarray(weights, np.float64).copy()
    usable = (weights > 0) & np.isfinite(points).all(1)
    if usable.sum() < 8 or np.ptp(points[usable], axis=0).max() < 1e-6:
        raise ValueError("a face fit needs at least 8 distinct points")
    points, weights = np.where(usable[:, None], points, 0.0), np.where(usable, weights, 0.0)
    weights[:CONTOUR] *= options.contour
    with _blas().limit(limits=1, user_api="blas"):  # a second thread only spins on matrices this small
        return _descend(model, points, weights, options)


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def landmark_error(model: FaceModel, coefficients: np.ndarray, points: np.ndarray) -> float:
    """Mean distance in pixels over the distance of the outer eye corners."""
    distance = np.linalg.norm(model.landmarks_of(coefficients) - points, axis=1)
    return float(distance.mean() / np.linalg.norm(points[45] - points[36]))


def _descend(model: FaceModel, points: np.ndarray, weights: np.ndarray, options: FitOptions) -> np.ndarray:
    mean, basis = _landmark_basis(model)
    precision, low, high = _priors(options)
    shape = np.zeros(SHAPES)
    rotation, scale, shift = initial_pose(mean[:68], points, weights)
    for step in range(options.steps):
        placed = mean + (basis @ shape)
        chosen = _visible(placed, rotation, scale)
        turned = placed[chosen] @ rotation.T
        error = (points - (scale * turned[:, :2] * [1, -1] + shift)) / scale  # (68, 2) mm
        sure = weights / (1 + (error**2).sum(1) / options.outlier_mm**2) if step > 1 else weights
        pose_rows = _pose_jacobian(turned).reshape(-1, 6)
        shape_rows = ((rotation[:2] * [[1], [-1]]) @ basis[chosen]).reshape(-1, SHAPES)
        residual = error.reshape(-1) + shape_rows @ shape
        pull = (np.repeat(sure, 2) / options.noise_mm**2)[:, None]
        motion, shape = _solve(pose_rows, shape_rows, residual, pull, precision, low, high, shape)
        rotation = _small_rotation(motion[:3]) @ rotation
        # pose columns are in millimetres: growth is relative, the shift is in pixels over scale
        shift = shift + scale * motion[4:]
        scale = scale * (1 + np.clip(motion[3], -0.3, 0.3))
    return _as_coefficients(shape, rotation, scale, shift)


@lru_cache(maxsize=4)
def _landmark_basis(model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) mean and (N, 3, 144) basis, float64, of the 68 landmarks and of the contour's rows."""
    basis = model.landmark_shape.reshape(SHAPES, -1, 3).astype(np.float64)
    return model.landmark_mean.astype(np.float64), np.ascontiguousarray(basis.transpose(1, 2, 0))


def _priors(options: FitOptions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(144, 144) precision, lowest and highest weights; opposite shapes do not like to act together."""
    sigma = np.full(len(EXPRESSION_NAMES), options.expression_sigma)
    sigma[[name.startswith(UNSEEN) for name in EXPRESSION_NAMES]] = options.unseen_sigma
    sigma[EXPRESSION_NAMES.index("browSqueeze")] = options.expression_sigma / 2  # ARKit's brow shapes come first
    low, high = expression_bounds()
    precision = np.diag(np.r_[np.ones(IDENTITIES), 1 / sigma**2])
    for first, second in OPPOSITES:
        i, j = IDENTITIES + EXPRESSION_NAMES.index(first), IDENTITIES + EXPRESSION_NAMES.index(second)
        precision[i, j] = precision[j, i] = 0.45 * np.sqrt(precision[i, i] * precision[j, j])
    return precision, np.r_[np.full(IDENTITIES, -4.0), low], np.r_[np.full(IDENTITIES, 4.0), high]


def initial_pose(mean: np.ndarray, points: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Weak-perspective pose of the rigid (68, 3) mean: affine least squares, then the nearest rotation."""
    rigid = weights.copy()
    rigid[:CONTOUR] = 0
    if (rigid > 0).sum() < 6:
        rigid = weights
    total = rigid.sum()
    model_middle, image_middle = rigid @ mean / total, rigid @ points / total
    a, b = mean - model_middle, (points - image_middle) * [1, -1]
    ridge = 1e-2 * np.eye(3) * (rigid[:, None] * a**2).sum() / 3
    affine = np.linalg.solve((a * rigid[:, None]).T @ a + ridge, (a * rigid[:, None]).T @ b).T  # (2, 3)
    left, strength, right = np.linalg.svd(affine, full_matrices=False)
    two = left @ right
    rotation = np.vstack([two, np.cross(two[0], two[1])])
    scale = max(float(strength.mean()), 1e-6)
    return rotation, scale, image_middle - scale * (rotation[:2] @ model_middle) * [1, -1]


def _visible(placed: np.ndarray, rotation: np.ndarray, scale: float) -> np.ndarray:
    """(68,) rows of the (N, 3) landmarks and contour to compare with: the jaw's points where its outline is."""
    seen = (scale * placed[68:] @ rotation[:2].T * [1, -1]).reshape(CONTOUR, -1, 2)
    _, yaw, roll = angles_from_rotation(rotation)
    columns = choose_contour(seen[..., 0], seen[..., 1], yaw, roll)
    return np.r_[68 + np.arange(CONTOUR) * seen.shape[1] + columns, np.arange(CONTOUR, 68)]


def _pose_jacobian(turned: np.ndarray) -> np.ndarray:
    """(68, 2, 6) d(image mm) / d(turn about x, y, z; growth; shift x, y), at (68, 3) turned points."""
    x, y, z = turned.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    across = np.stack([zero, z, -y, x, one, zero], 1)
    down = np.stack([z, zero, -x, -y, zero, one], 1)
    return np.stack([across, down], 1)


def _solve(
    pose_rows: np.ndarray, shape_rows: np.ndarray, residual: np.ndarray, pull: np.ndarray, precision: np.ndarray,
    low: np.ndarray, high: np.ndarray, start: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(6,) pose step and (144,) shape within bounds; the unbounded pose is eliminated first (Schur complement)."""
    weighted = pose_rows * pull
    pp = weighted.T @ pose_rows + 1e-6 * np.eye(6)
    ps, pr = weighted.T @ shape_rows, weighted.T @ residual
    weighted = shape_rows * pull
    eliminated = np.linalg.solve(pp, np.c_[ps, pr])
    ss = weighted.T @ shape_rows + precision - ps.T @ eliminated[:, :-1]
    sr = weighted.T @ residual - ps.T @ eliminated[:, -1]
    shape = start.copy()
    bounded_descent(ss, sr, low, high, shape, 3)
    # a direct solve where the bounds do not bite: coordinate descent alone is slow along identity's valleys
    free = (shape > low + 1e-9) & (shape < high - 1e-9)
    shape[free] = np.linalg.solve(ss[np.ix_(free, free)], sr[free] - ss[np.ix_(free, ~free)] @ shape[~free])
    shape = np.clip(shape, low, high)
    bounded_descent(ss, sr, low, high, shape, 3)
    return eliminated[:, -1] - eliminated[:, :-1] @ shape, shape


@numba.njit(cache=True, fastmath=True)
def bounded_descent(
    matrix: np.ndarray, right: np.ndarray, low: np.ndarray, high: np.ndarray, x: np.ndarray, sweeps: int
) -> None:
    """Minimise x.A.x / 2 - b.x within bounds by coordinate descent, in place."""
    for _ in range(sweeps):
        for i in range(len(x)):
            gradient = right[i]
            for j in range(len(x)):
                gradient -= matrix[i, j] * x[j]
            x[i] = min(max(x[i] + gradient / matrix[i, i], low[i]), high[i])


def _small_rotation(turn: np.ndarray) -> np.ndarray:
    """Rotation by the vector `turn` (radians), at most 0.5 a step."""
    angle = float(np.linalg.norm(turn))
    if angle < 1e-9:
        return np.eye(3)
    x, y, z = turn / angle
    angle = min(angle, 0.5)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _as_coefficients(shape: np.ndarray, rotation: np.ndarray, scale: float, shift: np.ndarray) -> np.ndarray:
    coefficients = np.zeros(COUNT, np.float32)
    coefficients[:SHAPES] = shape
    coefficients[SLICES["pose"]] = [*angles_from_rotation(rotation), scale, *shift]
    return coefficients
