"""A picture of the learnt albedo: the mean, then the first components at +2 and -2 standard deviations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from realtime.face.camera import project
from realtime.face.coefficients import Pose
from realtime.face.light import directional, shade
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel
from shaders.software import rasterise

TILE = 160
SHOWN = 10


def albedo_sheet(model: FaceModel) -> np.ndarray:
    """(2 TILE, (SHOWN + 1) TILE, 3) uint8 RGB: above the mean and +2 sigma, below the lit mean and -2."""
    basis = model.albedo.reshape(len(model.albedo), -1, 3)
    show = _painter(model)
    normals = vertex_normals(model.mean, model.triangles)
    lit = shade(normals, directional(np.array([0.4, 0.5, 0.8]), 0.6, 0.5))[:, None]
    rows = [[show(model.albedo_mean)], [show(model.albedo_mean * lit)]]
    for row, sign in zip(rows, (2, -2), strict=True):
        row += [show(model.albedo_mean + sign * basis[k]) for k in range(SHOWN)]
    return np.vstack([np.hstack(row) for row in rows])


def _painter(model: FaceModel) -> Callable[[np.ndarray], np.ndarray]:
    """Draws the mean head in (V, 3) colours."""
    placed = project(model.mean, Pose(0, 0, 0, TILE / 215, TILE / 2, TILE * 0.42))
    _, triangle, weights = rasterise(placed, model.triangles, (TILE, TILE), cull=True)
    hit = triangle >= 0
    corners, inside = model.triangles[triangle[hit]], weights[hit][:, :, None]

    def show(colours: np.ndarray) -> np.ndarray:
        picture = np.full((TILE, TILE, 3), 24, np.uint8)
        picture[hit] = np.clip((colours[corners] * inside).sum(1) * 255, 0, 255)
        return picture

    return show
