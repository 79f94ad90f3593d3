"""A differentiable picture of the morphable face, for eq. 8 and 9.

Which triangle a pixel shows is found once, without gradient, by the software rasteriser; where in the triangle it lies
and its colour are computed in torch, so that shape, pose, texture and light get gradients inside the outline. The
outline itself carries none: landmarks hold it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from realtime.align import CROP_SIZE
from shaders.software import rasterise
from tools.train.face_torch import FaceTorch, project


def render(face: FaceTorch, coefficients: Tensor, size: int, shown: np.ndarray) -> tuple[Tensor, Tensor]:
    """(N, 239) coefficients, pose in pixels of the 256 crop -> picture (N, 3, size, size) RGB, black where nothing is,
    and (N, 1, size, size), 1 where a triangle of `shown` (F,) bool is seen.
    """
    vertices = face.vertices(coefficients)
    scale = size / CROP_SIZE
    seen = project(vertices, coefficients) * scale + (0.5 * scale - 0.5)  # pixel centres at integers in both
    colours = face.colours(coefficients, vertices)
    triangles = face.triangles.cpu().numpy().astype(np.int32)
    flat = seen.detach().cpu().numpy().astype(np.float32)
    pictures, masks = [], []
    for k in range(len(coefficients)):
        _, triangle, _ = rasterise(np.ascontiguousarray(flat[k]), triangles, (size, size))
        covered = torch.from_numpy(np.flatnonzero(triangle.ravel() >= 0)).to(seen.device)
        corners = face.triangles[torch.from_numpy(triangle.ravel().astype(np.int64)).to(seen.device)[covered]]  # (P, 3)
        pixels = torch.stack([covered % size, covered // size], 1).to(seen.dtype)
        weights = barycentric(pixels, seen[k, :, :2][corners])
        colour = (weights[..., None] * colours[k][corners]).sum(1)  # (P, 3)
        picture = colour.new_zeros(size * size, 3).index_put((covered,), colour)
        pictures.append(picture.T.reshape(3, size, size))
        masks.append(torch.from_numpy(((triangle >= 0) & shown[np.maximum(triangle, 0)])[None]).to(seen))
    return torch.stack(pictures), torch.stack(masks)


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
