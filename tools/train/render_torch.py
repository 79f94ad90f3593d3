"""A differentiable picture of the morphable face, for eq. 8 and 9.

Which triangle a pixel shows is found once, without gradient, by the software rasteriser (by torch itself on a graphics
card, and where numba is missing); where in the triangle it lies
and its colour are computed in torch, so that shape, pose, texture and light get gradients inside the outline. The
outline itself carries none: landmarks hold it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from realtime.align import CROP_SIZE
from tools.train.face_torch import FaceTorch, project
from tools.train.rasterise_torch import visible_triangles


def render(face: FaceTorch, coefficients: Tensor, size: int, shown: np.ndarray) -> tuple[Tensor, Tensor]:
    """(N, 239) coefficients, pose in pixels of the 256 crop -> picture (N, 3, size, size) RGB, black where nothing is,
    and (N, 1, size, size), 1 where a triangle of `shown` (F,) bool is seen.
    """
    vertices = face.vertices(coefficients)
    scale = size / CROP_SIZE
    seen = project(vertices, coefficients) * scale + (0.5 * scale - 0.5)  # pixel centres at integers in both
    colours = face.colours(coefficients, vertices)
    visible = _rasteriser(seen, face.triangles, size)
    known = torch.from_numpy(shown).to(seen.device)
    pictures, masks = [], []
    for k in range(len(coefficients)):
        triangle = visible(k)
        covered = torch.nonzero(triangle.ravel() >= 0)[:, 0]
        corners = face.triangles[triangle.ravel()[covered]]  # (P, 3)
        pixels = torch.stack([covered % size, covered // size], 1).to(seen.dtype)
        weights = barycentric(pixels, seen[k, :, :2][corners])
        colour = (weights[..., None] * colours[k][corners]).sum(1)  # (P, 3)
        picture = colour.new_zeros(size * size, 3).index_put((covered,), colour)
        pictures.append(picture.T.reshape(3, size, size))
        masks.append(((triangle >= 0) & known[triangle.clamp(min=0)])[None].to(seen))
    return torch.stack(pictures), torch.stack(masks)


def _rasteriser(seen: Tensor, triangles: Tensor, size: int) -> Callable[[int], Tensor]:
    """Number of a picture of the batch (N, V, 3) -> (size, size) int64, the triangle that each pixel shows, or -1."""
    if seen.device.type == "cpu":
        try:
            from shaders.software import rasterise
        except ModuleNotFoundError:  # numba, which training does without
            pass
        else:
            flat, faces = seen.detach().numpy().astype(np.float32), triangles.numpy().astype(np.int32)
            return lambda k: torch.from_numpy(rasterise(flat[k], faces, (size, size))[1].astype(np.int64))
    return lambda k: visible_triangles(seen[k].detach().float(), triangles, size)


def paint(values: Tensor, triangles: Tensor, triangle: Tensor, weights: Tensor) -> Tensor:
    """Vertex values (N, V, C) on what was rasterised before -> (N, C, size, size), 0 where nothing is.

    triangles: (F, 3); triangle: (N, size, size), -1 where empty; weights: (N, size, size, 3) barycentric.
    """
    n, count, channels = values.shape
    triangles = triangles.to(values.device)
    covered = torch.nonzero(triangle.flatten() >= 0)[:, 0]
    flat = triangle.flatten()[covered].long()
    corners = triangles[flat] + count * (covered // triangle[0].numel())[:, None]  # (P, 3) rows of all N together
    rows = values.reshape(n * count, channels).index_select(0, corners.flatten()).unflatten(0, (-1, 3))
    colour = (rows * weights.reshape(-1, 3)[covered][..., None].to(rows.dtype)).sum(1)
    pictures = colour.new_zeros(triangle.numel(), channels).index_copy(0, covered, colour)
    return pictures.reshape(*triangle.shape, channels).permute(0, 3, 1, 2)


def barycentric(points: Tensor, corners: Tensor) -> Tensor:
    """(P, 2) points in triangles (P, 3, 2) -> (P, 3) weights of the corners; slivers are kept finite."""
    a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    ap = points - a
    area = ab[:, 0] * ac[:, 1] - ac[:, 0] * ab[:, 1]
    area = torch.where(area.abs() < 1e-3, torch.full_like(area, 1e-3), area)
    second = (ap[:, 0] * ac[:, 1] - ac[:, 0] * ap[:, 1]) / area
    third = (ab[:, 0] * ap[:, 1] - ap[:, 0] * ab[:, 1]) / area
    weights = torch.stack([1 - second - third, second, third], 1)
    return weights.clamp(-0.5, 1.5)
