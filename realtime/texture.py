"""The live texture: what the camera shows of a face, unwrapped into the UV atlas, light taken out, averaged over time.

Albedo 0..1 RGB over (T, T) texels, row = v down, column = u to the subject's left; column T-1-c mirrors column c.
"""

from __future__ import annotations

import cv2
import numba
import numpy as np

from realtime.face.camera import project, rotate_normals, towards_camera
from realtime.face.coefficients import SLICES, pose
from realtime.face.creases import creases_of, softened
from realtime.face.light import shade
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel
from realtime.face.regions import EYEBALLS, FACE_SKIN, REFINED
from realtime.face.uv import atlas_of
from realtime.texture_fill import compose
from realtime.texture_trust import colour_of, depth_of, lip_colour, openness, zones_of
from shaders.base import read_only

LEAST_SHADE = 0.25  # darker than that, dividing the light out would only raise noise
LEAST_WEIGHT = 0.004  # of a look that is taken in at all
HIDDEN_MM = 4.0  # so far behind what a pixel shows, a texel is hidden
SURE = 0.3  # how well a texel must have been seen with the lips shut, to tell lips from teeth by
LIKE = 0.3  # relative difference of colour at which a texel of an open mouth is hardly the lip that was seen before
UNSURE = 0.3  # most weight of a look at an open mouth whose lips were never seen shut
UNSURE_LOOKS = 0.3  # and how many full looks the average remembers of those


