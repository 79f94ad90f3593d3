"""Mesh simplification by half-edge collapses with quadric errors (Garland and Heckbert 1997).

A collapse moves one vertex onto a neighbour, so what is left is a subset of the vertices and every basis of the
morphable model can simply be restricted to it. Errors are summed over several shapes of the same mesh, so that
what is flat at rest but bends (lids, lips) keeps its vertices.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix

LENGTH_WEIGHT = 1e-3  # small preference for short edges where everything is flat
MIN_COSINE = 0.25  # a collapse may not turn a triangle further than this


def decimate(
    shapes: np.ndarray, triangles: np.ndarray, target: int, importance: np.ndarray, protected: np.ndarray,
    uv: np.ndarray | None = None,
) -> np.ndarray:
    """(F', 3) triangles that use about `target` vertices of the (F, 3) `triangles`.

    shapes: (S, V, 3). importance: (V,) multiplies the error. protected: (V,) bool, never removed.
    uv: (V, 2) or None; triangles may not flip there either. Border vertices always stay.
    """
    triangles = triangles.copy()
    quadrics = vertex_quadrics(shapes, triangles) * importance[None, :, None, None]
    protected = protected | border(triangles, shapes.shape[1])
    stuck: set[tuple[int, int]] = set()
    count = len(np.unique(triangles))
    while count > target:
        moves = cheapest(shapes, triangles, quadrics, importance, protected, stuck)
        moves = independent(moves, triangles, count - target)
        moves = without_flips(shapes, uv, triangles, moves, stuck)
        if len(moves) == 0:
            break
        renumber = np.arange(shapes.shape[1])
        renumber[moves[:, 0]] = moves[:, 1]
        for u, v in moves:
            quadrics[:, v] += quadrics[:, u]
        triangles = renumber[triangles]
        triangles = triangles[degenerate(triangles) == 0]
        count = len(np.unique(triangles))
    return triangles


def degenerate(triangles: np.ndarray) -> np.ndarray:
    a, b, c = triangles.T
    return (a == b) | (b == c) | (c == a)


def vertex_quadrics(shapes: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(S, V, 4, 4) float64: squared distances to the planes around each vertex, weighted by area."""
    quadrics = np.zeros((*shapes.shape[:2], 4, 4))
    for s, shape in enumerate(shapes):
        a, b, c = (shape[triangles[:, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        area = np.linalg.norm(normal, axis=1, keepdims=True)
        normal /= np.maximum(area, 1e-9)
        plane = np.c_[normal, -(normal * a).sum(1)]
        outer = plane[:, :, None] * plane[:, None, :] * area[:, :, None]
        for k in range(3):
            np.add.at(quadrics[s], triangles[:, k], outer)
    return quadrics


def directed_edges(triangles: np.ndarray) -> np.ndarray:
    """(E, 2) unique directed edges in both directions."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)


def border(triangles: np.ndarray, count: int) -> np.ndarray:
    """(V,) bool: vertices of edges with one triangle."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, uses = np.unique(edges, axis=0, return_counts=True)
    mark = np.zeros(count, bool)
    mark[unique[uses == 1]] = True
    return mark


def cheapest(
    shapes: np.ndarray, triangles: np.ndarray, quadrics: np.ndarray, importance: np.ndarray, protected: np.ndarray,
    stuck: set[tuple[int, int]],
) -> np.ndarray:
    """(M, 2) moves u -> v, the best of each vertex, cheapest first. Only those that keep the surface a manifold."""
    edges = directed_edges(triangles)
    n = shapes.shape[1]
    adjacency = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(n, n)).tocsr()
    common = np.asarray((adjacency @ adjacency)[edges[:, 0], edges[:, 1]]).ravel()
    edges = edges[(common == 2) & ~protected[edges[:, 0]]]
    if stuck:
        edges = np.array([e for e in edges if (e[0], e[1]) not in stuck]).reshape(-1, 2)
    u, v = edges.T
    cost = np.zeros(len(edges))
    for s, shape in enumerate(shapes):
        point = np.c_[shape[v], np.ones(len(v))]
        cost += np.einsum("ei,eij,ej->e", point, quadrics[s, u] + quadrics[s, v], point)
        cost += LENGTH_WEIGHT * importance[u] * ((shape[u] - shape[v]) ** 2).sum(1)
    order = np.lexsort((cost, u))
    first = np.r_[True, u[order][1:] != u[order][:-1]]
    best = order[first]
    return edges[best[np.argsort(cost[best])]]


def independent(moves: np.ndarray, triangles: np.ndarray, at_most: int) -> np.ndarray:
    """The cheapest third of the moves, without those whose neighbourhoods touch one chosen before."""
    n = int(triangles.max()) + 1
    edges = directed_edges(triangles)
    start = np.searchsorted(edges[:, 0], np.arange(n + 1))
    locked = np.zeros(n, bool)
    chosen = []
    for u, v in moves[: max(1, len(moves) // 3)]:
        ring = edges[start[u] : start[u + 1], 1]
        if not locked[ring].any() and not locked[u]:
            locked[ring] = locked[u] = True
            chosen.append((u, v))
            if len(chosen) == at_most:
                break
    return np.array(chosen).reshape(-1, 2)


def without_flips(
    shapes: np.ndarray, uv: np.ndarray | None, triangles: np.ndarray, moves: np.ndarray, stuck: set[tuple[int, int]]
) -> np.ndarray:
    """Drop (and remember in `stuck`) moves that would turn a triangle over in any shape or in the atlas."""
    target = np.full(shapes.shape[1], -1)
    target[moves[:, 0]] = moves[:, 1]
    mover = np.where(target[triangles] >= 0, triangles, -1).max(1)  # at most one corner moves
    touched = np.flatnonzero(mover >= 0)
    before = triangles[touched]
    after = np.where(target[before] >= 0, target[before], before)
    alive = ~degenerate(after)
    touched, before, after = touched[alive], before[alive], after[alive]
    bad = np.zeros(len(touched), bool)
    for shape in shapes:
        old, new = (np.cross(shape[t[:, 1]] - shape[t[:, 0]], shape[t[:, 2]] - shape[t[:, 0]]) for t in (before, after))
        length = np.linalg.norm(old, axis=1) * np.linalg.norm(new, axis=1)
        bad |= (old * new).sum(1) < MIN_COSINE * length
    if uv is not None:
        bad |= signed_area(uv, before) * signed_area(uv, after) <= 0
    rejected = {int(u) for u in mover[touched[bad]]}
    stuck.update((int(u), int(v)) for u, v in moves if int(u) in rejected)
    return np.array([m for m in moves if int(m[0]) not in rejected]).reshape(-1, 2)


def signed_area(uv: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(F,) twice the signed area in the plane."""
    a, b, c = (uv[triangles[:, k]] for k in range(3))
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
