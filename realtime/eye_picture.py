"""The small grey picture of one eye in which its iris and its lids are looked for: upright, and of a known scale."""

from __future__ import annotations

import cv2
import numpy as np

WIDTH, HEIGHT = 56, 40  # px
PX_PER_MM = 1.15  # about that of the aligned crop
BRIGHTEST = 1.6  # glints are cut off there, over the picture's median
MIDDLE = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])


def eye_picture(
    grey: np.ndarray, centre_px: np.ndarray, px_per_mm: float, roll: float
) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) uint8 crop -> (HEIGHT, WIDTH) uint8 around `centre_px`, upright in the head, and its (2, 3) eye_from_crop.

    px_per_mm: of the crop. roll: of the head there, radians, as `coefficients.Pose`.
    """
    scale = PX_PER_MM / max(px_per_mm, 1e-3)
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    linear = np.array([[cos, -sin], [sin, cos]])
    eye_from_crop = np.hstack([linear, (MIDDLE - linear @ centre_px)[:, None]])
    return cv2.warpAffine(grey, eye_from_crop, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE), eye_from_crop


def normalised(eye: np.ndarray) -> np.ndarray:
    """(HEIGHT, WIDTH) uint8 grey -> float32 in units of the median, which is mostly skin; glints are cut off."""
    skin = float(np.partition(eye.ravel(), eye.size // 2)[eye.size // 2])
    return np.minimum(eye.astype(np.float32) / max(skin, 20.0), BRIGHTEST)
