"""Pictures into a size that an output has fixed: whole, undistorted, centred, black (or transparent) around."""

from __future__ import annotations

import cv2
import numpy as np


def even(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) without the odd pixel that 4:2:0 colour has no place for."""
    return size[0] - size[0] % 2, size[1] - size[1] % 2


def fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3 or 4) uint8 in `size` (width, height), its proportions kept; what is an odd pixel too large is cut."""
    width, height = size
    if image.shape[0] - height in (0, 1) and image.shape[1] - width in (0, 1):
        return np.ascontiguousarray(image[:height, :width])
    scale = min(width / image.shape[1], height / image.shape[0])
    inner_w, inner_h = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    x, y = (width - inner_w) // 2, (height - inner_h) // 2
    picture = np.zeros((height, width, image.shape[2]), np.uint8)
    picture[y : y + inner_h, x : x + inner_w] = cv2.resize(image, (inner_w, inner_h), interpolation=how)
    return picture
