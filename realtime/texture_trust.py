"""What a look at a face may be believed: which texels show what they are thought to show.

Pixels of the aligned crop, x right, y down; model axes in millimetres, y up. Colours are albedo RGB, 1 = white.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.face.model import FaceModel
from realtime.face.regions import FaceRegion
from shaders.base import read_only
from shaders.software import EMPTY, scan

DEPTH_STEP = 2  # pixels of the crop to a cell of the depth picture that tells what hides what
LIPS = (FaceRegion.U_LIP, FaceRegion.L_LIP)
AROUND_LIPS_MM = 6.0  # so far from the lips, what lies there may show teeth when the mesh's mouth is not the camera's
OUTER_LIPS, INNER_LIPS = np.r_[50:53, 58:55:-1], np.r_[61:64, 67:64:-1]
SHUT, OPEN = 0.025, 0.06  # distance of the inner lips over that of the outer eye corners


@dataclass(frozen=True, eq=False)
class Zones:
    """Shares 0..1 of every vertex, (V,) float32.

    mouth: lips and the skin around them, where an open mouth may come to lie; lip: the lips alone, and lips: their
    numbers. skin: numbers of vertices that are bare skin on nearly everybody: the cheeks beside the nose.
    """

    mouth: np.ndarray
    lip: np.ndarray
    lips: np.ndarray
    skin: np.ndarray


def zones_of(model: FaceModel) -> Zones:
    """Measured on the mean face."""
    points, regions = model.mean, model.regions
    lips = points[np.isin(regions, LIPS)]
    distance = np.sqrt(((points[:, None] - lips[None]) ** 2).sum(2).min(1))
    outer = np.isin(regions, (FaceRegion.SKIN, *LIPS))
    mouth = np.where(outer, np.clip(2 - distance / AROUND_LIPS_MM, 0, 1), 0)
    eyes = points[np.isin(regions, (FaceRegion.L_EYE, FaceRegion.R_EYE))]
    low, high = points[np.isin(regions, LIPS), 1].max() + 10, eyes[:, 1].min() - 8
    cheeks = (regions == FaceRegion.SKIN) & (points[:, 1] > low) & (points[:, 1] < high)
    cheeks &= np.abs(points[:, 0]) < np.abs(eyes[:, 0]).max()
    lip = np.isin(regions, LIPS)
    return Zones(mouth.astype(np.float32), lip.astype(np.float32), np.flatnonzero(lip), np.flatnonzero(cheeks))


def depth_of(placed: np.ndarray, triangles: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(h / DEPTH_STEP, w / DEPTH_STEP) float32: z of what each cell of the crop shows, -inf where that is no mesh.

    placed: (V, 3) of `camera.project`.
    """
    coarse = placed.copy()
    coarse[:, :2] = (coarse[:, :2] + 0.5) / DEPTH_STEP - 0.5
    cells = ((shape[0] + DEPTH_STEP - 1) // DEPTH_STEP, (shape[1] + DEPTH_STEP - 1) // DEPTH_STEP)
    depth = np.full(cells, -np.inf, np.float32)
    scan(read_only(coarse, np.float32), read_only(triangles, np.int32), depth, np.full(cells, EMPTY, np.int32), True)
    return depth


def openness(landmarks: np.ndarray) -> float:
    """0..1, how far the lips are parted in (68, 2) landmarks; 0 where they may well touch."""
    parted = np.linalg.norm(landmarks[61:64] - landmarks[67:64:-1], axis=1).max()
    eyes = max(float(np.linalg.norm(landmarks[45] - landmarks[36])), 1.0)
    return float(np.clip((parted / eyes - SHUT) / (OPEN - SHUT), 0, 1))


def colour_of(
    crop: np.ndarray, placed: np.ndarray, weight: np.ndarray, light: np.ndarray, vertices: np.ndarray
) -> np.ndarray:
    """(3,) float32 median albedo that the crop shows at those vertices it sees well; 0 where it sees too few."""
    seen = vertices[weight[vertices] > 0.3]
    x, y = np.round(placed[seen, :2]).astype(np.intp).T
    inside = (x >= 0) & (y >= 0) & (x < crop.shape[1]) & (y < crop.shape[0])
    if inside.sum() < 8:
        return np.zeros(3, np.float32)
    shown = crop[y[inside], x[inside]] / (np.float32(255) * light[seen[inside], None])
    return np.median(shown, axis=0).astype(np.float32)


def lip_colour(crop: np.ndarray, landmarks: np.ndarray, light: float) -> np.ndarray:
    """(3,) float32 median albedo that the crop shows between the lips' outer and inner lines in that light."""
    x, y = np.round((landmarks[OUTER_LIPS] + landmarks[INNER_LIPS]) / 2).astype(np.intp).T
    x, y = np.clip(x, 0, crop.shape[1] - 1), np.clip(y, 0, crop.shape[0] - 1)
    return (np.median(crop[y, x], axis=0) / (255 * max(light, 1e-3))).astype(np.float32)
