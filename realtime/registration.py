"""Laying one picture over another where both are known: a small, smooth displacement, and the change of light.

Pictures are (h, w[, C]) float32 grey levels 0..255, displacements (h, w, 2) float32 pixels, x right, y down. weight:
(h, w) float32, 0 where either picture is unknown.
"""

from __future__ import annotations

import cv2
import numpy as np

NOISE = 12.0  # squared gradient, of grey levels a pixel, at which a place's say is halved
FARTHEST_PX = 2.0  # that one step may go
SHRINK = 2  # sums over windows are made at half the pictures' resolution


def local_shift(remembered: np.ndarray, seen: np.ndarray, weight: np.ndarray, window_px: float) -> np.ndarray:
    """(h / 2, w / 2, 2) s, one step of Lucas and Kanade: remembered(x + s) looks like seen(x), as far as `window_px`.

    Where little is known or nothing has a contour, s goes to 0.
    """
    gap = (seen - remembered) * weight
    slow = spread(np.dstack([gap, weight]), 0.7 * window_px)
    slow = cv2.resize(slow[..., 0] / np.maximum(slow[..., 1], 1e-3), gap.shape[::-1], interpolation=cv2.INTER_LINEAR)
    gap -= slow * weight  # a change of light is no displacement
    inner = cv2.erode(weight, np.ones((3, 3), np.uint8))
    right = cv2.Sobel(remembered, cv2.CV_32F, 1, 0, scale=0.125) * inner
    down = cv2.Sobel(remembered, cv2.CV_32F, 0, 1, scale=0.125) * inner
    squares = spread(np.dstack([right * right, right * down, down * down, inner]), window_px)
    towards = spread(np.dstack([right * gap, down * gap]), window_px)
    damped = NOISE * squares[..., 3] + 1e-3
    a, b, c = squares[..., 0] + damped, squares[..., 1], squares[..., 2] + damped
    x = c * towards[..., 0] - b * towards[..., 1]
    y = a * towards[..., 1] - b * towards[..., 0]
    return np.clip(np.dstack([x, y]) / (a * c - b * b)[..., None], -FARTHEST_PX, FARTHEST_PX)


def spread(picture: np.ndarray, sigma_px: float) -> np.ndarray:
    """(h / 2, w / 2[, C]): a Gaussian blur of `sigma_px` pixels of the picture, at half its resolution."""
    small = cv2.resize(picture, None, fx=1 / SHRINK, fy=1 / SHRINK, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), sigma_px / SHRINK)
