"""Small triangle meshes that eyeglasses are made of: sweeps along a path, lenses, ellipsoids. Any unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit


@dataclass(frozen=True)
class Mesh:
    """vertices (V, 3) float64, triangles (F, 3) int32, part (F,) uint8: which `glasses.Part` a triangle belongs to."""

    vertices: np.ndarray
    triangles: np.ndarray
    part: np.ndarray


def join(meshes: list[Mesh]) -> Mesh:
    """One mesh of several; an empty list gives an empty mesh."""
    if not meshes:
        return Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32), np.zeros(0, np.uint8))
    starts = np.cumsum([0] + [len(m.vertices) for m in meshes[:-1]])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.triangles + s for m, s in zip(meshes, starts, strict=True)]).astype(np.int32),
        np.concatenate([m.part for m in meshes]),
    )


def mirrored(mesh: Mesh) -> Mesh:
    """The mesh on the other side of the face (x negated, winding kept outward)."""
    return Mesh(mesh.vertices * (-1, 1, 1), np.ascontiguousarray(mesh.triangles[:, ::-1]), mesh.part)


def rounded_section(count: int = 8, corner: float = 3.0) -> np.ndarray:
    """(count, 2) superellipse cross-section of half size 1, counter-clockwise, corners between the axes."""
    angle = (np.arange(count) + 0.5) * 2 * np.pi / count
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([np.sign(cos) * np.abs(cos) ** (2 / corner), np.sign(sin) * np.abs(sin) ** (2 / corner)], 1)


def sweep(
    path: np.ndarray, across: np.ndarray, upward: np.ndarray, half: np.ndarray, section: np.ndarray, part: int,
    closed: bool = False,
) -> Mesh:  # fmt: skip
    """A tube: `section` (K, 2) times `half` (N, 2) on unit vectors across, upward (N, 3), along path (N, 3)."""
    n, k = len(path), len(section)
    offsets = half[:, None, :] * section[None]  # (N, K, 2)
    rings = path[:, None] + offsets[..., :1] * across[:, None] + offsets[..., 1:] * upward[:, None]
    vertices = rings.reshape(-1, 3)
    triangles = _tube_triangles(n, k, closed)
    if _volume(vertices, triangles) < 0:
        triangles = triangles[:, ::-1]
    return Mesh(vertices, np.ascontiguousarray(triangles, np.int32), np.full(len(triangles), part, np.uint8))


@lru_cache(maxsize=256)
def _tube_triangles(n: int, k: int, closed: bool) -> np.ndarray:
    rows = np.arange(n if closed else n - 1)
    ring, nxt = rows[:, None] * k, ((rows + 1) % n)[:, None] * k
    a, b = np.arange(k)[None], (np.arange(k)[None] + 1) % k
    quads = np.stack([ring + a, ring + b, nxt + b, nxt + a], -1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    if not closed:
        triangles = np.concatenate([triangles, _cap(0, k, True), _cap((n - 1) * k, k, False)])
    return triangles.astype(np.int32)


def tube(path: np.ndarray, half: np.ndarray, section: np.ndarray, part: int, up: np.ndarray) -> Mesh:
    """An open sweep whose section turns as little as possible; half[:, 1] is measured along `up` (3,) at the start."""
    across, upward = _carried(np.ascontiguousarray(path, np.float64), np.asarray(up, np.float64))
    return sweep(path, across, upward, half, section, part)


def fan(outline: np.ndarray, centre: np.ndarray, rings: int, part: int) -> Mesh:
    """A disc inside a closed outline (N, 2), as (x, y, 0) points in `rings` rings around `centre` (2,), facing +z."""
    n = len(outline)
    steps = np.arange(1, rings + 1) / rings
    flat = centre + (outline - centre)[None] * steps[:, None, None]
    vertices = np.concatenate([[np.r_[centre, 0]], np.c_[flat.reshape(-1, 2), np.zeros(n * rings)]])
    around = np.arange(n)
    after = (around + 1) % n
    triangles = [np.stack([np.zeros(n, int), 1 + around, 1 + after], 1)]
    for r in range(rings - 1):
        inner, outer = 1 + r * n, 1 + (r + 1) * n
        triangles.append(np.stack([inner + around, outer + around, outer + after], 1))
        triangles.append(np.stack([inner + around, outer + after, inner + after], 1))
    faces = np.concatenate(triangles).astype(np.int32)
    return Mesh(vertices, faces, np.full(len(faces), part, np.uint8))


def ellipsoid(centre: np.ndarray, axes: np.ndarray, part: int, around: int = 8, down: int = 5) -> Mesh:
    """centre (3,), axes (3, 3): the rows are the half axes."""
    theta = np.linspace(0, np.pi, down)[:, None]
    phi = np.linspace(0, 2 * np.pi, around, endpoint=False)[None]
    ball = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + 0 * phi], -1)
    vertices = ball.reshape(-1, 3) @ axes + centre
    r, c = np.meshgrid(np.arange(down - 1), np.arange(around), indexing="ij")
    a, b = r * around + c, r * around + (c + 1) % around
    quads = np.stack([a, a + around, b + around, b], -1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    if _volume(vertices, triangles) < 0:
        triangles = np.ascontiguousarray(triangles[:, ::-1])
    return Mesh(vertices, triangles, np.full(len(triangles), part, np.uint8))


def _cap(start: int, k: int, first: bool) -> np.ndarray:
    around = np.arange(1, k - 1)
    fan_ = np.stack([np.full(k - 2, start), start + around, start + around + 1], 1)
    return fan_[:, ::-1] if first else fan_


@njit(cache=True)
def _carried(path, up):  # type: ignore[no-untyped-def]
    """Across and upward unit vectors (N, 3) along a path, `up` carried from its start without needless turning."""
    count = len(path)
    across, upward = np.empty((count, 3)), np.empty((count, 3))
    current = up.copy()
    for i in range(count):
        tangent = path[min(i + 1, count - 1)] - path[max(i - 1, 0)]
        tangent = tangent / (np.sqrt((tangent * tangent).sum()) + 1e-12)
        current = current - (current * tangent).sum() * tangent
        current = current / (np.sqrt((current * current).sum()) + 1e-12)
        upward[i] = current
        across[i, 0] = current[1] * tangent[2] - current[2] * tangent[1]
        across[i, 1] = current[2] * tangent[0] - current[0] * tangent[2]
        across[i, 2] = current[0] * tangent[1] - current[1] * tangent[0]
    return across, upward


@njit(cache=True)
def _volume(vertices, triangles):  # type: ignore[no-untyped-def]
    """Signed: positive where the triangles wind counter-clockwise seen from outside."""
    total = 0.0
    for f in range(len(triangles)):
        ax, ay, az = vertices[triangles[f, 0]]
        bx, by, bz = vertices[triangles[f, 1]]
        cx, cy, cz = vertices[triangles[f, 2]]
        total += ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
    return total
