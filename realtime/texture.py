"""The live texture: what the camera shows of a face, unwrapped into the UV atlas, light taken out, averaged over time.

Albedo 0..1 RGB over (T, T) texels, row = v down, column = u to the subject's left; column T-1-c mirrors column c.
"""

from __future__ import annotations

import cv2
import numba
import numpy as np

from realtime.face.camera import project, rotate_normals, towards_camera
from realtime.face.coefficients import SLICES, pose
from realtime.face.light import shade
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel
from realtime.face.regions import EYEBALLS, FACE_SKIN, REFINED
from realtime.face.uv import atlas_of
from shaders.base import read_only

DEPTH_CELLS = 64  # side of the coarse depth buffer that tells what hides what
DEPTH_SLACK_MM = 8.0  # a vertex that much behind the nearest in its cell is hidden
LEAST_SHADE = 0.25  # darker than that, dividing the light out would only raise noise


class LiveTexture:
    """One track's albedo so far. memory: how many full looks the average remembers; that of eyes, which move, fewer."""

    def __init__(self, model: FaceModel, size: int, memory: float = 8.0, eye_memory: float = 1.5):
        self.model, self.atlas = model, atlas_of(model, size)
        eyes = np.isin(model.regions, EYEBALLS)
        self.memory = np.where(eyes, eye_memory, memory).astype(np.float32)
        self.painted = (eyes | np.isin(model.regions, FACE_SKIN)).astype(np.float32)  # what a photograph may paint
        self.refined = np.isin(model.regions, REFINED).astype(np.float32)
        shape = (size, size)
        self.albedo = np.zeros((*shape, 3), np.float32)
        self.looks = np.zeros(shape, np.float32)  # so far, each weighted by how well it saw the texel
        self.seen = np.zeros(shape, np.float32)  # 0..1, how well the best look saw it
        self.exposure = 1.0  # no skin reflects more than it gets: by so much the light must be stronger than was told

    def look(self, crop: np.ndarray, coefficients: np.ndarray, landmarks: np.ndarray) -> None:
        """Take in an (H, W, 3) uint8 picture without glasses; (239,) coefficients and (68, 2) points in its pixels."""
        model, atlas = self.model, self.atlas
        vertices = model.vertices(coefficients)
        placed = project(vertices, pose(coefficients))
        normals = rotate_normals(vertex_normals(vertices, model.triangles), pose(coefficients))
        light = shade(towards_camera(normals), coefficients[SLICES["light"]])
        light = np.maximum(light, LEAST_SHADE).astype(np.float32)
        facing = np.clip((normals[:, 2] - 0.25) / 0.5, 0, 1)
        weight = (facing * facing * self.painted).astype(np.float32)
        _hide(placed, weight, DEPTH_CELLS, np.float32(DEPTH_SLACK_MM * pose(coefficients).scale))
        _unwrap(
            read_only(crop, np.uint8), face_outline(landmarks, crop.shape[:2]), placed, weight, light, self.memory,
            atlas.triangle, atlas.weights, atlas.corners, self.albedo, self.looks, self.seen,
        )  # fmt: skip

    def at_vertices(self) -> np.ndarray:
        """(V, 4) float32 0..1: albedo RGB so far at every vertex, none brighter than 1, and how well it was seen."""
        size = self.seen.shape[0]
        texel = np.clip(self.model.uv * size, 0, size - 1).astype(np.intp)
        albedo, seen = self.albedo[texel[:, 1], texel[:, 0]], self.seen[texel[:, 1], texel[:, 0]]
        return np.column_stack([np.minimum(albedo / np.float32(self.expose()), 1), np.minimum(seen, 1)])

    def expose(self) -> float:
        """How much stronger than told the light must be, measured and kept as `exposure`."""
        known = self.albedo[::3, ::3][self.seen[::3, ::3] > 0.3]
        self.exposure = max(1.0, float(np.percentile(known.max(1), 97))) if len(known) else 1.0
        return self.exposure

    def picture(self, basis: np.ndarray, final: np.ndarray | None = None) -> np.ndarray:
        """(T, T, 4) uint8, read-only: what was seen; else its mirror image; else the basis in the seen skin's tone.

        basis: (V, 3) float32 albedo of the vertices. Alpha is 0 where no photograph paints: there the basis shows.
        final: (V, 3) float32 T_final; with it, what was not seen is T_final and the mirror image's detail, and the
        rest of the head is painted too.
        """
        rgba = np.zeros((*self.seen.shape, 4), np.uint8)
        atlas = self.atlas
        exposed = self.albedo / np.float32(self.expose())
        below = np.ascontiguousarray(basis if final is None else final, np.float32)
        painted = self.painted if final is None else np.maximum(self.painted, self.refined)
        _compose(
            exposed, self.seen, below, atlas.triangle, atlas.weights, atlas.corners, painted, final is not None, rgba
        )
        rgba.flags.writeable = False
        return rgba


