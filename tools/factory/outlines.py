"""Lens outlines of the rim families: closed curves in millimetres, x away from the nose, y up, centred on the lens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

POINTS = 56  # along one outline


@dataclass(frozen=True)
class Outline:
    """A rounded box with the few shears that tell the families apart.

    width_mm, height_mm: the boxed lens size. corner: superellipse exponent (2 ellipse, 6 nearly a box).
    taper: the bottom narrower than the top (aviator, wayfarer) as a fraction of the width; negative for the opposite.
    nasal: how far the lower inner corner is cut away for the nose, fraction. lift: the upper outer corner raised
    (cat-eye), fraction of the height. droop: the lower outer corner lowered (aviator), fraction of the height.
    flat_top: the upper edge pressed flat, 0..1. polygon: number of corners of a geometric rim, 0 for none.
    """

    width_mm: float
    height_mm: float
    corner: float = 2.5
    taper: float = 0.0
    nasal: float = 0.0
    lift: float = 0.0
    droop: float = 0.0
    flat_top: float = 0.0
    polygon: int = 0


def sample_outline(family: str, rng: np.random.Generator) -> Outline:
    """A random outline of a family of `FAMILIES`. Raises KeyError for an unknown one."""
    return FAMILIES[family](rng)


def curve(outline: Outline) -> np.ndarray:
    """(56, 2) float64 points at equal arc lengths, counter-clockwise, starting at the outer side, boxed size exact."""
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    if outline.polygon:
        x, y = _polygon(angle, outline.polygon)
    else:
        power = 2 / outline.corner
        x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
        y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power
    y = np.where(y > 0, np.minimum(y, y * (1 - 0.25 * outline.flat_top) + 0.02), y)
    lower = np.clip(-y, 0, 1)
    x = x * (1 + outline.taper * (y - 0.3))
    x = np.where(x < 0, x * (1 - outline.nasal * lower**1.3), x)
    outward = np.clip(x, 0, 1.3)
    y = y + outline.lift * outward**2 * np.clip(y + 0.25, 0, None) - outline.droop * outward * lower
    points = np.stack([x, y], 1)
    low, high = points.min(0), points.max(0)
    points = (points - (low + high) / 2) / (high - low) * (outline.width_mm, outline.height_mm)
    return _equal_steps(points, POINTS)


def _polygon(angle: np.ndarray, corners: int) -> tuple[np.ndarray, np.ndarray]:
    """A regular polygon with softened corners, in polar form."""
    step = 2 * np.pi / corners
    local = (angle + step / 2) % step - step / 2
    radius = np.cos(step / 2) / np.cos(local - 0.0)
    radius = 1 / (1 / radius * 0.88 + 0.12)
    return radius * np.cos(angle), radius * np.sin(angle)


def _equal_steps(points: np.ndarray, count: int) -> np.ndarray:
    closed = np.vstack([points, points[:1]])
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))]
    at = np.linspace(0, length[-1], count, endpoint=False)
    return np.stack([np.interp(at, length, closed[:, k]) for k in range(2)], 1)


def _round(rng: np.random.Generator) -> Outline:
    width = rng.uniform(41, 51)
    return Outline(width, width * rng.uniform(0.88, 1.0), corner=rng.uniform(2.0, 2.3), nasal=rng.uniform(0, 0.08))


def _oval(rng: np.random.Generator) -> Outline:
    width = rng.uniform(46, 54)
    return Outline(width, width * rng.uniform(0.58, 0.78), corner=rng.uniform(2.1, 2.6), nasal=rng.uniform(0, 0.12))


def _rectangle(rng: np.random.Generator) -> Outline:
    width = rng.uniform(48, 57)
    height = width * rng.uniform(0.5, 0.68)
    return Outline(width, height, corner=rng.uniform(3.2, 6.0), taper=rng.uniform(0, 0.08), nasal=rng.uniform(0, 0.15))


def _square(rng: np.random.Generator) -> Outline:
    width = rng.uniform(47, 56)
    height = width * rng.uniform(0.7, 0.9)
    return Outline(
        width, height, corner=rng.uniform(2.8, 4.5), taper=rng.uniform(0.03, 0.14), nasal=rng.uniform(0.05, 0.2),
        lift=rng.uniform(0, 0.06), flat_top=rng.uniform(0, 0.6),
    )  # fmt: skip


def _aviator(rng: np.random.Generator) -> Outline:
    width = rng.uniform(53, 62)
    return Outline(
        width, width * rng.uniform(0.78, 0.92), corner=rng.uniform(2.2, 2.7), taper=rng.uniform(0.1, 0.22),
        nasal=rng.uniform(0.2, 0.4), droop=rng.uniform(0.05, 0.18), flat_top=rng.uniform(0.2, 0.8),
    )  # fmt: skip


def _cat_eye(rng: np.random.Generator) -> Outline:
    width = rng.uniform(49, 57)
    return Outline(
        width, width * rng.uniform(0.62, 0.84), corner=rng.uniform(2.3, 3.2), taper=rng.uniform(0.1, 0.2),
        nasal=rng.uniform(0.05, 0.2), lift=rng.uniform(0.15, 0.45),
    )  # fmt: skip


def _browline(rng: np.random.Generator) -> Outline:
    width = rng.uniform(47, 54)
    return Outline(
        width, width * rng.uniform(0.7, 0.86), corner=rng.uniform(2.5, 3.3), taper=rng.uniform(0.06, 0.16),
        nasal=rng.uniform(0.08, 0.2), flat_top=rng.uniform(0.4, 1.0),
    )  # fmt: skip


def _geometric(rng: np.random.Generator) -> Outline:
    width = rng.uniform(46, 54)
    return Outline(width, width * rng.uniform(0.8, 0.95), polygon=int(rng.choice([6, 8])))


def _oversized(rng: np.random.Generator) -> Outline:
    width = rng.uniform(56, 64)
    return Outline(
        width, width * rng.uniform(0.78, 0.95), corner=rng.uniform(2.2, 3.4), taper=rng.uniform(0, 0.1),
        nasal=rng.uniform(0.08, 0.25), lift=rng.uniform(0, 0.12),
    )  # fmt: skip


def _sport(rng: np.random.Generator) -> Outline:
    width = rng.uniform(60, 68)
    return Outline(
        width, width * rng.uniform(0.5, 0.65), corner=rng.uniform(2.4, 3.4), taper=rng.uniform(0.05, 0.15),
        nasal=rng.uniform(0.2, 0.4), lift=rng.uniform(0, 0.15),
    )  # fmt: skip


FAMILIES = {
    "round": _round, "oval": _oval, "rectangle": _rectangle, "square": _square, "aviator": _aviator,
    "cat_eye": _cat_eye, "browline": _browline, "half_rim": _rectangle, "rimless": _oval, "geometric": _geometric,
    "oversized": _oversized, "sport": _sport,
}  # fmt: skip
