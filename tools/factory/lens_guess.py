"""Which triangles of an eyeglasses model are its lenses, when names and opacity do not tell: the two filled sheets."""

from __future__ import annotations

import re

import numpy as np
from numba import njit

LENS = re.compile(r"lens|linse|lente|verre|vidro|transp|cristal|\bglass\b|glass_|_glass$|^glass(?!es)", re.IGNORECASE)
NOT_LENS = re.compile(r"frame|rim|temple|metal|plastic|hinge|screw|bridge|nose|pad|arm|leg", re.IGNORECASE)


def names_a_lens(name: str) -> bool:
    """True for "Lens_L" or "glass", not for "Sunglasses" or "glass frame"."""
    return bool(LENS.search(name)) and not NOT_LENS.search(name)


def plausible_lenses(vertices: np.ndarray, triangles: np.ndarray, glass: np.ndarray) -> bool:
    """Whether marked triangles (F,) bool of an upright model of 140 mm lie in front, on both sides, and leave a rim."""
    if not glass.any() or glass.all():
        return False
    centres = vertices[triangles[glass]].mean(1)
    spread = np.ptp(centres, axis=0)
    return bool(spread[2] < 45 and 50 < spread[0] < 138 and centres[:, 0].min() < -10 < 10 < centres[:, 0].max())


def guess_lenses(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(F,) bool: connected sheets of a lens's size and place that fill their outline (a rim does not).

    vertices (V, 3) mm, upright, the front at z = 0, the bridge at x = 0.
    """
    _, welded = np.unique(np.round(vertices, 2), axis=0, return_inverse=True)
    component = _components(welded.reshape(-1)[triangles], int(welded.max()) + 1)
    glass = np.zeros(len(triangles), bool)
    for number in np.unique(component):
        own = component == number
        corners = vertices[triangles[own]]  # (n, 3, 3)
        points = corners.reshape(-1, 3)
        low, high = points.min(0), points.max(0)
        width, height, depth = high - low
        middle = (low + high) / 2
        size = 28 < width < 76 and 16 < height < 66 and depth < 22
        if size and 15 < abs(middle[0]) < 50 and middle[2] > -35 and _filled(corners, low, width, height) > 0.55:
            glass |= own
    return glass


def _filled(corners: np.ndarray, low: np.ndarray, width: float, height: float) -> float:
    """Share of the bounding box that triangles cover, seen from the front, on a grid of 24 x 24."""
    grid = np.zeros((24, 24), bool)
    steps = np.linspace(0, 1, 9)
    u, v = (w.ravel() for w in np.meshgrid(steps, steps))
    inside = u + v <= 1
    u, v = u[inside], v[inside]
    weights = np.stack([1 - u - v, u, v])  # (3, samples of one triangle)
    samples = np.einsum("nkc,ks->nsc", corners, weights)
    cells = ((samples[..., :2] - low[:2]) / (width, height) * 23.999).astype(int).reshape(-1, 2)
    grid[cells[:, 1], cells[:, 0]] = True
    return float(grid.mean())


@njit(cache=True)
def _components(triangles, count):  # type: ignore[no-untyped-def]
    """(F,) number of the connected component of each triangle, by union of its corners."""
    parent = np.arange(count)
    for f in range(len(triangles)):
        for k in range(2):
            a, b = triangles[f, k], triangles[f, k + 1]
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            if a != b:
                parent[b] = a
    result = np.empty(len(triangles), np.int64)
    for f in range(len(triangles)):
        a = triangles[f, 0]
        while parent[a] != a:
            a = parent[a]
        result[f] = a
    return result