def face_outline(landmarks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(h, w) float32 1 inside jaw, cheeks and forehead, fading to 0 at their outline.

    Beyond it a slightly wrong mesh would paint background on the face.
    """
    up = landmarks[27] - landmarks[33]  # from the nose's base to its root
    forehead = landmarks[17:27] + 0.8 * up
    outline = cv2.convexHull(np.round(np.concatenate([landmarks[:17], forehead])).astype(np.int32))
    inside = np.zeros(shape, np.float32)
    cv2.fillConvexPoly(inside, outline, 1.0)
    margin = max(1, round(0.06 * float(np.linalg.norm(landmarks[16] - landmarks[0]))))
    soft = cv2.blur(inside, (2 * margin + 1, 2 * margin + 1))
    return np.clip(2 * soft - 1, 0, 1)


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
def _unwrap(crop, face_only, placed, weight, light, memory, triangle, inside, corners, albedo, looks, seen):  # type: ignore
    """A running mean per texel of crop / light, weighted by `weight` of the vertices around it and by `face_only`."""
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
            w *= face_only[top, left]
            if w < np.float32(0.02):
                continue
            fx, fy = x - np.float32(left), y - np.float32(top)
            bright = np.float32(255) * (a * light[i] + b * light[j] + c * light[k])
            total = min(looks[row, column], memory[i]) + w
            looks[row, column] = total
            seen[row, column] = max(seen[row, column], w)
            for channel in range(3):
                upper = crop[top, left, channel] * (1 - fx) + crop[top, left + 1, channel] * fx
                lower = crop[top + 1, left, channel] * (1 - fx) + crop[top + 1, left + 1, channel] * fx
                value = min((upper * (1 - fy) + lower * fy) / bright, np.float32(4))
                albedo[row, column, channel] += w / total * (value - albedo[row, column, channel])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _compose(albedo, seen, basis, triangle, inside, corners, painted, only_detail, rgba):  # type: ignore[no-untyped-def]
    """only_detail: of the mirror image, take what it has beyond the basis there; else all of it."""
    size = seen.shape[1]
    toned = _paint(basis, _tone(albedo, seen, basis, triangle, inside, corners), triangle, inside, corners)
    for row in range(seen.shape[0]):
        for column in range(size):
            face = triangle[row, column]
            if face < 0:
                continue
            i, j, k = corners[face, 0], corners[face, 1], corners[face, 2]
            a, b, c = inside[row, column, 0], inside[row, column, 1], inside[row, column, 2]
            own = min(seen[row, column], np.float32(1))
            other = min(seen[row, size - 1 - column], np.float32(1)) * (1 - own)
            rest = 1 - own - other
            rgba[row, column, 3] = np.uint8(255 * (a * painted[i] + b * painted[j] + c * painted[k]) + np.float32(0.5))
            for channel in range(3):
                mirrored = albedo[row, size - 1 - column, channel]
                if only_detail:
                    mirrored += toned[row, column, channel] - toned[row, size - 1 - column, channel]
                value = own * albedo[row, column, channel] + other * mirrored + rest * toned[row, column, channel]
                value = max(min(value, np.float32(1)), np.float32(0))
                rgba[row, column, channel] = np.uint8(value * np.float32(255) + np.float32(0.5))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _paint(basis, tone, triangle, inside, corners):  # type: ignore[no-untyped-def]
    """(T, T, 3) float32: the vertices' colours times `tone` in every texel, none above 1."""
    painted = np.zeros((*triangle.shape, 3), np.float32)
    for row in range(triangle.shape[0]):
        for column in range(triangle.shape[1]):
            face = triangle[row, column]
            if face < 0:
                continue
            i, j, k = corners[face, 0], corners[face, 1], corners[face, 2]
            a, b, c = inside[row, column, 0], inside[row, column, 1], inside[row, column, 2]
            for channel in range(3):
                filled = a * basis[i, channel] + b * basis[j, channel] + c * basis[k, channel]
                painted[row, column, channel] = min(filled * tone[channel], np.float32(1))
    return painted


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _tone(albedo, seen, basis, triangle, inside, corners):  # type: ignore[no-untyped-def]
    """(3,) seen skin over the basis' skin, where both are known; 1 before anything was seen."""
    ours, theirs = np.full(3, 1e-3, np.float32), np.full(3, 1e-3, np.float32)
    for row in range(0, seen.shape[0], 2):
        for column in range(0, seen.shape[1], 2):
            face = triangle[row, column]
            if face < 0 or seen[row, column] < np.float32(0.3):
                continue
            i, j, k = corners[face, 0], corners[face, 1], corners[face, 2]
            a, b, c = inside[row, column, 0], inside[row, column, 1], inside[row, column, 2]
            for channel in range(3):
                ours[channel] += albedo[row, column, channel]
                theirs[channel] += a * basis[i, channel] + b * basis[j, channel] + c * basis[k, channel]
    return np.minimum(np.maximum(ours / theirs, np.float32(0.4)), np.float32(2.5))
