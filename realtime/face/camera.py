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


def towards_camera(normals: np.ndarray, least: float = 0.3) -> np.ndarray:
    """(V, 3) rotated unit normals, those that look away bent until z >= `least`: float32.

    A pixel that is seen faces the camera. In the folds beside the nose, vertices that do not would draw dark lines.
    """
    bent = np.array(normals, np.float32)
    away = np.flatnonzero(bent[:, 2] < least)
    side = bent[away, :2]
    side *= (np.sqrt(1 - least**2) / np.maximum(np.linalg.norm(side, axis=1), 1e-6))[:, None]
    bent[away] = np.column_stack([side, np.full(len(away), least, np.float32)])
    return bent
