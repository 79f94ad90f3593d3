"""The live texture: what the camera shows of a face, unwrapped into the UV atlas, light taken out, averaged over time.

Albedo 0..1 RGB over (T, T) texels, row = v down, column = u to the subject's left; column T-1-c mirrors column c.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from realtime.face.camera import project, rotate_normals
from realtime.face.coefficients import SLICES, pose
from realtime.face.light import shade
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel
from realtime.face.regions import EYEBALLS, FACE_SKIN
from shaders.base import read_only
from shaders.software import rasterise

DEPTH_CELLS = 64  # side of the coarse depth buffer that tells what hides what
DEPTH_SLACK_MM = 8.0  # a vertex that much behind the nearest in its cell is hidden
LEAST_SHADE = 0.25  # darker than that, dividing the light out would only raise noise


@dataclass(frozen=True, eq=False)
class Atlas:
    """Which triangle every texel lies in, and where. triangle: (T, T) int32, -1 outside; weights: (T, T, 3) float32."""

    triangle: np.ndarray
    weights: np.ndarray
    corners: np.ndarray  # (F, 3) int32, of the triangles that `triangle` numbers
    painted: np.ndarray  # (V,) float32, 1 for what a photograph may paint: skin, lips, eyes


def atlas_of(model: FaceModel, size: int) -> Atlas:
    placed = np.zeros((len(model.uv), 3), np.float32)
    placed[:, :2] = model.uv * size - 0.5
    painted = np.isin(model.regions, [int(region) for region in (*FACE_SKIN, *EYEBALLS)]).astype(np.float32)
    corners = model.triangles[painted[model.triangles].any(1)]  # the others would only be in the way
    _, triangle, weights = rasterise(placed, corners, (size, size))
    return Atlas(
        read_only(triangle, np.int32), read_only(weights, np.float32), read_only(corners, np.int32), painted
    )


class LiveTexture:
    """One track's albedo so far. memory: how many full looks the average remembers."""

    def __init__(self, atlas: Atlas, memory: float = 20.0):
        self.atlas, self.memory = atlas, memory
        shape = atlas.triangle.shape
        self.albedo = np.zeros((*shape, 3), np.float32)
        self.seen = np.zeros(shape, np.float32)  # looks so far, weighted by how well each saw the texel

    def look(self, model: FaceModel, crop: np.ndarray, coefficients: np.ndarray) -> None:
        """Take in an (H, W, 3) uint8 picture without glasses; (239,) coefficients, pose in its pixels."""
        vertices = model.vertices(coefficients)
        placed = project(vertices, pose(coefficients))
        normals = rotate_normals(vertex_normals(vertices, model.triangles), pose(coefficients))
        light = np.maximum(shade(normals, coefficients[SLICES["light"]]), LEAST_SHADE).astype(np.float32)
        facing = np.clip((normals[:, 2] - 0.2) / 0.5, 0, 1)
        weight = (facing * facing * self.atlas.painted).astype(np.float32)
        _hide(placed, weight, DEPTH_CELLS, np.float32(DEPTH_SLACK_MM * pose(coefficients).scale))
        atlas = self.atlas
        _unwrap(
            read_only(crop, np.uint8), placed, weight, light, atlas.triangle, atlas.weights, atlas.corners,
            np.float32(self.memory), self.albedo, self.seen,
        )  # fmt: skip

    def picture(self) -> np.ndarray:
        """(T, T, 4) uint8, read-only: what was seen; else its mirror image; else alpha 0, where the basis shows."""
        rgba = np.empty((*self.seen.shape, 4), np.uint8)
        _compose(self.albedo, self.seen, rgba)
        rgba.flags.writeable = False
        return rgba


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _hide(placed, weight, cells, slack):  # type: ignore[no-untyped-def]
    """Weight 0 for the vertices that others hide, judged in a grid of cells over the face."""
    x0, y0 = placed[:, 0].min(), placed[:, 1].min()
    step = max(placed[:, 0].max() - x0, placed[:, 1].max() - y0) / cells + np.float32(1e-6)
    nearest = np.full((cells + 1, cells + 1), -np.inf, np.float32)
    for v in range(placed.shape[0]):
        row, column = int((placed[v, 1] - y0) / step), int((placed[v, 0] - x0) / step)
        nearest[row, column] = max(nearest[row, column], placed[v, 2])
    for v in range(placed.shape[0]):
        row, column = int((placed[v, 1] - y0) / step), int((placed[v, 0] - x0) / step)
        if placed[v, 2] < nearest[row, column] - slack:
            weight[v] = 0


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _unwrap(crop, placed, weight, light, triangle, inside, corners, memory, albedo, seen):  # type: ignore[no-untyped-def]
    """A running mean per texel of crop / light, weighted by `weight` of the vertices around it."""
    height, width = crop.shape[0], crop.shape[1]
    for row in range(triangle.shape[0]):
        for column in range(triangle.shape[1]):
            face = triangle[row, column]
            if face < 0:
                continue
            i, j, k = corners[face, 0], corners[face, 1], corners[face, 2]
            a, b, c = inside[row, column, 0], inside[row, column, 1], inside[row, column, 2]
            w = a * weight[i] + b * weight[j] + c * weight[k]
            if w < np.float32(0.02):
                continue
            x = a * placed[i, 0] + b * placed[j, 0] + c * placed[k, 0]
            y = a * placed[i, 1] + b * placed[j, 1] + c * placed[k, 1]
            if not (0 <= x < width - 1 and 0 <= y < height - 1):
                continue
            left, top = int(x), int(y)
            fx, fy = x - np.float32(left), y - np.float32(top)
            bright = np.float32(255) * (a * light[i] + b * light[j] + c * light[k])
            total = min(seen[row, column], memory) + w
            seen[row, column] = total
            for channel in range(3):
                upper = crop[top, left, channel] * (1 - fx) + crop[top, left + 1, channel] * fx
                lower = crop[top + 1, left, channel] * (1 - fx) + crop[top + 1, left + 1, channel] * fx
                value = min((upper * (1 - fy) + lower * fy) / bright, np.float32(1))
                albedo[row, column, channel] += w / total * (value - albedo[row, column, channel])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _compose(albedo, seen, rgba):  # type: ignore[no-untyped-def]
    size = seen.shape[1]
    for row in range(seen.shape[0]):
        for column in range(size):
            mirrored = size - 1 - column
            own = min(seen[row, column], np.float32(1))
            other = min(seen[row, mirrored], np.float32(1)) * (1 - own)
            alpha = own + other
            rgba[row, column, 3] = np.uint8(alpha * np.float32(255) + np.float32(0.5))
            for channel in range(3):
                value = own * albedo[row, column, channel] + other * albedo[row, mirrored, channel]
                value = value / alpha if alpha > 0 else np.float32(0)
                rgba[row, column, channel] = np.uint8(value * np.float32(255) + np.float32(0.5))
