"""Shadows that eyeglasses cast on a face: a shadow map along the light, blurred with distance (percentage closer).

Positions are (x right, y up, z towards the camera) in crop pixels, all three.
"""

from __future__ import annotations

import cv2
import numpy as np

from shaders.software import rasterise
from tools.factory.parts import Mesh

BLURS_PX = (0.7, 1.8, 4.0, 9.0)
MARGIN = 24


def occlusion(
    frame: Mesh, lenses: Mesh, lens_opacity: float, receivers: np.ndarray, light: np.ndarray, softness: float,
    fineness: int = 2,
) -> np.ndarray:  # fmt: skip
    """How much of a lamp the eyeglasses hide from each receiver, (h, w) float32 0..1.

    frame, lenses: meshes in crop pixels. receivers: (h, w, 3) float32 positions, NaN where there is no surface.
    light: (3,) unit direction towards the lamp. softness: tangent of its angular radius.
    fineness: samples a pixel and axis of the shadow map.
    """
    across, upward = _basis(light)
    to_light = np.stack([across, upward, light]).T  # position @ to_light = light coordinates
    solid = np.concatenate([frame.vertices, lenses.vertices]) @ to_light
    low = solid[:, :2].min(0) - MARGIN
    size = np.ceil(solid[:, :2].max(0) + MARGIN - low).astype(int)
    shape = (int(size[1]), int(size[0]))
    cover, height = _seen(frame, to_light, low, shape, fineness)
    if lens_opacity > 0.02 and len(lenses.triangles):
        glass, glass_height = _seen(lenses, to_light, low, shape, fineness)
        height = np.where(cover > 0, height, glass_height)
        cover = np.maximum(cover, glass * np.float32(lens_opacity))
    places = receivers @ to_light.astype(np.float32)
    map_x, map_y = (np.ascontiguousarray(places[..., k] - np.float32(low[k])) for k in range(2))
    valid = np.isfinite(map_x)
    map_x, map_y = np.where(valid, map_x, -100), np.where(valid, map_y, -100)
    gap = _look(_mean_height(cover, height), map_x, map_y) - places[..., 2]
    sigma = np.clip(gap, 0.2, None) * np.float32(softness)
    result = _blurred_lookup(cover, map_x, map_y, sigma)
    facing = np.clip((gap + 3) / 4, 0, 1)  # what lies nearer to the lamp than the glasses is not shaded
    return np.where(valid, result * facing, 0).astype(np.float32)


def _basis(light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    across = np.cross((0.0, 1.0, 0.0), light)
    across = across / (np.linalg.norm(across) + 1e-9)
    return across, np.cross(light, across)


def _seen(
    mesh: Mesh, to_light: np.ndarray, low: np.ndarray, shape: tuple[int, int], fineness: int
) -> tuple[np.ndarray, np.ndarray]:
    """Coverage 0..1 and height along the light of a mesh."""
    flat = mesh.vertices @ to_light
    flat[:, :2] = (flat[:, :2] - low + 0.5) * fineness - 0.5
    depth, triangle, _ = rasterise(flat.astype(np.float32), mesh.triangles, (shape[0] * fineness, shape[1] * fineness))
    hit = (triangle >= 0).astype(np.float32)
    total = cv2.resize(np.where(hit > 0, depth, 0).astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
    cover = cv2.resize(hit, shape[::-1], interpolation=cv2.INTER_AREA)
    return cover, total / np.maximum(cover, 1e-6)


def _mean_height(cover: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Height of the occluders around each place, from a wide blur."""
    weight = cv2.GaussianBlur(cover, (0, 0), 5.0) + np.float32(1e-5)
    return cv2.GaussianBlur(cover * height, (0, 0), 5.0) / weight


def _blurred_lookup(cover: np.ndarray, map_x: np.ndarray, map_y: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Coverage blurred by a different sigma at every place: between four blurred copies."""
    level = np.interp(sigma, BLURS_PX, np.arange(len(BLURS_PX))).astype(np.float32)
    result = np.zeros(map_x.shape, np.float32)
    for i, blur in enumerate(BLURS_PX):
        weight = np.clip(1 - np.abs(level - i), 0, 1)
        if weight.any():
            result += weight * _look(cv2.GaussianBlur(cover, (0, 0), blur), map_x, map_y)
    return result


def _look(image: np.ndarray, map_x: np.ndarray, map_y: np.ndarray) -> np.ndarray:
    return cv2.remap(image, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR, borderValue=0)
