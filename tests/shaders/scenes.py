"""Shapes whose pictures have exact answers: a sphere, a plane facing the camera at a slant, one triangle."""

from __future__ import annotations

import cv2
import numpy as np

from shaders import Topology


def sphere(
    rings: int = 65, radius_px: float = 100.0, centre_px: tuple[float, float] = (160.0, 120.0)
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """vertices (V, 3) pixels, triangles (F, 3), normals (V, 3) model axes (y up), uv (V, 2) of a sphere."""
    polar, around = np.meshgrid(np.linspace(0, np.pi, rings), np.linspace(0, 2 * np.pi, rings), indexing="ij")
    normals = np.stack([np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)], -1).reshape(
        -1, 3
    )
    uv = np.stack([around / (2 * np.pi), polar / np.pi], -1).reshape(-1, 2)
    grid = np.arange(rings * rings).reshape(rings, rings)
    a, b, c, d = grid[:-1, :-1].ravel(), grid[1:, :-1].ravel(), grid[:-1, 1:].ravel(), grid[1:, 1:].ravel()
    triangles = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    vertices = normals * (radius_px, -radius_px, radius_px) + (*centre_px, 0.0)
    return vertices.astype(np.float32), triangles.astype(np.int32), normals.astype(np.float32), uv.astype(np.float32)


def grid_plane(
    shape: tuple[int, int], cells: int = 8, slope: tuple[float, float] = (0.0, 0.0), height: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """vertices and triangles of a mesh covering (h, w) pixels, jittered inside, z = height + slope . (x, y)."""
    rows, columns = shape
    x, y = np.meshgrid(np.linspace(-0.5, columns - 0.5, cells + 1), np.linspace(-0.5, rows - 0.5, cells + 1))
    jitter = np.random.default_rng(5).uniform(-0.3, 0.3, (2, cells + 1, cells + 1))
    jitter[:, [0, -1]] = 0
    jitter[:, :, [0, -1]] = 0
    x, y = x + jitter[0] * columns / cells, y + jitter[1] * rows / cells
    vertices = np.stack([x, y, height + slope[0] * x + slope[1] * y], -1).reshape(-1, 3)
    grid = np.arange((cells + 1) ** 2).reshape(cells + 1, cells + 1)
    a, b, c, d = grid[:-1, :-1].ravel(), grid[1:, :-1].ravel(), grid[:-1, 1:].ravel(), grid[1:, 1:].ravel()
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    return vertices.astype(np.float32), triangles.astype(np.int32)


def sheet(
    shape: tuple[int, int], cells: int = 8, slope: tuple[float, float] = (0.0, 0.0)
) -> tuple[Topology, np.ndarray, np.ndarray]:
    """topology, vertices and normals of `grid_plane` whose uv puts one texel of a (h, w) texture on each pixel."""
    vertices, triangles = grid_plane(shape, cells, slope)
    uv = (vertices[:, :2] + 0.5) / np.array([shape[1], shape[0]], np.float32)
    normals = np.tile(np.array([0, 0, 1], np.float32), (len(vertices), 1))
    return Topology(triangles, uv), vertices, normals


def smooth_picture(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """uint8 blobs of colour."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, shape[2]), dtype=np.uint8)
    return cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
