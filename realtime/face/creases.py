"""The creases of a face, round the nostrils and between the lips, where a mesh's own normals must not be lit by."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from realtime.face.camera import towards_camera
from realtime.face.model import FaceModel
from realtime.face.regions import FaceRegion

CREASED = (FaceRegion.NOSE, FaceRegion.U_LIP, FaceRegion.L_LIP)
ROUNDS = 8  # until the light draws no line that the photograph has not (half as many leave one at the nostrils)


@dataclass(frozen=True, eq=False)
class Creases:
    """vertices: (N,) numbers of the creased vertices. triangles: (F, 3) int32 between them, numbers into `vertices`."""

    vertices: np.ndarray
    triangles: np.ndarray


def creases_of(model: FaceModel) -> Creases:
    """Nose and lips, and what shares a triangle with them."""
    creased = np.isin(model.regions, CREASED)
    triangles = model.triangles[creased[model.triangles].any(1)]
    vertices, numbers = np.unique(triangles, return_inverse=True)
    return Creases(vertices, np.ascontiguousarray(numbers.reshape(-1, 3), np.int32))


def softened(normals: np.ndarray, creases: Creases, rounds: int = ROUNDS) -> np.ndarray:
    """(V, 3) float32 unit normals -> the same, those in the creases averaged with their neighbours, so many times.

    Single rows of vertices look aside there: by their own normals the light draws a dark line, and no camera would see
    them squarely.
    """
    soft = np.array(normals, np.float32)
    here = np.ascontiguousarray(soft[creases.vertices])
    other = np.empty_like(here)
    for _ in range(rounds):
        _average(here, creases.triangles, other)
        here, other = other, here
    soft[creases.vertices] = here
    return soft


def lit_by(normals: np.ndarray, creases: Creases) -> np.ndarray:
    """(V, 3) float32 unit normals in camera axes -> those that light is taken of: softened, then `towards_camera`."""
    return towards_camera(softened(normals, creases))


@numba.njit(cache=True, fastmath=True)
def _average(normals, triangles, averaged):  # type: ignore[no-untyped-def]
    """Every normal and those it shares triangles with, summed; unit."""
    averaged[:] = normals
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        for axis in range(3):
            total = normals[a, axis] + normals[b, axis] + normals[c, axis]
            averaged[a, axis] += total
            averaged[b, axis] += total
            averaged[c, axis] += total
    for i in range(averaged.shape[0]):
        length = np.sqrt(averaged[i, 0] ** 2 + averaged[i, 1] ** 2 + averaged[i, 2] ** 2)
        if length > 1e-12:
            averaged[i] /= length
