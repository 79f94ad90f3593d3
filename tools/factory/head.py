"""A fitted or synthetic head ready to wear eyeglasses: its mesh in crop pixels, its normals, its shape for seating."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.face.camera import project
from realtime.face.coefficients import SLICES, Pose, pose
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel
from shaders.software import interpolate, rasterise
from tools.factory.seat import HeadShape, head_shape


@dataclass(frozen=True)
class PosedHead:
    """vertices_px (V, 3) float32 as `camera.project`; normals (V, 3) unit, camera axes (x right, y up, z near)."""

    vertices_px: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray
    pose: Pose
    shape: HeadShape

    def to_px(self, points_mm: np.ndarray) -> np.ndarray:
        """(N, 3) model millimetres -> (N, 3) float32 crop pixels, z larger is nearer."""
        return project(points_mm.astype(np.float32), self.pose)


@dataclass(frozen=True)
class HeadMaps:
    """What each pixel of a crop sees of the head; `triangle` is -1 beside it.

    positions (h, w, 3) float32 x right, y up, z near in pixels, NaN beside; normals (h, w, 3).
    """

    triangle: np.ndarray
    barycentric: np.ndarray
    positions: np.ndarray
    normals: np.ndarray


def pose_head(model: FaceModel, coefficients: np.ndarray) -> PosedHead:
    """The head of (239,) coefficients; it sits for glasses without expression, since those do not move with it."""
    vertices = model.vertices(coefficients)
    neutral = np.array(coefficients, copy=True)
    neutral[SLICES["expression"]] = 0
    resting = model.vertices(neutral)
    here = pose(coefficients)
    normals = vertex_normals(vertices, model.triangles) @ here.rotation.T.astype(np.float32)
    shape = head_shape(resting, model.triangles, resting[model.landmarks])
    return PosedHead(project(vertices, here), normals.astype(np.float32), model.triangles, here, shape)


def head_maps(head: PosedHead, size: tuple[int, int]) -> HeadMaps:
    """Rasterise a head over a crop of (h, w)."""
    depth, triangle, barycentric = rasterise(head.vertices_px, head.triangles, size)
    normals = interpolate(head.normals, head.triangles, triangle, barycentric)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True) + 1e-9
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    positions = np.stack([columns, -rows, np.where(triangle >= 0, depth, np.nan)], 2)
    return HeadMaps(triangle, barycentric, positions.astype(np.float32), normals)
