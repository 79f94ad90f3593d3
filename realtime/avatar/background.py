"""What lies behind an avatar: nothing, a colour, the picture, or the picture out of focus."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.options import BACKGROUNDS, COLOUR

BLURRED_PX = 24  # of the longer side, before it is enlarged again: nobody is known from that


def backdrop(image: np.ndarray, background: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB; (H, W, 4) of zeros where `background` is transparent. May be `image` itself.

    background: one of BACKGROUNDS or #rrggbb. Raises ValueError for anything else.
    """
    if background == "original":
        return image
    if background == "blur":
        return blurred(image)
    if background == "transparent":
        return np.zeros((*image.shape[:2], 4), np.uint8)
    found = COLOUR.fullmatch(background)
    if found is None:
        raise ValueError(f"{background!r} is no background: {', '.join(BACKGROUNDS)} or #rrggbb")
    return np.full(image.shape, [int(part, 16) for part in found.groups()], np.uint8)


def blurred(image: np.ndarray) -> np.ndarray:
    """So far out of focus that shapes are gone and colours stay."""
    height, width = image.shape[:2]
    scale = min(1.0, BLURRED_PX / max(height, width))
    small = cv2.resize(image, (max(1, round(width * scale)), max(1, round(height * scale))),
                       interpolation=cv2.INTER_AREA)  # fmt: skip
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), 1.0), (width, height), interpolation=cv2.INTER_CUBIC)


def straight(premultiplied: np.ndarray) -> np.ndarray:
    """(H, W, 4) uint8 premultiplied RGBA -> straight RGBA, as files hold it."""
    alpha = premultiplied[..., 3:].astype(np.uint16)
    colour = (premultiplied[..., :3].astype(np.uint16) * 255 + alpha // 2) // np.maximum(alpha, 1)
    return np.concatenate([np.minimum(colour, 255).astype(np.uint8), premultiplied[..., 3:]], axis=2)


def flattened(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) of a (H, W, 3) picture, or of (H, W, 4) straight RGBA on the grey chequers that stand for nothing."""
    if picture.shape[2] == 3:
        return picture
    row, column = np.ogrid[: picture.shape[0], : picture.shape[1]]
    chequers = np.where((row // 12 + column // 12) % 2, 102, 153).astype(np.float32)[..., None]
    cover = picture[..., 3:].astype(np.float32) / 255
    return np.round(picture[..., :3] * cover + chequers * (1 - cover)).astype(np.uint8)
