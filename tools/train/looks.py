"""What the refiner learns from: one picture's look at a face, part of it hidden, and the whole of it as the truth.

A look holds what the run time has (the 3DMM's texture, the live texture at the vertices) and what the losses compare
with (the picture, which triangle each of its pixels shows). The geometry is rasterised here, without gradients: only
colours are learnt.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from realtime.align import CROP_SIZE
from realtime.face.camera import project, rotate_normals, towards_camera
from realtime.face.coefficients import SLICES, pose, rotation_matrix
from realtime.face.light import shade
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel
from realtime.face.regions import FACE_SKIN, REFINED
from realtime.texture import LEAST_SHADE, LiveTexture, face_outline
from shaders.software import interpolate, rasterise

SIZE = 128  # side of the pictures that are compared, pixels
ATLAS = 256  # texels per side of the live texture, as at run time
MODES = {"nothing": 0.15, "turned": 0.5, "side": 0.15, "spots": 0.2}  # what is hidden, and how often


@dataclass(frozen=True, eq=False)
class Look:
    """One picture of a face.

    texture: (V, 3) and seen: (V, 4) float32, as the refiner takes them, before anything is hidden. shade: (V,) float32,
    the light that makes a display value of an albedo, `exposure` times what was told. photo: (SIZE, SIZE, 3) uint8.
    triangle: (SIZE, SIZE) int32, -1 outside. barycentric: (SIZE, SIZE, 3) float32. skin: (SIZE, SIZE) float32 0..1, how
    well a pixel shows the face.
    """

    texture: np.ndarray
    seen: np.ndarray
    shade: np.ndarray
    exposure: float
    photo: np.ndarray
    triangle: np.ndarray
    barycentric: np.ndarray
    skin: np.ndarray


def look_at(model: FaceModel, crop: np.ndarray, coefficients: np.ndarray, points: np.ndarray) -> Look:
    """crop: (256, 256, 3) uint8 without glasses; coefficients: (239,) and points: (68, 2) in its pixels."""
    live = LiveTexture(model, ATLAS)
    live.look(crop, coefficients, points)
    seen = live.at_vertices().astype(np.float32)
    seen[~np.isin(model.regions, REFINED)] = 0
    here = pose(coefficients)
    vertices = model.vertices(coefficients)
    normals = towards_camera(rotate_normals(vertex_normals(vertices, model.triangles), here))
    light = np.maximum(shade(normals, coefficients[SLICES["light"]]), LEAST_SHADE) * live.exposure
    scale = SIZE / CROP_SIZE
    flat = project(vertices, here) * scale
    flat[:, :2] += 0.5 * scale - 0.5  # pixel centres at integers in both
    _, triangle, barycentric = rasterise(flat.astype(np.float32), model.triangles, (SIZE, SIZE))
    covered = interpolate(
        np.ascontiguousarray(seen[:, 3:] * np.isin(model.regions, FACE_SKIN)[:, None]), model.triangles, triangle,
        barycentric,
    )[..., 0]  # fmt: skip
    outline = cv2.resize(face_outline(points, crop.shape[:2]), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    photo = cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    skin = (covered * outline * (triangle >= 0)).astype(np.float32)
    texture, light = model.albedo_of(coefficients), light.astype(np.float32)
    return Look(texture, seen, light, live.exposure, photo, triangle, barycentric, skin)


def kept(model: FaceModel, rng: np.random.Generator, mode: str | None = None) -> np.ndarray:
    """(V,) float32 0..1: what of a face stays when part of it is hidden, as by a turn of the head or by glasses.

    mode: one of MODES, drawn by its share when None.
    """
    if mode is None:
        mode = str(rng.choice(list(MODES), p=list(MODES.values())))
    if mode == "turned":
        sign = 1 if rng.random() < 0.5 else -1
        return turned(model, sign * rng.uniform(0.45, 1.25), rng.uniform(-0.3, 0.3))
    points = model.mean
    if mode == "side":
        edge, soft = rng.uniform(-5, 45), rng.uniform(3, 15)
        across = points[:, 0] * (1 if rng.random() < 0.5 else -1)
        return np.clip((edge - across) / soft + 0.5, 0, 1).astype(np.float32)
    stays = np.ones(len(points), np.float32)
    if mode == "spots":
        skin = np.flatnonzero(np.isin(model.regions, FACE_SKIN))
        for centre in points[rng.choice(skin, rng.integers(1, 5))]:
            distance = np.linalg.norm(points - centre, axis=1)
            stays *= np.clip((distance - rng.uniform(8, 32)) / 6, 0, 1).astype(np.float32)
    return stays


def turned(model: FaceModel, yaw: float, pitch: float = 0.0) -> np.ndarray:
    """(V,) float32 0..1: what a camera sees of the mean face turned by `yaw` and `pitch` radians (as `LiveTexture`)."""
    normals = vertex_normals(model.mean, model.triangles) @ rotation_matrix(pitch, yaw, 0.0).T.astype(np.float32)
    facing = np.clip((normals[:, 2] - 0.25) / 0.5, 0, 1)
    return (facing * facing).astype(np.float32)


def hidden_from(look: Look, model: FaceModel, stays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """seen (V, 4) with the rest hidden, the photo (SIZE, SIZE, 3) uint8 without it, (SIZE, SIZE) 0..1 what is hidden.

    The photo's hidden part takes the mean colour of what is left of the face, so that it tells nothing.
    """
    seen = look.seen.copy()
    seen[:, 3] *= stays
    seen[:, :3] *= seen[:, 3:] > 0
    stays_px = interpolate(stays[:, None].astype(np.float32), model.triangles, look.triangle, look.barycentric)[..., 0]
    gone = np.where(look.triangle >= 0, 1 - stays_px, 0).astype(np.float32)
    left = (look.skin * (1 - gone))[..., None]
    mean = (look.photo * left).sum((0, 1)) / max(float(left.sum()), 1e-3)
    blank = look.photo + (mean - look.photo) * gone[..., None]
    return seen, np.clip(blank + 0.5, 0, 255).astype(np.uint8), gone


def shown(
    model: FaceModel, colours: np.ndarray, look: Look, coefficients: np.ndarray, turn: float = 0.0
) -> np.ndarray:
    """(SIZE, SIZE, 3) uint8: (V, 3) colours on the face, over the photograph; turned by `turn` radians over black."""
    there = coefficients.copy()
    there[SLICES["pose"].start + 1] += turn
    scale, vertices, here = SIZE / CROP_SIZE, model.vertices(coefficients), pose(there)
    flat = project(vertices, here) * scale
    flat[:, :2] += 0.5 * scale - 0.5
    normals = towards_camera(rotate_normals(vertex_normals(vertices, model.triangles), here))
    light = np.maximum(shade(normals, coefficients[SLICES["light"]]), LEAST_SHADE) * look.exposure
    _, triangle, barycentric = rasterise(flat.astype(np.float32), model.triangles, (SIZE, SIZE))
    values = (colours * light[:, None]).astype(np.float32)
    lit = np.clip(interpolate(values, model.triangles, triangle, barycentric), 0, 1)
    behind = look.photo if turn == 0 else np.zeros_like(look.photo)
    alpha = np.where(triangle >= 0, 1 if turn else look.skin > 0.05, 0)[..., None]
    return np.where(alpha > 0, lit * 255 + 0.5, behind).astype(np.uint8)
