"""The skin that eyeglasses can hide: a patch of the face's mesh, and the window of the UV atlas that it fills.

Texels are counted within the window, column to the subject's left, row down, centres at integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from realtime.align import CROP_SIZE, STRIP, STRIP_TOP
from realtime.face.camera import project
from realtime.face.coefficients import pose
from realtime.face.model import SHAPE, FaceModel
from realtime.face.regions import FaceRegion
from shaders.software import interpolate, rasterise

SKIN = (FaceRegion.SKIN, FaceRegion.NOSE, FaceRegion.L_BROW, FaceRegion.R_BROW)
REACH_MM = (-45.0, 45.0)  # height over the middle between the eyes
ATLAS_SIZE = 384  # texels a side of the whole atlas: about one for each pixel of the crop
HALF = 2  # the strip is looked up in the mesh at half its resolution
SMALL = (STRIP.stop - STRIP.start) // HALF, CROP_SIZE // HALF


@dataclass(frozen=True, slots=True)
class SkinView:
    """Where a strip shows the patch.

    placed: (V, 3) float32, vertices as `camera.project` in pixels of the strip. texels: (64, 128, 3) float32, of every
    second pixel: column, row, and 1 where skin is, 0 elsewhere. depth: (64, 128) float32 pixels, -inf beside the skin.
    """

    placed: np.ndarray
    texels: np.ndarray
    depth: np.ndarray


@dataclass(frozen=True, eq=False)
class SkinPatch:
    """mean (V, 3) float32 mm, shape (144, 3V) float32: the model's, of the patch's vertices. triangles (F, 3) int32.

    uv: (V, 3) float32 texels: column, row, 1. triangle (h, w) int32, -1 outside, and weights (h, w, 3) float32: where
    in the mesh the window's texels are.
    """

    mean: np.ndarray
    shape: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    triangle: np.ndarray
    weights: np.ndarray

    def view(self, coefficients: np.ndarray) -> SkinView:
        """(239,) coefficients in pixels of the aligned crop -> where its strip shows what."""
        vertices = self.mean + (coefficients[SHAPE].astype(np.float32) @ self.shape).reshape(-1, 3)
        placed = project(vertices, pose(coefficients))
        placed[:, 1] -= STRIP_TOP
        small = placed.copy()
        small[:, :2] = (small[:, :2] + 0.5) / HALF - 0.5
        depth, triangle, inside = rasterise(small, self.triangles, SMALL, cull=True)
        texels = interpolate(self.uv, self.triangles, triangle, inside)
        return SkinView(placed, texels, depth)


@lru_cache(maxsize=2)
def skin_patch(model: FaceModel) -> SkinPatch:
    """The patch of skin, brows and nose within `REACH_MM`; eyes move and are left out."""
    near = (model.mean[:, 1] > REACH_MM[0]) & (model.mean[:, 1] < REACH_MM[1])
    kept = near & np.isin(model.regions, SKIN)
    faces = model.triangles[kept[model.triangles].all(1)]
    used = np.unique(faces)
    triangles = np.ascontiguousarray(np.searchsorted(used, faces), np.int32)
    uv = model.uv[used] * ATLAS_SIZE - 0.5
    uv = np.column_stack([uv - np.floor(uv.min(0)), np.ones(len(uv))]).astype(np.float32)
    width, height, _ = np.ceil(uv.max(0)).astype(int) + 1
    _, triangle, weights = rasterise(uv, triangles, (int(height), int(width)))
    shape = model.shape.reshape(len(model.shape), -1, 3)[:, used]
    mean = np.ascontiguousarray(model.mean[used], np.float32)
    return SkinPatch(mean, np.ascontiguousarray(shape).reshape(len(shape), -1), triangles, uv, triangle, weights)
