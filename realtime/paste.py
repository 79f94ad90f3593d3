"""Putting changed crop pixels back into a frame: integer blending inside the smallest rectangle that changes.

Only the pixels that the mask names are touched. Regions are (x0, y0, x1, y1) in frame pixels, ends excluded.
"""

from __future__ import annotations

import cv2
import numba
import numpy as np

from realtime.align import STRIP_TOP, invert, transform_points
from realtime.lenses import Lens, about

Region = tuple[int, int, int, int]


def region_of(changed: np.ndarray, top: int, frame_from_crop: np.ndarray, shape: tuple[int, ...]) -> Region | None:
    """The frame rectangle around every non-zero pixel of `changed`, (h, w) uint8, whose first row is crop row `top`.

    None when nothing is changed or it lies outside an image of `shape`.
    """
    x, y, width, height = cv2.boundingRect(changed)
    if width == 0:
        return None
    corners = np.array([[x - 1, y - 1], [x + width, y - 1], [x - 1, y + height], [x + width, y + height]], np.float64)
    corners[:, 1] += top
    placed = corners @ frame_from_crop[:, :2].T + frame_from_crop[:, 2]
    x0, y0 = np.maximum(np.floor(placed.min(0)).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(placed.max(0)).astype(int) + 1, (shape[1], shape[0]))
    return (int(x0), int(y0), int(x1), int(y1)) if x1 > x0 and y1 > y0 else None


def warp_to_region(
    strip: np.ndarray, top: int, frame_from_crop: np.ndarray, region: Region, outside: float = 0.0
) -> np.ndarray:
    """Crop rows from `top` on, (h, w[, C]), resampled onto a frame region; `outside` where the rows do not reach."""
    x0, y0, x1, y1 = region
    matrix = np.array(frame_from_crop, np.float64)
    matrix[:, 2] += matrix[:, 1] * top - (x0, y0)
    return cv2.warpAffine(
        strip, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
        borderValue=(outside,) * 4,
    )  # fmt: skip


def paste_strip(image: np.ndarray, strip: np.ndarray, mask: np.ndarray, top: int, crop_from_frame: np.ndarray) -> None:
    """Blend crop rows `strip` (h, w, 3) into `image` (H, W, 3), in place, where `mask` (h, w) says; uint8 all."""
    frame_from_crop = invert(crop_from_frame)
    region = region_of(mask, top, frame_from_crop, image.shape)
    if region is None:
        return
    x0, y0, x1, y1 = region
    weight = warp_to_region(mask, top, frame_from_crop, region)
    source = warp_to_region(strip, top, frame_from_crop, region)
    blend(image[y0:y1, x0:x1], source, weight)


def unbend_frame(image: np.ndarray, lenses: tuple[Lens, ...], crop_from_frame: np.ndarray) -> None:
    """Give what lies behind lenses its true size in a frame (H, W, 3) uint8, in place, at its own resolution."""
    frame_from_crop = invert(crop_from_frame)
    for lens in lenses:
        region = region_of(lens.weight, STRIP_TOP, frame_from_crop, image.shape)
        if region is None:
            continue
        x0, y0, x1, y1 = region
        seen_from_true = about(transform_points(frame_from_crop, lens.centre[None])[0], 1 / lens.scale)
        seen_from_true[:, 2] += seen_from_true[:, :2] @ (x0, y0)
        grown = cv2.warpAffine(
            image, seen_from_true, (x1 - x0, y1 - y0), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        blend(image[y0:y1, x0:x1], grown, warp_to_region(lens.weight, STRIP_TOP, frame_from_crop, region))


def lift_shadow(image: np.ndarray, ratio: np.ndarray, top: int, crop_from_frame: np.ndarray, floor: float) -> None:
    """Divide `image`, in place, by the light `ratio` (h, w, 3) float32 of crop rows from `top` on."""
    frame_from_crop = invert(crop_from_frame)
    shaded = (np.abs(ratio - 1) > 0.01).any(2).astype(np.uint8)
    region = region_of(shaded, top, frame_from_crop, image.shape)
    if region is None:
        return
    x0, y0, x1, y1 = region
    divide(image[y0:y1, x0:x1], warp_to_region(ratio, top, frame_from_crop, region, outside=1.0), floor)


@numba.njit(cache=True, nogil=True)
def blend(target: np.ndarray, source: np.ndarray, weight: np.ndarray) -> None:
    """target (h, w, 3) uint8 becomes source where weight (h, w) uint8 is 255, stays where it is 0."""
    for y in range(target.shape[0]):
        for x in range(target.shape[1]):
            w = np.int32(weight[y, x])
            if w == 0:
                continue
            for c in range(3):
                mixed = np.int32(target[y, x, c]) * (255 - w) + np.int32(source[y, x, c]) * w + 127
                target[y, x, c] = (mixed * 257 + 257) >> 16  # exact division by 255


@numba.njit(cache=True, nogil=True)
def divide(target: np.ndarray, ratio: np.ndarray, floor: float) -> None:
    """target (h, w, 3) uint8 /= max(ratio (h, w, 3), floor) where ratio is not 1, rounded and clipped."""
    least = np.float32(floor)
    for y in range(target.shape[0]):
        for x in range(target.shape[1]):
            for c in range(3):
                r = ratio[y, x, c]
                if np.abs(r - np.float32(1)) <= np.float32(0.005):
                    continue
                lifted = np.float32(target[y, x, c]) / max(r, least) + np.float32(0.5)
                target[y, x, c] = np.uint8(min(lifted, np.float32(255)))
