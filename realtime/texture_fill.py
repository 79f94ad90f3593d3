"""From what a live texture has seen to the picture that the mesh wears: what was not seen is filled from what was.

Albedo 0..1 RGB over (T, T) texels, row = v down, column = u to the subject's left; column T-1-c mirrors column c.
"""

from __future__ import annotations

import cv2
import numba
import numpy as np

from realtime.face.uv import Atlas

ENOUGH = 0.125  # seen as well as that, at some 50 degrees, a texel shows what was seen and nothing else
COARSE = (32, 16, 8, 4)  # sides of the pictures in which what was seen spreads over what was not
MIRRORED = 0.15  # what a texel's mirror image counts for in that, beside its own neighbours


def compose(
    albedo: np.ndarray, seen: np.ndarray, basis: np.ndarray, atlas: Atlas, painted: np.ndarray, skin: np.ndarray,
    rgba: np.ndarray,
) -> None:  # fmt: skip
    """Fill `rgba` (T, T, 4) uint8: what was seen; else the basis in the tone of the seen skin around, with the mirror
    image's detail where that was seen.

    albedo: (T, T, 3) float32 and seen (T, T) float32, how well. basis: (V, 3) float32. painted: (V,) float32 alpha.
    skin: (V,) float32, 1 where a texel may give its neighbours a tone.
    """
    maps = (atlas.triangle, atlas.weights, atlas.corners)
    toned = _paint(basis, _tone(albedo, seen, basis, *maps), *maps)
    excess = np.zeros((*seen.shape, 4), np.float32)
    _exceed(albedo, seen, toned, skin, *maps, excess)
    _compose(albedo, seen, toned, _spread(excess), painted, skin, *maps, rgba)


def _spread(excess: np.ndarray) -> np.ndarray:
    """(T, T, 4), what was seen beyond the basis times how well, and how well -> (T, T, 3) it everywhere, smooth."""
    level: np.ndarray = cv2.resize(excess, (COARSE[0], COARSE[0]), interpolation=cv2.INTER_AREA)
    level = level + np.float32(MIRRORED) * (1 - level[..., 3:]) * level[:, ::-1]
    levels: list[np.ndarray] = [level]
    for side in COARSE[1:]:
        levels.append(cv2.resize(levels[-1], (side, side), interpolation=cv2.INTER_AREA))
    total = levels[-1].sum((0, 1))
    known: np.ndarray = np.tile(total[:3] / max(float(total[3]), 1e-6), (*levels[-1].shape[:2], 1)).astype(np.float32)
    for level in reversed(levels):
        if known.shape[0] != level.shape[0]:
            known = cv2.resize(known, level.shape[:2], interpolation=cv2.INTER_LINEAR)
        lacking = np.maximum(np.float32(0.3) - level[..., 3:], 0)
        known = (level[..., :3] + lacking * known) / (level[..., 3:] + lacking)
    spread: np.ndarray = cv2.resize(known, excess.shape[:2], interpolation=cv2.INTER_LINEAR)
    return spread


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _exceed(albedo, seen, toned, skin, triangle, inside, corners, excess):  # type: ignore[no-untyped-def]
    """What was seen beyond the basis, premultiplied by how well, and how well."""
    for row in range(seen.shape[0]):
        for column in range(seen.shape[1]):
            face = triangle[row, column]
            if face < 0 or seen[row, column] <= 0:
                continue
            w = min(seen[row, column], np.float32(1)) * skin[corners[face, 0]]
            excess[row, column, 3] = w
            for channel in range(3):
                excess[row, column, channel] = w * (albedo[row, column, channel] - toned[row, column, channel])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _compose(albedo, seen, toned, spread, painted, skin, triangle, inside, corners, rgba):  # type: ignore[no-untyped-def]
    size = seen.shape[1]
    for row in range(seen.shape[0]):
        for column in range(size):
            face = triangle[row, column]
            if face < 0:
                continue
            i, j, k = corners[face, 0], corners[face, 1], corners[face, 2]
            a, b, c = inside[row, column, 0], inside[row, column, 1], inside[row, column, 2]
            mirror = size - 1 - column
            own = min(seen[row, column] / np.float32(ENOUGH), np.float32(1))
            other = min(seen[row, mirror] / np.float32(ENOUGH), np.float32(1)) * (1 - own)
            near = skin[i]
            rgba[row, column, 3] = np.uint8(255 * (a * painted[i] + b * painted[j] + c * painted[k]) + np.float32(0.5))
            for channel in range(3):
                fill = toned[row, column, channel] + near * spread[row, column, channel]
                detail = albedo[row, mirror, channel] - toned[row, mirror, channel]
                detail -= near * spread[row, mirror, channel]
                value = own * albedo[row, column, channel] + (1 - own) * fill + other * detail
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
