"""The landmark map L that guides the generator (paper section 3.2): the 68 points drawn as thin curves in the strip.

One channel, as in the paper. The points are joined along brows, nose, eyelids, lips and jaw: the same
information as 68 lone pixels, but each pixel near an eyelid says so by itself, which a small network learns far sooner.
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime.align import CROP_SIZE, STRIP_BOTTOM, STRIP_TOP

SUBPIXEL_BITS = 4
CURVES = (  # first, one past the last point, closed
    (0, 17, False), (17, 22, False), (22, 27, False), (27, 31, False), (31, 36, False),
    (36, 42, True), (42, 48, True), (48, 60, True), (60, 68, True),
)  # fmt: skip


def landmark_map(points: np.ndarray) -> np.ndarray:
    """(68, 2) pixels of the 256x256 crop -> (128, 256) float32 0..1: anti-aliased curves one pixel wide."""
    canvas = np.zeros((STRIP_BOTTOM - STRIP_TOP, CROP_SIZE), np.uint8)
    moved = np.asarray(points, np.float64) - (0, STRIP_TOP)
    fixed = np.round(np.clip(moved, -512, 1024) * (1 << SUBPIXEL_BITS)).astype(np.int32)
    for first, end, closed in CURVES:
        cv2.polylines(canvas, [fixed[first:end]], closed, 255, 1, cv2.LINE_AA, SUBPIXEL_BITS)
    return canvas.astype(np.float32) / 255
