"""The 68 points' sliding contour: where people mark the jaw of a turned head.

Each of the 17 jaw points has a row of vertices on the model: FRONTAL columns that lead back along the jaw to the one
in column FRONTAL, where the point lies in a frontal picture, and from there on into the face.
"""

from __future__ import annotations

import numpy as np

RIGHT_SIDE, LEFT_SIDE = slice(0, 8), slice(9, 17)
FRONTAL = 4
FULL_TURN = np.radians(35)  # from here on the near side's points lie at the end of their rows


def choose_contour(x_px: np.ndarray, y_px: np.ndarray, yaw: float, roll: float) -> np.ndarray:
    """(17, C) candidates in the image, head angles in radians -> (17,) columns.

    On the side turned away the point is on the outline, the outermost of its row; on the near side it moves back along
    the jaw as the head turns. The chin stays.
    """
    across = x_px * np.cos(roll) - y_px * np.sin(roll)  # along the head's own left in the image
    chosen = np.full(len(x_px), FRONTAL)
    chosen[RIGHT_SIDE] = FRONTAL + across[RIGHT_SIDE, FRONTAL:].argmin(1)
    chosen[LEFT_SIDE] = FRONTAL + across[LEFT_SIDE, FRONTAL:].argmax(1)
    near = RIGHT_SIDE if yaw > 0 else LEFT_SIDE
    back = FRONTAL - round(FRONTAL * min(abs(yaw) / FULL_TURN, 1.0))
    chosen[near] = np.minimum(chosen[near], back)
    return chosen
