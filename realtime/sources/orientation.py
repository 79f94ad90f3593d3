"""Display rotation: the 3x3 matrix that phones put beside their video, and turning pictures by it."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type

Linear = tuple[int, int, int, int]  # a, b, c, d of x' = a x + c y, y' = b x + d y, each -1, 0 or 1
UPRIGHT: Linear = (1, 0, 0, 1)


def display_matrix(picture: av.VideoFrame) -> Linear:
    """The quarter turn or flip nearest to the picture's display matrix; UPRIGHT where there is none."""
    sides: Any = picture.side_data
    side = sides.get(Type.DISPLAYMATRIX)
    if side is None:
        return UPRIGHT
    a, b, _, c, d = np.frombuffer(bytes(side), np.int32, count=5).tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return (_sign(a), 0, 0, _sign(d))
    return (0, _sign(b), _sign(c), 0)


def _sign(value: int) -> int:
    return -1 if value < 0 else 1


def turn_upright(image: np.ndarray, matrix: Linear) -> np.ndarray:
    """(H, W, 3) as stored -> (H, W, 3) or (W, H, 3) as shown, contiguous."""
    if matrix == UPRIGHT:
        return image
    a, b, c, d = matrix
    if a == 0:
        image = image.transpose(1, 0, 2)
    flip_x, flip_y = a + c < 0, b + d < 0
    return np.ascontiguousarray(image[:: -1 if flip_y else 1, :: -1 if flip_x else 1])
