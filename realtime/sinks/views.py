"""Which picture of a shot a sink shows."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from realtime.avatar.background import flattened
from realtime.sinks.base import Shot

View = Callable[[Shot], np.ndarray]

WIDEST = 7680  # pixels of several pictures side by side; H.264 decoders in hardware end near 8192


def original(shot: Shot) -> np.ndarray:
    """(H, W, 3) uint8, as captured."""
    return shot.original.image


def glasses_off(shot: Shot) -> np.ndarray:
    """(H, W, 3) uint8, without glasses."""
    return shot.frame.image


def rendered(shot: Shot) -> np.ndarray:
    """(H, W, 3) uint8, the view drawn by the renderer; without one, the picture without glasses."""
    return shot.frame.image if shot.rendered is None else flattened(shot.rendered)


def transparent(shot: Shot) -> np.ndarray:
    """(H, W, 4) uint8 RGBA, straight alpha: the view drawn by the renderer, opaque where it knows no transparency."""
    picture = shot.frame.image if shot.rendered is None else shot.rendered
    return picture if picture.shape[2] == 4 else cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA)


def side_by_side(*views: View) -> View:
    """Pictures of equal size from left to right, shrunk together where they would become wider than WIDEST."""

    def view(shot: Shot) -> np.ndarray:
        images = [one(shot) for one in views]
        width = sum(image.shape[1] for image in images)
        if width > WIDEST:
            scale = WIDEST / width
            images = [cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for image in images]
        return np.hstack(images)

    return view
