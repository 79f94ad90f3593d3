"""Undoing the power of lenses: what they shrink or enlarge gets its true size again in the crop (a frame: `paste`).

Behind a lens of P dioptres, d metres in front of the skin, everything lies nearer to the lens's centre than it is, by
the factor 1 - d P (a thin lens). One such scale serves both lenses of a pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.networks.classes import Region
from realtime.align import STRIP_TOP

BRIDGE = slice(27, 31)  # landmarks of the nose's bridge, which parts the lenses
LEAST_LENS_PX = 150  # of one lens in the strip; a smaller piece does not tell where the lens's centre is
POINT_BLUR_PX = 9
UNSEEN = 0.008  # log of a scale that moves nothing by half a pixel


@dataclass(frozen=True, eq=False)
class Lens:
    """centre: (2,) crop pixels. scale: true over seen distance from it. weight: (128, 256) uint8, 255 inside the lens,
    of the strip."""

    centre: np.ndarray
    scale: float
    weight: np.ndarray


def lenses_of(labels: np.ndarray, middle: float, scale: float) -> tuple[Lens, ...]:
    """The clear lenses of a pair, at most one on either side of the nose.

    labels: (128, 256) uint8 class map of the strip. middle: column of the nose's bridge. Empty where the scale is 1.
    """
    if abs(np.log(scale)) < UNSEEN:
        return ()
    glass = np.isin(labels, (Region.CLEAR_LENS, Region.GLARE)).astype(np.uint8)
    border = int(np.clip(round(middle), 0, labels.shape[1]))
    found = []
    for side in (slice(0, border), slice(border, None)):
        one = np.zeros_like(glass)
        one[:, side] = glass[:, side]
        if int(one.sum()) < LEAST_LENS_PX:
            continue
        rows, columns = np.nonzero(one)
        hull = cv2.convexHull(np.stack([columns, rows], 1).astype(np.int32))
        weight = cv2.fillConvexPoly(np.zeros_like(glass), hull, 255)
        moments = cv2.moments(weight, binaryImage=True)
        centre = np.array([moments["m10"], moments["m01"]]) / moments["m00"] + (0, STRIP_TOP)
        found.append(Lens(centre, scale, cv2.blur(weight, (3, 3))))
    return tuple(found)


def unbend_strip(strip: np.ndarray, lenses: tuple[Lens, ...]) -> np.ndarray:
    """(128, 256[, 3]) uint8 strip -> a copy in which what lies behind the lenses has its true size."""
    out = strip.copy()
    for lens in lenses:
        centre = lens.centre - (0, STRIP_TOP)
        grown = cv2.warpAffine(
            strip, about(centre, 1 / lens.scale), strip.shape[1::-1], flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        if strip.ndim == 3:
            weight = lens.weight[..., None].astype(np.uint16)
            out = ((out * (255 - weight) + grown * weight + 127) // 255).astype(np.uint8)
        else:  # a mask stays one
            out = np.where(lens.weight > 127, grown, out)
    return out


def unbend_points(points: np.ndarray, lenses: tuple[Lens, ...]) -> np.ndarray:
    """(n, 2) crop pixels seen -> where those behind a lens truly are. Near its rim a point moves by a share, so that
    one that comes and goes there does not jump."""
    out = np.array(points, np.float32)
    for lens in lenses:
        inside = cv2.blur(lens.weight, (POINT_BLUR_PX, POINT_BLUR_PX)).astype(np.float32) / 255
        x, y = (np.asarray(points, np.float32) - (0, STRIP_TOP)).T.astype(np.float32)
        share = cv2.remap(inside, x[:, None], y[:, None], cv2.INTER_LINEAR, borderValue=0)
        out += share * (points - lens.centre) * (lens.scale - 1)
    return out


def about(centre: np.ndarray, scale: float) -> np.ndarray:
    """(2, 3) that scales about a point."""
    return np.hstack([scale * np.eye(2), ((1 - scale) * np.asarray(centre, np.float64))[:, None]])
