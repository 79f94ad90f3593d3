"""Eyeglasses drawn flat over a face by its landmarks: cheap occluders for the landmark network and the detector.

Not the data factory's rendered ones: no light, no depth, but every shape, tint and thickness, in half a millisecond.
"""

from __future__ import annotations

import cv2
import numpy as np

SHIFT = 4  # fractional bits of cv2's drawing coordinates


def draw_glasses(image: np.ndarray, points: np.ndarray, rng: np.random.Generator, dark: float = 0.4) -> np.ndarray:
    """A copy of (H, W, 3) uint8 `image` whose face, (68, 2) `points` in pixels, wears random glasses.

    dark: probability that the lenses are dark.
    """
    eyes = [points[36:42].mean(0), points[42:48].mean(0)]
    across = eyes[1] - eyes[0]
    distance = float(np.hypot(*across))
    if distance < 4.0:
        return image.copy()
    x_axis = across / distance
    y_axis = np.array([-x_axis[1], x_axis[0]])
    outlines = _outlines(eyes, points, distance, x_axis, y_axis, rng)
    worn = image.copy()
    _fill_lenses(worn, outlines, rng, rng.random() < dark)
    if rng.random() < 0.9:
        _draw_rims(worn, image, outlines, points, distance, rng)
    if rng.random() < 0.4:
        _glare(worn, outlines, rng)
    return worn


def _outlines(
    eyes: list[np.ndarray],
    points: np.ndarray,
    distance: float,
    x_axis: np.ndarray,
    y_axis: np.ndarray,
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """Two closed superellipses, (48, 2) pixels each, mirrored over the nose; a turned head's far one is narrower."""
    power, half_width = rng.uniform(2.0, 5.0), rng.uniform(0.32, 0.52) * distance
    half_height, drop = half_width * rng.uniform(0.6, 1.05), rng.uniform(-0.08, 0.18) * distance
    flare, narrow = rng.uniform(-0.25, 0.3), rng.uniform(0.0, 0.35)
    nose = points[27] @ x_axis
    reach = np.array([abs(eye @ x_axis - nose) for eye in eyes])
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    shapes = []
    for side, eye, room in zip((-1, 1), eyes, reach / max(reach.mean(), 1.0), strict=True):
        c, s = np.cos(angle), np.sin(angle)
        x = np.sign(c) * np.abs(c) ** (2 / power) * half_width * np.clip(room, 0.5, 1.2)
        y = np.sign(s) * np.abs(s) ** (2 / power) * half_height
        y = y - flare * x * side * 0.4  # cat eyes rise outwards
        x = x * (1.0 - narrow * np.clip(y / half_height, 0, 1))  # aviators narrow below
        centre = eye + y_axis * drop + x_axis * side * 0.04 * distance
        shapes.append(centre + x[:, None] * x_axis + y[:, None] * y_axis)
    return shapes


def _fill_lenses(image: np.ndarray, outlines: list[np.ndarray], rng: np.random.Generator, dark: bool) -> None:
    """Tint the inside of the outlines, evenly or fading downwards."""
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [_fixed(o) for o in outlines], 255, cv2.LINE_AA, SHIFT)
    rows = np.flatnonzero(mask.any(1))
    if rows.size == 0:
        return
    opacity = rng.uniform(0.65, 1.0) if dark else rng.uniform(0.0, 0.25)
    fade = np.ones(image.shape[0], np.float32)
    if rng.random() < 0.4:
        fade[rows] = np.linspace(1.0, rng.uniform(0.3, 1.0), rows.size)
    top, bottom = rows[0], rows[-1] + 1
    alpha = (mask[top:bottom, :, None] / np.float32(255)) * (opacity * fade[top:bottom])[:, None, None]
    tint = rng.uniform(0, 60, 3) if dark and rng.random() < 0.8 else rng.uniform(0, 255, 3)
    part = image[top:bottom]
    part[:] = (part * (1 - alpha) + tint.astype(np.float32) * alpha).astype(np.uint8)


def _draw_rims(
    worn: np.ndarray,
    bare: np.ndarray,
    outlines: list[np.ndarray],
    points: np.ndarray,
    distance: float,
    rng: np.random.Generator,
) -> None:
    """Rims, bridge and temples of one colour; half rims now and then."""
    colour = tuple(int(v) for v in (rng.uniform(0, 60, 3) if rng.random() < 0.6 else rng.uniform(0, 255, 3)))
    thickness = max(1, round(rng.uniform(0.015, 0.1) * distance))
    half = rng.random() < 0.2
    for outline in outlines:
        kept = np.roll(outline, 24, axis=0)[:25] if half else outline
        cv2.polylines(worn, [_fixed(kept)], not half, colour, thickness, cv2.LINE_AA, SHIFT)
    right, left = outlines
    inner = right[np.argmax(right @ (points[45] - points[36]))], left[np.argmin(left @ (points[45] - points[36]))]
    outer = right[np.argmin(right @ (points[45] - points[36]))], left[np.argmax(left @ (points[45] - points[36]))]
    cv2.line(worn, *(_point(p) for p in inner), colour, thickness, cv2.LINE_AA, SHIFT)
    for end, ear in zip(outer, (points[0], points[16]), strict=True):
        cv2.line(
            worn, _point(end), _point(ear + rng.normal(0, 0.05, 2) * distance), colour, thickness, cv2.LINE_AA, SHIFT
        )
    if rng.random() < 0.3:  # a light plastic lets some skin through
        cv2.addWeighted(worn, 0.75, bare, 0.25, 0, dst=worn)


def _glare(image: np.ndarray, outlines: list[np.ndarray], rng: np.random.Generator) -> None:
    """A bright streak or spot on the lenses."""
    lens, spot = np.zeros(image.shape[:2], np.uint8), np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(lens, [_fixed(o) for o in outlines], 255, cv2.LINE_AA, SHIFT)
    for outline in outlines:
        low, high = outline.min(0), outline.max(0)
        start, end = rng.uniform(low, high), rng.uniform(low, high)
        cv2.line(spot, _point(start), _point(end), 255, max(1, round(rng.uniform(0.05, 0.4) * float((high - low)[1]))))
    alpha = (cv2.min(lens, spot)[..., None] / np.float32(255)) * np.float32(rng.uniform(0.2, 0.9))
    image[:] = (image * (1 - alpha) + rng.uniform(170, 255) * alpha).astype(np.uint8)


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(points * (1 << SHIFT)).astype(np.int32)


def _point(point: np.ndarray) -> tuple[int, int]:
    x, y = _fixed(point)
    return int(x), int(y)
