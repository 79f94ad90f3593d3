"""Eyeballs of our own: rings around the optical axis, so that pupil and iris have clean edges and can turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.face.coefficients import rotation_matrix

PUPIL, IRIS = np.radians(6.6), np.radians(21.5)
RINGS = np.radians([3.5, 6.6, 7.4, 14, 20.5, 22.0, 30, 40, 52, 66, 82, 100])
SEGMENTS = 28
LOOK = {"Down": np.radians(30), "Up": np.radians(25), "In": np.radians(32), "Out": np.radians(32)}
DILATED = np.radians(12.0)  # the pupil's edge at weight 1


@dataclass(frozen=True)
class Eyeball:
    """offsets (N, 3) mm from `centre` (3,); angle (N,) from the optical axis; triangles (F, 3)."""

    centre: np.ndarray
    offsets: np.ndarray
    angle: np.ndarray
    triangles: np.ndarray


def build_eyeball(centre: np.ndarray, sclera_mm: np.ndarray) -> Eyeball:
    """An eyeball with the radial profile (cornea included) of the source's (M, 3) sclera."""
    around = sclera_mm - centre
    length = np.linalg.norm(around, axis=1)
    angle_of_source = np.arccos(np.clip(around[:, 2] / length, -1, 1))
    knots = np.radians(np.arange(0, 130, 5))
    profile = np.array([length[np.abs(angle_of_source - k) < np.radians(5)].mean() for k in knots])
    turn = np.arange(SEGMENTS) * 2 * np.pi / SEGMENTS
    angle = np.r_[0, np.repeat(RINGS, SEGMENTS)]
    spin = np.r_[0, np.tile(turn, len(RINGS))]
    return Eyeball(centre, on_sphere(angle, spin, np.interp(angle, knots, profile)), angle, ring_triangles())


def on_sphere(angle: np.ndarray, spin: np.ndarray, radius: np.ndarray) -> np.ndarray:
    unit = np.c_[np.sin(angle) * np.cos(spin), np.sin(angle) * np.sin(spin), np.cos(angle)]
    return unit * radius[:, None]


def ring_triangles() -> np.ndarray:
    """Counter-clockwise from outside; vertex 0 is the pole, then ring after ring."""
    here = np.arange(SEGMENTS)
    following = (here + 1) % SEGMENTS
    parts = [np.c_[np.zeros(SEGMENTS, int), 1 + here, 1 + following]]
    for ring in range(len(RINGS) - 1):
        a, b = 1 + ring * SEGMENTS, 1 + (ring + 1) * SEGMENTS
        parts += [np.c_[a + here, b + here, b + following], np.c_[a + here, b + following, a + following]]
    return np.concatenate(parts)


def looking(eye: Eyeball, direction: str, is_left: bool) -> np.ndarray:
    """(N, 3) offsets of the fully turned eyeball. Down, Up, In (to the nose), Out."""
    turn = LOOK[direction]
    outwards = 1.0 if is_left else -1.0
    pitch = {"Down": turn, "Up": -turn}.get(direction, 0.0)
    yaw = {"Out": outwards * turn, "In": -outwards * turn}.get(direction, 0.0)
    return eye.offsets @ rotation_matrix(pitch, yaw, 0.0).T - eye.offsets


def dilated(eye: Eyeball) -> np.ndarray:
    """(N, 3) offsets that widen the pupil; the iris's rim stays."""
    angle = np.interp(eye.angle, [0, PUPIL, IRIS, np.pi], [0, DILATED, IRIS, np.pi])
    spin = np.arctan2(eye.offsets[:, 1], eye.offsets[:, 0])
    return on_sphere(angle, spin, np.linalg.norm(eye.offsets, axis=1)) - eye.offsets


def follow(eye: Eyeball, source_offsets: np.ndarray, source_mm: np.ndarray) -> np.ndarray:
    """(N, 3): shift and growth of the source's sclera, (M, 3) offsets at (M, 3) places, for the whole ball."""
    around = source_mm - source_mm.mean(0)
    shift = source_offsets.mean(0)
    growth = ((source_offsets - shift) * around).sum() / (around**2).sum()
    return shift + growth * (eye.offsets + eye.centre - source_mm.mean(0))
