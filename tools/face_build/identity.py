"""Identity components for our topology: the source's statistics, weighed on the face, without what the pose does."""

from __future__ import annotations

import numpy as np


def vertex_areas(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V,) a third of the area of the triangles around each vertex."""
    a, b, c = (positions[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return sum(np.bincount(triangles[:, k], area, len(positions)) for k in range(3))


def without_similarity(offsets: np.ndarray, positions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(K, V, 3) offsets less their best shift, turn and growth: a weak-perspective pose explains those.

    Turn and growth are linearised; weights: (V,) say where the fit counts.
    """
    x, y, z = positions.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    modes = np.stack([
        np.c_[one, zero, zero], np.c_[zero, one, zero], np.c_[zero, zero, one],
        np.c_[zero, -z, y], np.c_[z, zero, -x], np.c_[-y, x, zero], positions,
    ])  # fmt: skip
    flat = modes.reshape(7, -1)
    root = np.repeat(np.sqrt(weights), 3)
    amounts = np.linalg.lstsq((flat * root).T, (offsets.reshape(len(offsets), -1) * root).T, rcond=None)[0]
    return offsets - (amounts.T @ flat).reshape(offsets.shape)


def principal_components(offsets: np.ndarray, weights: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The `count` strongest directions of a sum of (K, V, 3) offsets times independent standard normals.

    Exact (the covariance is known): with weighted offsets U S V^T, the components are U^T offsets, and their
    coefficients are again independent standard normals. Returns (count, V, 3) and the share of variance of each.
    """
    flat = offsets.reshape(len(offsets), -1).astype(np.float64)
    left, strength, _ = np.linalg.svd(flat * np.repeat(np.sqrt(weights), 3), full_matrices=False)
    components = left.T[:count] @ flat
    sign = np.sign(components[np.arange(count), np.abs(components).argmax(1)])
    share = strength**2 / (strength**2).sum()
    return (components * sign[:, None]).reshape(count, *offsets.shape[1:]), share[:count]
