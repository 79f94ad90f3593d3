"""Figures that several protocols share: landmark errors, areas under curves, overlap of boxes."""

from __future__ import annotations

import numpy as np

OUTER_EYES = (36, 45)
INNER = slice(17, 68)


def normalised_mean_error(points: np.ndarray, truth: np.ndarray, inner: bool = False) -> np.ndarray:
    """(N, 68, 2) twice -> (N,): mean distance over the distance of the true outer eye corners; a fraction, not %.

    inner: only the 51 points without the jaw.
    """
    distance = np.linalg.norm(points - truth, axis=-1)  # (N, 68)
    span = np.linalg.norm(truth[:, OUTER_EYES[0]] - truth[:, OUTER_EYES[1]], axis=-1)
    return (distance[:, INNER] if inner else distance).mean(1) / span


def area_under_cumulative(errors: np.ndarray, limit: float) -> float:
    """Area under the cumulative curve of `errors` up to `limit`, over `limit`: 1 when all errors are 0."""
    return float(np.clip(1.0 - np.asarray(errors) / limit, 0.0, 1.0).mean())


def area_under_roc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Probability that a positive scores above a negative, ties counted half."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(below.mean() / (2 * len(order)))


def mean_distance(points: np.ndarray) -> float:
    """Mean Euclidean distance between the rows of (N, D), N at least 2."""
    squares = (points**2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0))
    return float(distances.sum() / (len(points) * (len(points) - 1)))
