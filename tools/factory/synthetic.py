"""Whole synthetic heads from the face model, with exact coefficients: identity, expression, light, pose, gaze, skin.

A pixel is albedo times shade, as the program's own renderer has it (`realtime.face.light`). The skin comes from the
model's albedo basis where it has one, or is unwrapped from a photograph (then the texture coefficients are unknown).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from realtime.align import CROP_SIZE, crop_from_landmarks
from realtime.face.camera import project, rotate_normals
from realtime.face.coefficients import SLICES, move_pose, pose
from realtime.face.light import directional, shade
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel
from shaders.software import interpolate, rasterise
from tools.factory.expressions import sample_expression
from tools.factory.paint import Skin, paint
from tools.factory.subjects import Subjects

SAMPLES = 2  # per pixel and axis


@dataclass(frozen=True)
class SyntheticHead:
    """image (256, 256, 3) uint8 aligned crop; points (68, 2) and coefficients (239,) in its pixels.

    exact: the coefficients with NaN where they are not those of the picture (texture of an unwrapped skin).
    hairy: (V,) bool vertices with hair.
    """

    image: np.ndarray
    points: np.ndarray
    coefficients: np.ndarray
    exact: np.ndarray
    hairy: np.ndarray


def synthetic_head(
    model: FaceModel, subjects: Subjects, rng: np.random.Generator, yaw_deg: float | None = None
) -> SyntheticHead:
    """A random head before a random picture without people; yaw_deg: turned that far, instead of by chance."""
    coefficients = sample_coefficients(model, rng)
    if yaw_deg is not None:
        coefficients[SLICES["pose"].start + 1] = np.radians(yaw_deg)
    points = model.landmarks_of(coefficients)
    crop_from_canvas = crop_from_landmarks(points + rng.normal(0, 0.8, points.shape))  # landmarks are never perfect
    coefficients = move_pose(coefficients, crop_from_canvas)
    skin = paint(model, subjects, coefficients, rng)
    background = _background(subjects, rng)
    image = render(model, coefficients, skin, background)
    exact = coefficients.copy()
    if not skin.from_basis:
        exact[SLICES["texture"]] = np.nan
    return SyntheticHead(image, model.landmarks_of(coefficients), coefficients, exact, skin.hairy)


def sample_coefficients(model: FaceModel, rng: np.random.Generator) -> np.ndarray:
    """(239,) float32: a face of about 300 px around the origin, yaw to 60 degrees."""
    coefficients = np.zeros(239, np.float32)
    coefficients[SLICES["identity"]] = rng.standard_normal(80) * rng.uniform(0.6, 1.1)
    coefficients[SLICES["expression"]] = sample_expression(rng)
    coefficients[SLICES["texture"]] = rng.standard_normal(80) * 0.9
    coefficients[SLICES["light"]] = _sample_light(rng)
    yaw = rng.normal(0, 22) if rng.random() < 0.7 else rng.uniform(-60, 60)
    angles = np.radians([rng.normal(0, 10), np.clip(yaw, -60, 60), rng.normal(0, 3)])
    coefficients[SLICES["pose"]] = [*angles, 1.2, 0.0, 0.0]
    return coefficients


def render(model: FaceModel, coefficients: np.ndarray, skin: Skin, background: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8: the head supersampled over a background (h, w, 3) uint8; coefficients in its pixels."""
    height, width = background.shape[:2]
    here = pose(coefficients)
    vertices = model.vertices(coefficients)
    flat = project(vertices, here)
    flat[:, :2] = (flat[:, :2] + 0.5) * SAMPLES - 0.5
    _, triangle, barycentric = rasterise(flat, model.triangles, (height * SAMPLES, width * SAMPLES))
    normals = rotate_normals(vertex_normals(vertices, model.triangles), here)
    light = coefficients[SLICES["light"]]
    lit = np.stack([shade(normals, light), skin.shine(normals, _brightest(light))], 1)
    values = interpolate(np.concatenate([lit, skin.attributes], 1), model.triangles, triangle, barycentric)
    colour = skin.colour(values[..., 2:], triangle) * values[..., :1] + values[..., 1:2]
    hit = (triangle >= 0)[..., None].astype(np.float32)
    colour = cv2.resize(np.clip(colour, 0, 1) * hit, (width, height), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(hit, (width, height), interpolation=cv2.INTER_AREA)[..., None]
    return np.clip(colour * 255 + background * (1 - cover) + 0.5, 0, 255).astype(np.uint8)


def _sample_light(rng: np.random.Generator) -> np.ndarray:
    """(9,) a lamp from the front half and ambient light, now and then a second lamp."""
    ambient = rng.uniform(0.2, 0.75)
    strength = rng.uniform(0.5, 1.25) - 0.6 * ambient
    light = directional(_towards(rng), max(strength, 0.15), ambient)
    if rng.random() < 0.3:
        light = light + directional(_towards(rng), rng.uniform(0.1, 0.4), 0.0)
    return light * np.float32(rng.uniform(0.75, 1.15))


def _brightest(light: np.ndarray) -> np.ndarray:
    """(3,) unit direction that order 1 of a light comes from, in front of the face."""
    direction = np.array([light[3], light[1], abs(light[2]) + 1e-3])
    return direction / np.linalg.norm(direction)


def _towards(rng: np.random.Generator) -> np.ndarray:
    azimuth, elevation = np.radians(rng.normal(0, 40)), np.radians(rng.normal(25, 25))
    return np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])


def _background(subjects: Subjects, rng: np.random.Generator) -> np.ndarray:
    """(256, 256, 3) uint8: a piece of a picture without people, out of focus more often than not."""
    picture = subjects.background(rng)
    side = int(min(picture.shape[:2]) * rng.uniform(0.5, 1.0))
    top, left = (int(rng.integers(0, n - side + 1)) for n in picture.shape[:2])
    piece = cv2.resize(picture[top : top + side, left : left + side], (CROP_SIZE, CROP_SIZE))
    return cv2.GaussianBlur(piece, (0, 0), rng.uniform(0.8, 6)) if rng.random() < 0.7 else piece
