"""Strips that lie on the skin and move with it: brows, lashes, locks of hair."""

from __future__ import annotations

import numpy as np

from realtime.face.mesh import vertex_normals
from tools.avatar_build.solids import Colour, Solid, plain, sheet

ACROSS = 5  # vertices from edge to edge
SUNK_MM = -0.15  # of the edges, so that no gap shows


def strip(
    skin: Solid, curve: np.ndarray, width: np.ndarray, height: float, colour: Colour, steps: int = 14
) -> Solid:
    """A rounded strip along `curve` (n, 2), in x and y as seen from the front, `width` (n,) mm wide at its points.

    It lies on the foremost skin there, `height` mm high in the middle, and takes the skin's shapes with it.
    """
    t, fine = np.linspace(0, 1, len(curve)), np.linspace(0, 1, steps)
    line = np.stack([_through(t, curve[:, k], fine) for k in (0, 1)], axis=1)
    wide = np.interp(fine, t, width)
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    place = np.linspace(-0.5, 0.5, ACROSS)
    flat = line[None] + place[:, None, None] * (wide[:, None] * across)[None]  # (ACROSS, steps, 2)
    corners, weights = foremost(skin, flat.reshape(-1, 2))
    resting = (skin.vertices[corners] * weights[..., None]).sum(1)
    lift = height * (1 - (2 * place) ** 2)[:, None] * np.minimum(1, wide / max(wide.max(), 1e-6) * 1.5)[None]
    outwards = vertex_normals(skin.vertices.astype(np.float32), skin.triangles.astype(np.int32))
    outwards = (outwards[corners] * weights[..., None]).sum(1)
    resting += (lift + SUNK_MM).reshape(-1, 1) * outwards
    moved = (skin.shapes[:, corners] * weights[None, ..., None]).sum(2)
    triangles = sheet(resting.reshape(ACROSS, steps, 3))
    return Solid(resting, triangles, plain(len(resting), colour), moved)


def _through(t: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """A smooth curve through a few values: the polynomial of degree three or less that lies nearest."""
    return np.polyval(np.polyfit(t, values, min(3, len(t) - 1)), at)


def foremost(skin: Solid, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) corners and weights of the foremost triangle at (N, 2) points; beside the skin, of its nearest vertex."""
    a, b, c = (skin.vertices[skin.triangles[:, k]] for k in range(3))
    corners, weights = np.zeros((len(points), 3), int), np.zeros((len(points), 3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    front = area > 1e-9
    for k, (x, y) in enumerate(points):
        with np.errstate(divide="ignore", invalid="ignore"):
            v = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (y - a[:, 1]) * (c[:, 0] - a[:, 0])) / area
            w = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (b[:, 1] - a[:, 1]) * (x - a[:, 0])) / area
        inside = np.flatnonzero(front & (v >= 0) & (w >= 0) & (v + w <= 1))
        if len(inside):
            depth = a[inside, 2] + v[inside] * (b - a)[inside, 2] + w[inside] * (c - a)[inside, 2]
            best = inside[np.argmax(depth)]
            corners[k], weights[k] = skin.triangles[best], (1 - v[best] - w[best], v[best], w[best])
        else:
            away = ((skin.vertices[:, :2] - (x, y)) ** 2).sum(1) - 1e-3 * skin.vertices[:, 2]
            corners[k], weights[k] = np.argmin(away), (1, 0, 0)
    return corners, weights
