"""Cartoon proportions: one smooth map of space, so that every expression bends along with the head.

Millimetres, x to the subject's left, y up, z forward, the origin between the eyes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Warp = Callable[[np.ndarray], np.ndarray]


INNER_MM = 17.0  # x of the eyes' inner corners


@dataclass(frozen=True)
class Swelling:
    """Grows everything around `centre` by `factor`, whole within `inner` mm, fading out at `outer`.

    side: only on this side of the middle (sign of x), fading within `seam` mm; 0: on both.
    """

    centre: tuple[float, float, float]
    factor: float
    inner: float
    outer: float
    side: int = 0
    seam: float = 17.0

    def __call__(self, points: np.ndarray) -> np.ndarray:
        around = points - np.array(self.centre)
        distance = np.linalg.norm(around, axis=-1, keepdims=True)
        share = 1 - smooth((distance - self.inner) / (self.outer - self.inner))
        if self.side:
            share = share * smooth(self.side * points[..., :1] / self.seam)
        return points + around * (self.factor - 1) * share


def smooth(x: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, without a kink between."""
    t = np.clip(x, 0, 1)
    return t * t * (3 - 2 * t)


def proportions(points: np.ndarray) -> np.ndarray:
    """A short, narrow lower face, a slim neck, full cheeks."""
    x, y, z = np.moveaxis(points, -1, 0)
    below = smooth((-30 - y) / 85)
    neck = smooth((-95 - y) / 60) * smooth((10 - z) / 40)
    cheeks = np.exp(-(((np.abs(x) - 46) / 22) ** 2) - ((y + 48) / 24) ** 2)
    slim = (1 - 0.10 * below) * (1 - 0.22 * neck)
    short = np.where(y < -25, -25 + (y + 25) * 0.86, y)
    return np.stack([x * slim * (1 + 0.05 * cheeks), short, (z + 60) * (1 - 0.12 * neck) - 60 + 3 * cheeks], axis=-1)


def stylised(eyes: tuple[np.ndarray, np.ndarray], eye_factor: float) -> Warp:
    """The whole map. eyes: centres (3,) of the left and the right eyeball."""
    left, right = (eye.tolist() for eye in eyes)
    steps: tuple[Warp, ...] = (
        Swelling((INNER_MM, left[1], left[2]), eye_factor, 31, 78, 1),  # outwards from the inner corners of the eyes
        Swelling((-INNER_MM, right[1], right[2]), eye_factor, 31, 78, -1),
        proportions,
    )  # type: ignore[assignment]

    def warp(points: np.ndarray) -> np.ndarray:
        moved = np.asarray(points, np.float64)
        for step in steps:
            moved = step(moved)
        return moved

    return warp


def smoothed(vertices: np.ndarray, triangles: np.ndarray, still: np.ndarray, times: int) -> np.ndarray:
    """(V, 3): wrinkles and bones ironed out, each vertex drawn towards its neighbours' mean; `still` (V,) ones stay."""
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs = np.unique(np.concatenate([sides, sides[:, ::-1]]), axis=0)
    count = np.bincount(pairs[:, 0], minlength=len(vertices))[:, None]
    border = np.zeros(len(vertices), bool)
    edges, uses = np.unique(np.sort(sides, axis=1), axis=0, return_counts=True)
    border[edges[uses == 1]] = True
    free = ~(still | border)[:, None]
    for _ in range(times):
        total = np.stack([np.bincount(pairs[:, 0], vertices[pairs[:, 1], k], len(vertices)) for k in range(3)], axis=1)
        vertices = vertices + free * 0.5 * (total / np.maximum(count, 1) - vertices)
    return vertices


def carried(warp: Warp, points: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(..., V, 3) offsets of (V, 3) points as they are in the warped space."""
    return warp(points + offsets) - warp(points)
