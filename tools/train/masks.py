"""Holes to train the generator on: what the deleter would cut out of a labelled picture, or drawn from landmarks.

Masks are (256, 256) uint8 of the aligned crop, 255 = deleted; points (68, 2) pixels of the crop.
"""

from __future__ import annotations

import cv2
import numpy as np

from engines.networks.classes import Region
from realtime.align import CROP_SIZE

DELETED = (Region.FRAME, Region.DARK_LENS, Region.GLARE)
EYES = (np.arange(36, 42), np.arange(42, 48))


def deleted_mask(labels: np.ndarray) -> np.ndarray:
    """(H, W) uint8 class map M -> what the deleter deletes: frame, dark lens and glare."""
    return np.isin(labels, DELETED).astype(np.uint8) * 255


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Dilated by a disc of the given radius."""
    if pixels <= 0:
        return mask
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1)))


def jittered(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As imperfect as a real parsing: grown by 0..4 pixels, sometimes with extra strokes."""
    mask = grown(mask, int(rng.integers(0, 5)))
    for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.3 else 0):
        stroke = rng.uniform((20, 50), (236, 170), (3, 2)).cumsum(0) / np.array([[1], [2], [3]])
        cv2.polylines(mask, [np.int32(stroke)], False, 255, int(rng.integers(2, 7)))
    return mask


def drawn_glasses(points: np.ndarray, rng: np.random.Generator, dark: bool) -> np.ndarray:
    """Eyeglass-shaped hole around the eyes of (68, 2) points: rims, bridge and temples; with `dark` the lenses too."""
    mask = np.zeros((CROP_SIZE, CROP_SIZE), np.uint8)
    centres = np.array([points[eye].mean(0) for eye in EYES])
    across = centres[1] - centres[0]
    apart = max(float(np.hypot(*across)), 1.0)
    axis = across / apart
    down = np.array([-axis[1], axis[0]])
    half = apart * np.array([rng.uniform(0.32, 0.48), rng.uniform(0.22, 0.42)])
    drop = apart * rng.uniform(-0.05, 0.14)
    power = rng.uniform(1.6, 5.0)  # 2 ellipse .. 5 rounded rectangle
    taper = rng.uniform(-0.1, 0.25)  # narrower below, as aviators are
    width = int(rng.integers(2, 9))
    rims = [
        _outline(c + drop * down, half, power, taper * sign, axis, down)
        for c, sign in zip(centres, (1, -1), strict=True)
    ]
    for rim in rims:
        if dark:
            cv2.fillPoly(mask, [rim], 255)
        cv2.polylines(mask, [rim], True, 255, width)
    height = drop - half[1] * rng.uniform(-0.1, 0.6)
    inner = [c + s * half[0] * 0.95 * axis + height * down for c, s in zip(centres, (1, -1), strict=True)]
    middle = (inner[0] + inner[1]) / 2 - rng.uniform(0, 0.12) * apart * down
    cv2.polylines(mask, [np.int32([inner[0], middle, inner[1]])], False, 255, width)
    for c, sign, ear in ((centres[0], -1, points[0]), (centres[1], 1, points[16])):
        hinge = c + sign * half[0] * axis + height * down
        cv2.line(mask, np.int32(hinge).tolist(), np.int32(ear + rng.normal(0, 6, 2) - (0, 10)).tolist(), 255, width)
    if rng.random() < 0.2:
        spot = centres[int(rng.integers(2))] + rng.normal(0, 0.15 * apart, 2)
        size = np.int32(apart * rng.uniform(0.04, 0.16, 2)).tolist()
        cv2.ellipse(mask, np.int32(spot).tolist(), size, float(rng.uniform(0, 180)), 0, 360, 255, -1)
    return mask


def _outline(
    centre: np.ndarray, half: np.ndarray, power: float, taper: float, axis: np.ndarray, down: np.ndarray
) -> np.ndarray:
    """(40, 2) int32 superellipse, sheared inwards below by `taper`."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    x = np.sign(c) * np.abs(c) ** (2 / power) * half[0]
    y = np.sign(s) * np.abs(s) ** (2 / power) * half[1]
    x = x + taper * np.maximum(y, 0)
    return np.int32(np.round(centre + x[:, None] * axis + y[:, None] * down))
