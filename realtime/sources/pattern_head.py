"""The test pattern's picture: a lit head with hair and eyeglasses before a soft background, from coefficients."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.face.camera import project, rotate_normals
from realtime.face.coefficients import COUNT, SLICES, Pose, pose
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel
from realtime.face.regions import FaceRegion
from realtime.sources.pattern_glasses import wear_glasses
from shaders import Draw, Mode, Topology, open_renderer

HAIR_RGB, FRAME_RGB = (0.13, 0.09, 0.07), (0.06, 0.05, 0.07)  # albedo
SHIRT_RGB, COLLAR_RGB = (70, 84, 110), (54, 64, 86)
HAIR_MM = 7.0  # how far it stands off the skin
# The hairline: from the back of the head (z, mm) to the forehead, the height (y, mm) above which hair grows.
HAIRLINE_Z, HAIRLINE_Y = (-165.0, -105.0, -75.0, -40.0, 0.0, 50.0), (-70.0, -55.0, 22.0, 38.0, 66.0, 72.0)
SHADOW_MM = np.array([0.0, -7.0])  # where light from above throws the rims' shadow on the face (x, y)
NOISE_LEVELS, NOISE_TILES = 2.0, 5  # of a webcam's sensor: standard deviation; number of pictures taken in turn


class PatternHead:
    """Draws one person. size: (width, height) px. identity, texture: (80,) standard normal. seed: of hair and noise."""

    def __init__(self, model: FaceModel, size: tuple[int, int], identity: np.ndarray, texture: np.ndarray, seed: int):
        self._model = model
        rest = np.zeros(COUNT, np.float32)
        rest[SLICES["identity"]], rest[SLICES["texture"]] = identity, texture
        vertices = model.vertices(rest)
        self._at_rest = vertices
        self._glasses = wear_glasses(vertices[model.landmarks])
        self._hair = _hair_weight(vertices, model.regions)
        self._colours = self._paint(vertices, model.albedo_of(rest), np.random.default_rng(seed))
        self._triangles = np.concatenate([model.triangles, self._glasses.triangles + len(vertices)])
        uv = np.zeros((len(vertices) + len(self._glasses.vertices), 2), np.float32)
        self._renderer = open_renderer(size, Topology(self._triangles, uv), prefer=("software",))
        self._backdrop = _backdrop(size)
        random = np.random.default_rng(seed)
        shape = (NOISE_TILES, size[1], size[0], 3)
        self._noise = np.clip(random.normal(0, NOISE_LEVELS, shape), -20, 20).astype(np.int8)

    def draw(self, coefficients: np.ndarray, index: int) -> np.ndarray:
        """(239,) coefficients of this person, in pixels -> (H, W, 3) uint8 RGB. index: which noise."""
        seen_at = pose(coefficients)
        weights = coefficients[SLICES["expression"]]
        moved = np.flatnonzero(weights)  # a few of 64: all of them would cost more than drawing
        skin = self._at_rest + (weights[moved] @ self._model.expression[moved]).reshape(-1, 3)
        skin_normals = vertex_normals(skin, self._model.triangles)
        skin += (HAIR_MM * self._hair)[:, None] * skin_normals
        vertices = np.concatenate([skin, self._glasses.vertices])
        normals = rotate_normals(vertex_normals(vertices, self._triangles), seen_at)
        light = coefficients[SLICES["light"]]
        drawn = Draw(project(vertices, seen_at), normals, self._colours, None, light)
        image = self._renderer.draw(self._backdrop, [drawn], Mode.TEXTURED)
        _shirt(image, seen_at)
        for outline in self._glasses.lenses:
            _lens(image, project(outline, seen_at)[:, :2])
        return cv2.add(image, self._noise[index % NOISE_TILES], dtype=cv2.CV_8U)

    def close(self) -> None:
        self._renderer.close()

    def _paint(self, vertices: np.ndarray, albedo: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(V + G, 3) float32 albedo of head and glasses: skin, hair, and the rims' shadow on the skin."""
        strands = random.uniform(0.6, 1.5, (len(vertices), 1))
        hair = np.clip(np.array(HAIR_RGB) * strands, 0, 1)
        weight = self._hair[:, None]
        colours = albedo * (1 - weight) + hair * weight
        rims = np.concatenate(self._glasses.lenses)[:, :2] + SHADOW_MM
        distance = np.linalg.norm(vertices[:, None, :2] - rims, axis=2).min(1)
        facing = vertices[:, 2] > 0
        colours *= (1 - 0.25 * facing * np.exp(-((distance / 3.0) ** 2)))[:, None]
        frame = np.tile(np.array(FRAME_RGB, np.float32), (len(self._glasses.vertices), 1))
        return np.concatenate([colours.astype(np.float32), frame])


def _hair_weight(vertices: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """(V,) float32: 0 skin .. 1 hair."""
    height = vertices[:, 1] - np.interp(vertices[:, 2], HAIRLINE_Z, HAIRLINE_Y)
    share = np.clip(height / 8.0 + 0.5, 0, 1)
    grows = np.isin(regions, (FaceRegion.SKIN, FaceRegion.HEAD, FaceRegion.NECK))
    return (share * share * (3 - 2 * share) * grows).astype(np.float32)


def _backdrop(size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8: a wall with light from one side and a few things out of focus."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    wall = np.array([168.0, 172.0, 170.0]) * (1.08 - 0.35 * x - 0.25 * y)[..., None]
    things = ((0.13, 0.30, 0.09, (120, 84, 60)), (0.88, 0.24, 0.12, (90, 110, 92)), (0.92, 0.75, 0.15, (70, 74, 88)))
    for across, down, radius, colour in things:
        blur = np.exp(-(((x - across) ** 2 + ((y - down) * height / width) ** 2) / radius**2) ** 2)[..., None]
        wall = wall * (1 - 0.8 * blur) + np.array(colour) * 0.8 * blur
    return np.clip(wall, 0, 255).astype(np.uint8)


def _shirt(image: np.ndarray, seen_at: Pose) -> None:
    """Shoulders in front of the neck's end, with a collar, in place."""
    centre = (round(seen_at.x), round(seen_at.y + 300 * seen_at.scale))
    for shrink, colour in ((0, COLLAR_RGB), (9, SHIRT_RGB)):
        axes = (round((225 - shrink) * seen_at.scale), round((156 - shrink) * seen_at.scale))
        cv2.ellipse(image, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)


def _lens(image: np.ndarray, outline: np.ndarray) -> None:
    """Clear glass over what lies behind it, in place: a little grey, and the stripe of a window. outline: (N, 2) px."""
    height, width = image.shape[:2]
    x0, y0 = np.maximum(np.floor(outline.min(0)).astype(int) - 1, 0)
    x1, y1 = np.minimum(np.ceil(outline.max(0)).astype(int) + 2, (width, height))
    if x0 >= x1 or y0 >= y1:
        return
    region = image[y0:y1, x0:x1]
    covered = np.zeros(region.shape[:2], np.uint8)
    corner = np.array([x0, y0])
    cv2.fillPoly(covered, [np.rint((outline - corner) * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    x, y = np.meshgrid(np.linspace(0, 1, x1 - x0), np.linspace(0, 1, y1 - y0))
    stripe = np.exp(-(((x + 0.5 * y - 0.45) / 0.10) ** 2))
    glass = (covered / 255.0 * (0.05 + 0.16 * stripe))[..., None]
    region[:] = np.rint(region * (1 - glass) + np.array([225, 235, 245]) * glass).astype(np.uint8)