class LiveTexture:
    """One track's albedo so far. memory: how many full looks the average remembers; that of eyes, which move, fewer."""

    def __init__(self, model: FaceModel, size: int, memory: float = 8.0, eye_memory: float = 1.5):
        self.model, self.atlas = model, atlas_of(model, size)
        eyes = np.isin(model.regions, EYEBALLS)
        self.memory = np.where(eyes, eye_memory, memory).astype(np.float32)
        self.painted = (eyes | np.isin(model.regions, FACE_SKIN)).astype(np.float32)  # what a photograph may paint
        self.skin = np.isin(model.regions, FACE_SKIN).astype(np.float32)
        self.refined = np.isin(model.regions, REFINED).astype(np.float32)
        self.zones, self.creases = zones_of(model), creases_of(model)
        shape = (size, size)
        self.albedo = np.zeros((*shape, 3), np.float32)
        self.looks = np.zeros(shape, np.float32)  # so far, each weighted by how well it saw the texel
        self.seen = np.zeros(shape, np.float32)  # 0..1, how well the best look saw it
        self.shut = np.zeros(shape, np.float32)  # the same while the lips were shut
        self.exposure = 1.0  # no skin reflects more than it gets: by so much the light must be stronger than was told

    def look(self, crop: np.ndarray, coefficients: np.ndarray, landmarks: np.ndarray) -> None:
        """Take in an (H, W, 3) uint8 picture without glasses; (239,) coefficients and (68, 2) points in its pixels."""
        model, atlas = self.model, self.atlas
        vertices, here = model.vertices(coefficients), pose(coefficients)
        placed = project(vertices, here)
        normals = rotate_normals(vertex_normals(vertices, model.triangles), here)
        normals = softened(normals, self.creases)
        light = shade(towards_camera(normals), coefficients[SLICES["light"]])
        light = np.maximum(light, LEAST_SHADE).astype(np.float32)
        facing = np.clip((normals[:, 2] - 0.25) / 0.5, 0, 1)
        weight = (facing * facing * self.painted).astype(np.float32)
        skin = colour_of(crop, placed, weight, light, self.zones.skin)
        lips = lip_colour(crop, landmarks, float(light[self.zones.lips].mean()))
        _unwrap(
            read_only(crop, np.uint8), face_outline(landmarks, crop.shape[:2]), placed, weight, light, self.memory,
            depth_of(placed, model.triangles, crop.shape), np.float32(HIDDEN_MM * here.scale),
            np.float32(openness(landmarks)), skin, lips, self.zones.mouth, self.zones.lip,
            atlas.triangle, atlas.weights, atlas.corners, self.albedo, self.looks, self.seen, self.shut,
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
        exposed = self.albedo / np.float32(self.expose())
        below = np.ascontiguousarray(basis if final is None else final, np.float32)
        painted = self.painted if final is None else np.maximum(self.painted, self.refined)
        compose(exposed, self.seen, below, self.atlas, painted, self.skin, rgba)
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
def _unwrap(
    crop, face_only, placed, weight, light, memory, depth, slack, opened, skin_is, lips_are, mouth, lip,
    triangle, inside, corners, albedo, looks, seen, shut,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """A running mean per texel of crop / light, weighted by `weight` of the vertices around it and by `face_only`.

    slack: pixels behind `depth` from which a texel is hidden. opened: 0..1, the mouth. skin_is, lips_are: (3,) colours
    of this look, 0 where not known.
    """
    height, width = crop.shape[0], crop.shape[1]
    value = np.zeros(3, np.float32)
    for row in range(triangle.shape[0]):
        for column in range(triangle.shape[1]):
            face = triangle[row, column]
            if face < 0:
                continue
            i, j, k = corners[face, 0], corners[face, 1], corners[face, 2]
            a, b, c = inside[row, column, 0], inside[row, column, 1], inside[row, column, 2]
            w = a * weight[i] + b * weight[j] + c * weight[k]
            if w < LEAST_WEIGHT:
                continue
            x = a * placed[i, 0] + b * placed[j, 0] + c * placed[k, 0]
            y = a * placed[i, 1] + b * placed[j, 1] + c * placed[k, 1]
            if not (0 <= x < width - 1 and 0 <= y < height - 1):
                continue
            z = a * placed[i, 2] + b * placed[j, 2] + c * placed[k, 2]
            if z < depth[int(y) * depth.shape[0] // height, int(x) * depth.shape[1] // width] - slack:
                continue
            left, top = int(x), int(y)
            w *= face_only[top, left]
            if w < LEAST_WEIGHT:
                continue
            fx, fy = x - np.float32(left), y - np.float32(top)
            bright = np.float32(255) * (a * light[i] + b * light[j] + c * light[k])
            for channel in range(3):
                upper = crop[top, left, channel] * (1 - fx) + crop[top, left + 1, channel] * fx
                lower = crop[top + 1, left, channel] * (1 - fx) + crop[top + 1, left + 1, channel] * fx
                value[channel] = min((upper * (1 - fy) + lower * fy) / bright, np.float32(4))
            lips, kept = opened * (a * mouth[i] + b * mouth[j] + c * mouth[k]), memory[i]
            if lips > 0 and shut[row, column] < SURE:
                like = _likeness(value, lips_are)
                if lip[i] < np.float32(0.5):
                    like = max(like, _likeness(value, skin_is))
                w *= 1 - lips * (1 - UNSURE * like)
                kept = min(kept, UNSURE_LOOKS)
            elif lips > 0:
                w *= 1 - lips * (1 - _likeness(value, albedo[row, column]))
            if w < LEAST_WEIGHT:
                continue
            if lips < np.float32(0.1):
                shut[row, column] = max(shut[row, column], w)
            total = min(looks[row, column], kept) + w
            looks[row, column] = total
            seen[row, column] = max(seen[row, column], w)
            for channel in range(3):
                albedo[row, column, channel] += w / total * (value[channel] - albedo[row, column, channel])


@numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _likeness(value, known):  # type: ignore[no-untyped-def]
    """0..1, how well a (3,) colour is the one that was seen before."""
    apart, size = np.float32(0), np.float32(1e-4)
    for channel in range(3):
        apart += (value[channel] - known[channel]) ** 2
        size += known[channel] ** 2
    return np.exp(-apart / (size * np.float32(LIKE * LIKE)) * 3)
