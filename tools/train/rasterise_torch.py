"""Which triangle each pixel shows, found by torch alone: for graphics cards, and for machines without numba.

Pixels, x right, y down, pixel centres at integers, z larger is nearer. No gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor

EMPTY = -1  # triangle number of a pixel that shows nothing


@torch.no_grad()
def visible_triangles(vertices: Tensor, triangles: Tensor, size: int) -> Tensor:
    """(V, 3) x, y in pixels and z; (F, 3) int64 -> (size, size) int64, EMPTY where nothing is.

    Every triangle is tried on the pixels of its own box, boxes of like size together. Equal depths keep the lower
    number; on a shared edge both triangles claim the pixel, so no crack shows.
    """
    corners = vertices[triangles]  # (F, 3, 3)
    low = corners[..., :2].amin(1).ceil().clamp(min=0)
    extent = (corners[..., :2].amax(1).floor().clamp(max=size - 1) - low + 1).amax(1)
    usable = corners.isfinite().all(2).all(1) & (extent > 0)
    claims = []
    side = 2
    while bool(usable.any()):
        chosen = torch.nonzero(usable & (extent <= side))[:, 0]
        usable = usable & (extent > side)
        if len(chosen):
            claims.append(_claims(corners, low, chosen, side, size))
        side *= 2
    picture = torch.full((size * size,), EMPTY, dtype=torch.int64, device=vertices.device)
    if claims:
        pixel, number, depth = (torch.cat(part) for part in zip(*claims, strict=True))
        nearest = torch.full((size * size,), -torch.inf, device=depth.device, dtype=depth.dtype)
        nearest.scatter_reduce_(0, pixel, depth, "amax")
        wins = depth == nearest[pixel]
        first = torch.full_like(picture, len(triangles)).scatter_reduce_(0, pixel[wins], number[wins], "amin")
        picture = torch.where(first < len(triangles), first, picture)
    return picture.reshape(size, size)


def _claims(corners: Tensor, low: Tensor, chosen: Tensor, side: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """The pixels inside the triangles `chosen` (n,), their boxes at most `side` wide: pixel, triangle, depth (P,)."""
    steps = torch.arange(side, device=low.device)
    grid = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), 2).reshape(1, side * side, 2)
    points = low[chosen, None].to(torch.int64) + grid  # (n, side * side, 2)
    a, b, c = (corners[chosen, None, k, :2].double() for k in range(3))
    z, p = corners[chosen, None, :, 2].double(), points.double()
    area = _cross(b - a, c - a)
    weights = torch.stack([_cross(c - b, p - b), _cross(a - c, p - c), _cross(b - a, p - a)], 2)
    weights = weights * area.sign()[..., None]
    within = (weights >= 0).all(2) & (area != 0) & (points < size).all(2)
    depth = (weights * z).sum(2) / area.abs().clamp(min=1e-12)
    row, column = torch.nonzero(within, as_tuple=True)
    at = points[row, column]
    return at[:, 1] * size + at[:, 0], chosen[row], depth[row, column].float()


def _cross(u: Tensor, v: Tensor) -> Tensor:
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
