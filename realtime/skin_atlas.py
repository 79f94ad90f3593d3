"""The remembered skin itself: a colour and how well it was seen, for each texel of the UV atlas's periocular window.

Colours are display values 0..255 in the light of when they were first seen.
"""

from __future__ import annotations

import cv2
import numba
import numpy as np

from realtime.skin_patch import SkinPatch, SkinView

FORGET = 16.0  # looks that a texel's average remembers
TRUSTED = 0.7  # looks, as squarely as can be, after which a texel is fully believed
LEAST_FACING = 0.3  # cosine of the angle to the camera
HIDDEN_PX = 6.0  # so far behind what a pixel shows, a texel is hidden
WHOLE = 0.999  # of a blend of pixels with skin, 1, and without, 0: all have it
LEAST_SURE = 0.1  # weight of a look in a light that could not be compared
UNLIKE = 45.0  # grey levels between remembered and seen at which half of the memory is dropped at once


class SkinAtlas:
    """premultiplied: (h, w, 4) float32, colour times sure, and sure 0..1; looks: (h, w) float32."""

    def __init__(self, patch: SkinPatch):
        self.patch = patch
        self.colour = np.zeros((*patch.triangle.shape, 3), np.float32)
        self.looks = np.zeros(patch.triangle.shape, np.float32)
        self.premultiplied = np.zeros((*patch.triangle.shape, 4), np.float32)
        self.empty = True

    def take(
        self, strip: np.ndarray, bare: np.ndarray, view: SkinView, shift: np.ndarray, light: np.ndarray
    ) -> None:
        """Add a (128, 256, 3) uint8 strip, weighted by bare (128, 256) uint8 and by how squarely the skin is seen.

        shift (32, 64, 2) pixels: from where the mesh says a texel is back to where it is seen. light (32, 64, 4):
        grey levels by which the strip is lighter than the memory, which are taken off, and how sure that is, 0..1.
        """
        patch = self.patch
        _take(
            strip, bare, view.placed, view.depth, np.ascontiguousarray(shift, np.float32),
            np.ascontiguousarray(light, np.float32), patch.triangle, patch.weights, patch.triangles,
            self.colour, self.looks, self.premultiplied,
        )  # fmt: skip
        self.empty = not self.looks.any()

    def recall(self, texels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What pixels with these texels (h, w, 3) show: (h, w, 3) float32 0..255, and (h, w) 0..1 how sure that is."""
        columns, rows = (np.ascontiguousarray(texels[..., k]) for k in range(2))
        found = cv2.remap(self.premultiplied, columns, rows, cv2.INTER_LINEAR)
        sure = found[..., 3]
        colour = found[..., :3] / np.maximum(sure, 1e-3)[..., None]
        return colour, np.where(texels[..., 2] > WHOLE, sure, 0)

    def fill(
        self, strip: np.ndarray, hole: np.ndarray, texels: np.ndarray, light: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """A (128, 256, 3) uint8 strip with what is known of its hole, and how far to believe it, (128, 256) 0..1.

        hole: (128, 256) uint8, not 0 where something is wanted. texels: (64, 128, 3) of every second pixel. light:
        (128, 256, 4) float32, grey levels to add, and how far to believe, 0..1.
        """
        filled, share = strip.copy(), np.zeros(hole.shape, np.float32)
        _fill(hole, texels, self.premultiplied, light, filled, share)
        return filled, share


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _take(strip, bare, placed, depth, shift, light, triangle, weights, corners, colour, looks, premultiplied):  # type: ignore[no-untyped-def]
    """A running mean per texel of what the strip shows of it."""
    last_row, last_column = strip.shape[0] - 1, strip.shape[1] - 1
    seen = np.zeros(3, np.float32)
    for row in range(triangle.shape[0]):
        for column in range(triangle.shape[1]):
            if triangle[row, column] < 0:
                continue
            x, y, z, facing = _place(placed, corners[triangle[row, column]], weights[row, column])
            if facing < LEAST_FACING or not (0 <= x < last_column and 0 <= y < last_row):
                continue
            if z < depth[int(y / 2), int(x / 2)] - HIDDEN_PX:
                continue
            down, across = int(y / 4), int(x / 4)
            x, y = x - shift[down, across, 0], y - shift[down, across, 1]
            if not (0 <= x < last_column and 0 <= y < last_row):
                continue
            top, left = int(y), int(x)
            clear = min(bare[top, left], bare[top, left + 1], bare[top + 1, left], bare[top + 1, left + 1])
            if clear == 0:
                continue
            unlike = np.float32(0)
            for channel in range(3):
                seen[channel] = _between(strip, y, x, channel) - light[down, across, channel]
                unlike += abs(seen[channel] - colour[row, column, channel])
            known_light = max(light[down, across, 3], np.float32(LEAST_SURE))
            weight = facing * facing * np.float32(clear) * np.float32(1 / 255) * known_light
            before = min(looks[row, column], np.float32(FORGET))
            if unlike > np.float32(3 * UNLIKE):
                before *= np.float32(0.5)
            looks[row, column] = before + weight
            sure = min(looks[row, column] * np.float32(1 / TRUSTED), np.float32(1))
            premultiplied[row, column, 3] = sure
            for channel in range(3):
                change = weight / looks[row, column] * (seen[channel] - colour[row, column, channel])
                colour[row, column, channel] += change
                premultiplied[row, column, channel] = sure * colour[row, column, channel]


@numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _place(placed, corner, weight):  # type: ignore[no-untyped-def]
    """Where a texel is in the strip, its depth, and the cosine of its angle to the camera."""
    i, j, k = corner[0], corner[1], corner[2]
    a, b, c = weight[0], weight[1], weight[2]
    x = a * placed[i, 0] + b * placed[j, 0] + c * placed[k, 0]
    y = a * placed[i, 1] + b * placed[j, 1] + c * placed[k, 1]
    z = a * placed[i, 2] + b * placed[j, 2] + c * placed[k, 2]
    ux, uy, uz = placed[j, 0] - placed[i, 0], placed[j, 1] - placed[i, 1], placed[j, 2] - placed[i, 2]
    vx, vy, vz = placed[k, 0] - placed[i, 0], placed[k, 1] - placed[i, 1], placed[k, 2] - placed[i, 2]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, uy * vx - ux * vy
    return x, y, z, nz / np.sqrt(nx * nx + ny * ny + nz * nz + np.float32(1e-12))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _fill(hole, texels, premultiplied, light, filled, share):  # type: ignore[no-untyped-def]
    """Bilinear in `texels`, then in `premultiplied`, at the pixels of the hole."""
    last_row, last_column = np.float32(texels.shape[0] - 1.001), np.float32(texels.shape[1] - 1.001)
    found = np.zeros(4, np.float32)
    for row in range(hole.shape[0]):
        for column in range(hole.shape[1]):
            if hole[row, column] == 0:
                continue
            y = min(max(np.float32(row - 0.5) / 2, np.float32(0)), last_row)
            x = min(max(np.float32(column - 0.5) / 2, np.float32(0)), last_column)
            if _between(texels, y, x, 2) < WHOLE:
                continue
            down, across = _between(texels, y, x, 1), _between(texels, y, x, 0)
            if not (0 <= down < premultiplied.shape[0] - 1 and 0 <= across < premultiplied.shape[1] - 1):
                continue
            for channel in range(4):
                found[channel] = _between(premultiplied, down, across, channel)
            sure = found[3]
            if sure <= np.float32(0.5):
                continue
            share[row, column] = (2 * sure - 1) * light[row, column, 3]
            for channel in range(3):
                value = found[channel] / sure + light[row, column, channel] + np.float32(0.5)
                filled[row, column, channel] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))


@numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _between(picture, y, x, channel):  # type: ignore[no-untyped-def]
    """One channel of (h, w, C) at row y, column x."""
    top, left = int(y), int(x)
    fy, fx = y - np.float32(top), x - np.float32(left)
    upper = picture[top, left, channel] * (1 - fx) + picture[top, left + 1, channel] * fx
    lower = picture[top + 1, left, channel] * (1 - fx) + picture[top + 1, left + 1, channel] * fx
    return upper * (1 - fy) + lower * fy
