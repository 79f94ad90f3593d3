"""What one photograph shows of each skin vertex, and the light on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from realtime.face.camera import project, rotate_normals
from realtime.face.coefficients import pose
from realtime.face.light import basis
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel
from realtime.texture import face_outline
from shaders.software import rasterise
from tools.fit import fit_landmarks

WORST_FIT = 0.05  # mean distance of the 68 points over that of the outer eye corners
WIDEST_YAW = np.radians(45)
HIDDEN_MM = 3.0
DARKEST_SHADE = 0.3


@dataclass(frozen=True)
class SampledSkin:
    """colours (M, 3) float32 RGB 0..1, weights (M,) float32 0 unseen .. 1, normals (M, 3) float32 in camera axes."""

    coefficients: np.ndarray
    colours: np.ndarray
    weights: np.ndarray
    normals: np.ndarray


def sample_skin(
    model: FaceModel, skin: np.ndarray, image: np.ndarray, points: np.ndarray, point_weights: np.ndarray
) -> SampledSkin | None:
    """skin: (M,) vertex numbers. None where the fit is bad, the face turned too far or too small to see."""
    found = fit_landmarks(model, points, point_weights)
    seen_at = pose(found)
    known = point_weights > 0
    distance = np.linalg.norm(model.landmarks_of(found) - points, axis=1)[known].mean()
    if distance > WORST_FIT * np.linalg.norm(points[45] - points[36]) or abs(seen_at.yaw) > WIDEST_YAW:
        return None
    shrink = min(1.0, 1.6 / seen_at.scale)  # vertices are about 2 mm apart: more pixels than that only alias
    small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else image
    vertices = model.vertices(found)
    placed = project(vertices, seen_at)
    placed[:, :2] = (placed[:, :2] + 0.5) * shrink - 0.5
    normals = rotate_normals(vertex_normals(vertices, model.triangles), seen_at)
    depth, _, _ = rasterise(placed, model.triangles, small.shape[:2])
    at = placed[skin]
    map_x, map_y = np.ascontiguousarray(at[:, :1]), np.ascontiguousarray(at[:, 1:2])

    def look_up(picture: np.ndarray) -> np.ndarray:
        return cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)[:, 0]

    nearest = cv2.dilate(np.where(np.isfinite(depth), depth, -1e6).astype(np.float32), np.ones((3, 3)))
    visible = at[:, 2] > look_up(nearest) - HIDDEN_MM * seen_at.scale
    outline = look_up(face_outline((points + 0.5) * shrink - 0.5, small.shape[:2]))
    facing = np.clip((normals[skin, 2] - 0.2) / 0.4, 0, 1)
    colours = look_up(small).astype(np.float32) / 255
    clipped = (colours.max(1) > 0.98) | (colours.max(1) < 0.02)
    weights = (facing * outline * visible * ~clipped).astype(np.float32)
    if weights.mean() < 0.15:
        return None
    return SampledSkin(found, colours, weights, normals[skin].astype(np.float32))


def estimate_light(sample: SampledSkin, albedo: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """(9,) float32 light under which (M, 3) `albedo` looks most like the sample, its mean shade over the face 1.

    plain: (M,) bool, vertices to look at (no brows, no lips). Outliers (hair, glasses, cast shadows) count less. A
    photograph cannot tell dark skin from weak light: the mean shade is fixed, so the skin keeps the picture's tone.
    """
    use = plain & (sample.weights > 0.2)
    brightness = sample.colours[use] @ np.full(3, 1 / 3)
    expected = albedo[use] @ np.full(3, 1 / 3)
    ratio = brightness / np.maximum(expected, 0.05)
    terms = basis(sample.normals)
    rows = terms[use].astype(np.float64)
    ridge = np.diag([1e-2, 1, 1, 1, 4, 4, 4, 4, 4]) * 1e-3 * use.sum()
    ratio = ratio / np.median(ratio)
    sure = sample.weights[use].astype(np.float64)
    light = np.zeros(9)
    for _ in range(5):
        weighted = rows * sure[:, None]
        light = np.linalg.solve(weighted.T @ rows + ridge, weighted.T @ ratio)
        error = ratio - rows @ light
        sure = sample.weights[use] / (1 + (error / 0.12) ** 2)
    mean_shade = np.average(np.maximum(terms @ light, DARKEST_SHADE), weights=sample.weights)
    return (light / mean_shade).astype(np.float32)


def without_light(sample: SampledSkin, light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(M, 3) albedo and (M,) weights; where the light hardly reaches, the weight falls."""
    shade = basis(sample.normals) @ light
    albedo = np.clip(sample.colours / np.maximum(shade, DARKEST_SHADE)[:, None], 0, 1)
    return albedo, sample.weights * np.clip((shade - DARKEST_SHADE) / 0.3, 0, 1)


