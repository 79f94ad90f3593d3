"""Eyeglasses of the test pattern: rims, bridge and temples as tubes, and the outlines of the lenses.

Model axes, millimetres. Fitted to a head by a few of its landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIDES = 8  # corners of a tube's cross-section
RIM_POINTS = 40
HALF_WIDTH, HALF_HEIGHT = 25.0, 18.5  # of a lens
SQUARENESS = 3.2  # exponent of the superellipse: 2 is round
RIM_RADIUS, TEMPLE_RADIUS = 1.8, 1.6
CLEARANCE = 9.0  # from the bridge of the nose to the rims, so that brows and lashes stay free


@dataclass(frozen=True, slots=True, eq=False)
class GlassesMesh:
    """vertices: (V, 3) float32 mm. triangles: (F, 3) int32, counter-clockwise from outside. lenses: (N, 3) outlines."""

    vertices: np.ndarray
    triangles: np.ndarray
    lenses: tuple[np.ndarray, np.ndarray]


def wear_glasses(landmarks: np.ndarray) -> GlassesMesh:
    """(68, 3) landmarks of a head at rest -> glasses that sit on its nose and reach its ears."""
    bridge = landmarks[27]
    eyes = {1: landmarks[42:48].mean(0), -1: landmarks[36:42].mean(0)}  # +1: the subject's left
    front = float(bridge[2]) + CLEARANCE
    tubes, lenses = [], []
    for side, eye in eyes.items():
        outline = _rim(eye[0] + side * 1.5, eye[1] - 2.5, front)
        lenses.append(outline)
        tubes.append(_tube(outline, RIM_RADIUS, closed=True))
        tubes.append(_tube(_temple(outline, side, landmarks[16 if side > 0 else 0]), TEMPLE_RADIUS, closed=False))
    tubes.append(_tube(_bridge(lenses[0], lenses[1]), RIM_RADIUS, closed=False))
    starts = np.cumsum([0] + [len(vertices) for vertices, _ in tubes[:-1]])
    return GlassesMesh(
        np.concatenate([vertices for vertices, _ in tubes]).astype(np.float32),
        np.concatenate([faces + start for (_, faces), start in zip(tubes, starts, strict=True)]).astype(np.int32),
        (lenses[0].astype(np.float32), lenses[1].astype(np.float32)),
    )


def _rim(x: float, y: float, front: float) -> np.ndarray:
    """(N, 3) outline of a lens, counter-clockwise from the front, bent around the head."""
    angle = np.linspace(0, 2 * np.pi, RIM_POINTS, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    across = x + HALF_WIDTH * np.sign(cos) * np.abs(cos) ** (2 / SQUARENESS)
    up = y + HALF_HEIGHT * np.sign(sin) * np.abs(sin) ** (2 / SQUARENESS)
    return np.stack([across, up, front - 0.003 * across**2], 1)


def _bridge(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(N, 3) an arch between the inner edges of the rims, a little above their middle."""
    start = left[np.argmin(np.abs(left[:, 1] - left[:, 1].mean() - 5) + np.abs(left[:, 0] - left[:, 0].min()))]
    end = right[np.argmin(np.abs(right[:, 1] - right[:, 1].mean() - 5) + np.abs(right[:, 0] - right[:, 0].max()))]
    share = np.linspace(0, 1, 9)[:, None]
    arch = np.sin(np.pi * share) * np.array([[0, 2.5, 2.0]])
    return start * (1 - share) + end * share + arch


def _temple(outline: np.ndarray, side: int, ear: np.ndarray) -> np.ndarray:
    """(N, 3) from the rim's outer edge past the ear, then bent down behind it."""
    outer = outline[np.argmax(side * outline[:, 0] + 0.3 * outline[:, 1])]
    beside = np.array([ear[0] + side * 9.0, outer[1] - 1.0, ear[2] - 38.0])
    corner = np.array([outer[0] + side * 5.0, outer[1], outer[2] - 5.0])
    tip = beside + np.array([-side * 3.0, -26.0, -16.0])
    return np.array([outer, corner, 0.5 * (corner + beside), beside, tip])


def _tube(path: np.ndarray, radius: float, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """((N * SIDES, 3) vertices, (F, 3) triangles) around a path of N points; an open one is capped by its own ends."""
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    aside = np.cross(ahead, np.where(np.abs(ahead[:, 2:]) > 0.8, [[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]))
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    upward = np.cross(aside, ahead)
    angle = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)[:, None]
    rings = path[:, None] + radius * (np.cos(angle) * aside[:, None] + np.sin(angle) * upward[:, None])
    count = len(path)
    ring, corner = np.meshgrid(np.arange(count if closed else count - 1), np.arange(SIDES), indexing="ij")
    following, turned = (ring + 1) % count, (corner + 1) % SIDES
    a, b, c, d = (r * SIDES + k for r, k in ((ring, corner), (ring, turned), (following, turned), (following, corner)))
    faces = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])
    return rings.reshape(-1, 3), faces
