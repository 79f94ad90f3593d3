"""What lies behind an avatar: nothing, a colour, the picture, or the picture out of focus."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from realtime.options import BACKGROUNDS, COLOUR

CHEQUER_PX = 12
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
    picture = premultiplied.copy()
    pixels = picture.view(np.uint32)[..., 0]  # four bytes at a time: far quicker to pick
    rows, columns = np.nonzero((picture[..., 3] - 1).astype(np.uint8) < 254)  # clear and opaque ones stay as they are
    edge = pixels[rows, columns].view(np.uint8).reshape(-1, 4).astype(np.uint16)
    edge[:, :3] = np.minimum((edge[:, :3] * 255 + edge[:, 3:] // 2) // np.maximum(edge[:, 3:], 1), 255)
    pixels[rows, columns] = edge.astype(np.uint8).view(np.uint32)[:, 0]
    return picture


def flattened(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) of a (H, W, 3) picture, or of (H, W, 4) straight RGBA on the grey chequers that stand for nothing."""
    if picture.shape[2] == 3:
        return picture
    cover = cv2.merge([picture[..., 3]] * 3)
    over = cv2.multiply(cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB), cover, scale=1 / 255)
    return cv2.add(over, cv2.multiply(_chequers(picture.shape[:2]), 255 - cover, scale=1 / 255))


@lru_cache(maxsize=2)
def _chequers(shape: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8."""
    row, column = np.ogrid[: shape[0], : shape[1]]
    grey = np.where((row // CHEQUER_PX + column // CHEQUER_PX) % 2, 102, 153).astype(np.uint8)
    return cv2.merge([grey] * 3)
