"""The 68 points' sliding contour: where the outline of a turned head runs."""

from __future__ import annotations

import numpy as np

RIGHT_SIDE, LEFT_SIDE = slice(0, 8), slice(9, 17)


def choose_contour(x_px: np.ndarray, y_px: np.ndarray, roll: float) -> np.ndarray:
    """(17, C) candidates in the image -> (17,) column of each row's outermost, seen upright; the chin takes the first.

    Column 0 is the jaw point proper: on the near side, where it is the outermost of its row, it stays.
    """
    across = x_px * np.cos(roll) - y_px * np.sin(roll)  # along the head's own left in the image
    chosen = np.zeros(len(x_px), np.int64)
    chosen[RIGHT_SIDE] = across[RIGHT_SIDE].argmin(1)
    chosen[LEFT_SIDE] = across[LEFT_SIDE].argmax(1)
    return chosen
