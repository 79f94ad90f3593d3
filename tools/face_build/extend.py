"""Smooth continuation of vertex values over the rest of a mesh."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from tools.face_build.decimate import directed_edges


def extend_over(
    positions: np.ndarray, triangles: np.ndarray, known: np.ndarray, values: np.ndarray, wanted: np.ndarray
) -> np.ndarray:
    """(K, len(known), C) -> (K, len(wanted), C): harmonic, each the mean of its neighbours weighted by 1 / length.

    Far from what is known the values fade to their mean there, so that the crown does not copy one strip of skin.
    """
    n = len(positions)
    edges = directed_edges(triangles)
    role = np.full(n, -1)
    role[wanted] = np.arange(len(wanted))
    number = np.full(n, -1)
    number[known] = np.arange(len(known))
    u, v = edges[role[edges[:, 0]] >= 0].T
    w = 1 / np.maximum(np.linalg.norm(positions[u] - positions[v], axis=1), 0.2)
    size = len(wanted)
    fade = 1.5e-2
    inside, outside = role[v] >= 0, number[v] >= 0
    diagonal = np.bincount(role[u], w * (inside | outside), size) + fade
    rows, columns = np.r_[np.arange(size), role[u[inside]]], np.r_[np.arange(size), role[v[inside]]]
    system = coo_matrix((np.r_[diagonal, -w[inside]], (rows, columns)), shape=(size, size)).tocsc()
    flat = values.transpose(1, 0, 2).reshape(len(known), -1)
    right = np.full((size, flat.shape[1]), 1.0) * fade * np.median(flat, axis=0)
    np.add.at(right, role[u[outside]], w[outside, None] * flat[number[v[outside]]])
    solved = splu(system).solve(right).reshape(size, len(values), -1)
    return solved.transpose(1, 0, 2).astype(np.float32)
