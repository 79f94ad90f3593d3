"""Geometry of our own for the avatar: eyeballs, hat, scarf, and strips (brows, lashes, locks) that lie on the skin."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Colour = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Solid:
    """vertices: (V, 3) mm. triangles: (F, 3) counter-clockwise from outside. colours: (V, 3) display values 0..1.

    shapes: (K, V, 3) mm that morph targets move, or empty for what does not change.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    colours: np.ndarray
    shapes: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 3)))


def joined(solids: list[Solid]) -> Solid:
    """One of several. Those without shapes stay still where others have some."""
    count = max(len(solid.shapes) for solid in solids)
    starts = np.cumsum([0] + [len(solid.vertices) for solid in solids])
    shapes = [s.shapes if len(s.shapes) else np.zeros((count, len(s.vertices), 3)) for s in solids]
    return Solid(
        np.concatenate([solid.vertices for solid in solids]),
        np.concatenate([s.triangles + start for s, start in zip(solids, starts, strict=False)]),
        np.concatenate([solid.colours for solid in solids]),
        np.concatenate(shapes, axis=1),
    )


def sheet(points: np.ndarray, around: bool = False) -> np.ndarray:
    """Triangles of a (rows, columns, 3) grid; around: the last column joins the first.

    Counter-clockwise where columns run to the right and rows upwards as seen from outside.
    """
    rows, columns = points.shape[:2]
    grid = np.arange(rows * columns).reshape(rows, columns)
    if around:
        grid = np.concatenate([grid, grid[:, :1]], axis=1)
    a, b, c, d = grid[:-1, :-1].ravel(), grid[:-1, 1:].ravel(), grid[1:, :-1].ravel(), grid[1:, 1:].ravel()
    return np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])


def ball(
    centre: np.ndarray, radii: np.ndarray, axis: np.ndarray, angles: np.ndarray, colours: np.ndarray, segments: int
) -> Solid:
    """Rings around `axis` (3,), whose angles (R,) from it may repeat for a sharp change of `colours` (R, 3)."""
    axis = axis / np.linalg.norm(axis)
    aside = np.cross([0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [0.0, 1.0, 0.0], axis)
    aside /= np.linalg.norm(aside)
    other = np.cross(axis, aside)
    spin = np.arange(segments) * 2 * np.pi / segments
    ring = np.cos(spin)[:, None] * aside + np.sin(spin)[:, None] * other  # (S, 3)
    unit = np.cos(angles)[:, None, None] * axis + np.sin(angles)[:, None, None] * ring
    points = centre + unit * radii
    return Solid(points.reshape(-1, 3), flipped(sheet(points, True)), np.repeat(colours, segments, axis=0))  # fmt: skip


def flipped(triangles: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(triangles[:, ::-1])


def turned_profile(
    centre: np.ndarray, axis: np.ndarray, profile: np.ndarray, colours: np.ndarray, segments: int,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> Solid:  # fmt: skip
    """A lathe: profile (R, 2) of (distance from the axis, height along it), from below to above on the outside.

    stretch: of the distances, to the side and to the front.
    """
    axis = axis / np.linalg.norm(axis)
    side = np.array([1.0, 0.0, 0.0])
    front = np.cross(side, axis)
    spin = np.arange(segments) * 2 * np.pi / segments
    ring = np.sin(spin)[:, None] * side * stretch[0] + np.cos(spin)[:, None] * front * stretch[1]
    points = centre + profile[:, :1, None] * ring + profile[:, 1:, None] * axis
    return Solid(points.reshape(-1, 3), sheet(points, True), np.repeat(colours, segments, axis=0))


def plain(count: int, colour: Colour) -> np.ndarray:
    return np.tile(np.array(colour, np.float64), (count, 1))
