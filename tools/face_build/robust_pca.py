"""Principal components of incomplete, partly spoilt observations."""

from __future__ import annotations

import numpy as np

REFERENCE = 12  # components that fill the gaps and tell outliers: few, so that they cannot draw glasses
OUTLIER = 0.10  # 0..1 RGB; an observation that far from what the others explain counts half


def robust_components(
    rows: np.ndarray, weights: np.ndarray, count: int, rounds: int = 4
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (D,), `count` components (count, D) for standard-normal coefficients, and how odd each row is (N,).

    rows: (N, D) float32, D = 3 M channels; weights: (N, M) 0..1 how well each vertex was seen. Gaps and outliers are
    filled with what the REFERENCE strongest components say (iterated), then the rest is ordinary PCA.
    """
    weights = weights.astype(np.float32)
    seen = np.repeat(weights, 3, axis=1)
    mean = (rows * seen).sum(0) / np.maximum(seen.sum(0), 1e-3)
    filled = seen * rows + (1 - seen) * mean
    trust, oddness = weights, np.zeros(len(rows), np.float32)
    for _ in range(rounds):
        mean = filled.mean(0)
        components, coefficients = decompose(filled - mean, REFERENCE)
        said = mean + coefficients @ components
        distance = np.abs(rows - said).reshape(len(rows), -1, 3).mean(2)
        trust = weights / (1 + (distance / OUTLIER) ** 2)
        oddness = (weights * np.minimum(distance, 0.5)).sum(1) / np.maximum(weights.sum(1), 1e-3)
        wide = np.repeat(trust, 3, axis=1)
        filled = wide * rows + (1 - wide) * said
    mean = filled.mean(0)
    components, _ = decompose(filled - mean, count)
    return mean, components, oddness


def decompose(centred: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, D) -> components (count, D) for standard-normal coefficients (N, count); through (N, N) products."""
    values, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    values, vectors = values[::-1][:count], vectors[:, ::-1][:, :count]
    strength = np.sqrt(np.maximum(values, 1e-12))
    directions = (vectors / strength).T.astype(np.float32) @ centred  # unit rows
    sigma = (strength / np.sqrt(len(centred))).astype(np.float32)[:, None]
    return directions * sigma, (vectors * np.sqrt(len(centred))).astype(np.float32)
