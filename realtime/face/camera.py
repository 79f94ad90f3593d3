"""Weak-perspective projection, eq. 7. Axes and signs as in `realtime.face.coefficients.Pose`."""

from __future__ import annotations

import numpy as np

from realtime.face.coefficients import Pose


def project(vertices_mm: np.ndarray, pose: Pose) -> np.ndarray:
    """(..., V, 3) mm -> (..., V, 3) float32: x right, y down in pixels, z = scale * depth, larger is nearer."""
    to_image = (pose.scale * pose.rotation).astype(np.float32)
    to_image[1] *= -1
    return vertices_mm.astype(np.float32, copy=False) @ to_image.T + np.array([pose.x, pose.y, 0], np.float32)


def rotate_normals(normals: np.ndarray, pose: Pose) -> np.ndarray:
    """(..., V, 3) float32: normals in camera axes (x to the image's right, y up, z to the camera)."""
    return normals @ pose.rotation.T.astype(np.float32)
