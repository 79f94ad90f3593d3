"""The UV atlas as pictures: painting vertex colours into it, and unwrapping a photograph into it.

Texel (row, column) of a (T, T) atlas is at u = (column + 0.5) / T, v = (row + 0.5) / T.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numba
import numpy as np

from realtime.face.model import FaceModel
from realtime.face.regions import FACE_SKIN
from shaders.software import EMPTY, rasterise, scan

DEPTH_CELLS = 64  # side of the coarse depth picture that tells what hides what
HIDDEN = 0.03  # of the face's height: a texel that much behind what is seen there is hidden


@dataclass(frozen=True, eq=False)
class Atlas:
    """triangle: (T, T) int32 numbers into `corners` (F, 3), -1 outside; weights: (T, T, 3) float32 barycentric."""

    triangle: np.ndarray
    weights: np.ndarray
    corners: np.ndarray


@lru_cache(maxsize=4)
def atlas_of(model: FaceModel, size: int) -> Atlas:
    """Which triangle lies under each texel; the face's skin lies above everything else."""
    placed = np.zeros((len(model.uv), 3), np.float32)
    placed[:, :2] = model.uv * size - 0.5
    placed[:, 2] = np.isin(model.regions, FACE_SKIN)
    _, triangle, weights = rasterise(placed, model.triangles, (size, size))
    return Atlas(triangle, weights, np.ascontiguousarray(model.triangles, np.int32))


def paint_atlas(model: FaceModel, colours: np.ndarray, size: int) -> np.ndarray:
    """(V, 3) colours 0..1 -> (size, size, 3) uint8 RGB; texels outside the charts repeat the nearest inside."""
    atlas = atlas_of(model, size)
    inside = atlas.triangle >= 0
    corners = colours[atlas.corners[atlas.triangle[inside]]]
    picture = np.zeros((size, size, 3), np.uint8)
    picture[inside] = np.round(np.clip((corners * atlas.weights[inside][..., None]).sum(1), 0, 1) * 255)
    _, nearest = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    source = np.zeros((nearest.max() + 1, 3), np.uint8)
    source[nearest[inside]] = picture[inside]
    return source[nearest]


class Unwrapper:
    """Looks a photograph up for every texel of the atlas. size: texels per side."""

    def __init__(self, model: FaceModel, size: int):
        self.atlas = atlas_of(model, size)
        self.triangles = np.ascontiguousarray(model.triangles, np.int32)

    def unwrap(self, image: np.ndarray, projected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(H, W, 3) uint8 and (V, 3) of `camera.project` -> (T, T, 3) uint8 and (T, T) float32 how well it is seen.

        The weight is the cosine of the angle to the camera, 0 where the texel is hidden or outside the picture.
        """
        atlas = self.atlas
        projected = np.ascontiguousarray(projected, np.float32)
        low, span = projected.min(0), np.ptp(projected, axis=0)
        cell = float(max(span[0], span[1])) / (DEPTH_CELLS - 1) + 1e-6
        coarse = (projected - np.array([low[0], low[1], 0], np.float32)) / np.array([cell, cell, 1], np.float32)
        depth = np.full((DEPTH_CELLS, DEPTH_CELLS), -np.inf, np.float32)
        scan(coarse, self.triangles, depth, np.full(depth.shape, EMPTY, np.int32), True)
        size = atlas.triangle.shape[0]
        maps, weight = np.empty((2, size, size), np.float32), np.empty((size, size), np.float32)
        _look(projected, atlas.triangle, atlas.weights, atlas.corners, depth, low, np.float32(cell),
              np.float32(HIDDEN * span[1]), np.array(image.shape[:2], np.float32), maps, weight)  # fmt: skip
        return cv2.remap(image, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), weight


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _look(projected, triangle, weights, corners, depth, low, cell, slack, shape, maps, weight):  # type: ignore[no-untyped-def]
    """Fill `maps` with where each texel is in the picture and `weight` with how squarely it is seen."""
    cells = depth.shape[0]
    for row in range(triangle.shape[0]):
        for column in range(triangle.shape[1]):
            face = triangle[row, column]
            maps[0, row, column] = maps[1, row, column] = np.float32(-1)
            weight[row, column] = 0
            if face < 0:
                continue
            i, j, k = corners[face, 0], corners[face, 1], corners[face, 2]
            a, b, c = weights[row, column, 0], weights[row, column, 1], weights[row, column, 2]
            x = a * projected[i, 0] + b * projected[j, 0] + c * projected[k, 0]
            y = a * projected[i, 1] + b * projected[j, 1] + c * projected[k, 1]
            z = a * projected[i, 2] + b * projected[j, 2] + c * projected[k, 2]
            maps[0, row, column], maps[1, row, column] = x, y
            ux, uy = projected[j, 0] - projected[i, 0], projected[j, 1] - projected[i, 1]
            vx, vy = projected[k, 0] - projected[i, 0], projected[k, 1] - projected[i, 1]
            uz, vz = projected[j, 2] - projected[i, 2], projected[k, 2] - projected[i, 2]
            nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, uy * vx - ux * vy
            if nz <= 0 or x < 0 or y < 0 or x > shape[1] - 1 or y > shape[0] - 1:
                continue
            across, down = int((x - low[0]) / cell + np.float32(0.5)), int((y - low[1]) / cell + np.float32(0.5))
            if 0 <= across < cells and 0 <= down < cells and z < depth[down, across] - slack:
                continue
            weight[row, column] = nz / np.sqrt(nx * nx + ny * ny + nz * nz)
