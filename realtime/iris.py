"""Finds the iris in a small grey picture of one eye, to a fraction of a pixel, and how much of it shows.

Every edge votes for the centre of the dark disc that it could bound, one iris radius away from it (radial symmetry,
Loy and Zelinsky 2003). Upright edges count most: lids hide the top and bottom of an iris, and lids and lashes lie flat.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np

from realtime.eye_picture import BRIGHTEST, HEIGHT, MIDDLE, WIDTH

RADII_PX = np.array([6.0, 7.0, 8.0], np.float32)  # of an iris of 11 to 13 mm across
REACH_PX = (10.5, 8.0)  # how far from the middle an iris is looked for, right and down; it fades out beyond


@dataclass(frozen=True, slots=True)
class Iris:
    """x, y: its centre in the eye's picture, px. strength: of its edge, times how much darker than skin it is inside:
    about 0.06 for a pale iris to 1.2 for a dark one, less than a third of that where the eye is closed.
    """

    x: float
    y: float
    strength: float


def find_iris(eye: np.ndarray) -> Iris:
    """(HEIGHT, WIDTH) uint8 grey, upright -> the likeliest iris; its strength tells whether there is one."""
    soft = cv2.GaussianBlur(eye, (0, 0), 1.0).astype(np.float32)
    skin = float(np.partition(eye.ravel(), eye.size // 2)[eye.size // 2])  # the median, of mostly skin
    soft = np.minimum(soft / max(skin, 20.0), BRIGHTEST)
    right, down = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=1 / 8)
    votes = cv2.GaussianBlur(_vote(right, down, RADII_PX), (0, 0), 1.5)
    row, column = divmod(int((votes * LIKELY).argmax()), WIDTH)
    rows, columns = slice(max(row - 2, 0), row + 3), slice(max(column - 2, 0), column + 3)
    near = votes[rows, columns] ** 2
    total = float(near.sum()) + 1e-12
    dark = 1.0 - cv2.mean(soft[max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4])[0]
    return Iris(
        float((near * ACROSS[rows, columns]).sum()) / total,
        float((near * DOWN[rows, columns]).sum()) / total,
        float(votes[row, column] * min(1.5 * LIKELY[row, column], 1.0)) * max(dark, 0.05),
    )


@numba.njit(cache=True)
def _vote(right: np.ndarray, down: np.ndarray, radii: np.ndarray) -> np.ndarray:
    height, width = right.shape
    votes = np.zeros((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            across, along = right[y, x], down[y, x]
            length = np.sqrt(across * across + along * along) + np.float32(1e-4)
            weight = across * across / length
            if weight < 1e-4:
                continue
            for radius in radii:  # brighter outside: the centre lies against the gradient
                to_x = int(np.floor(x - radius * across / length + 0.5))
                to_y = int(np.floor(y - radius * along / length + 0.5))
                if 0 <= to_x < width and 0 <= to_y < height:
                    votes[to_y, to_x] += weight
    return votes


DOWN, ACROSS = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
LIKELY = np.exp(-(((ACROSS - MIDDLE[0]) / REACH_PX[0]) ** 6 + ((DOWN - MIDDLE[1]) / REACH_PX[1]) ** 4))
