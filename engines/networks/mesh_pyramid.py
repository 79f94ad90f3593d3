"""A mesh and its coarser versions, as lists of neighbours: what graph convolutions and steps between levels gather.

Every operator is a padded table: row r of the result is the sum over k of weights[r, k] * x[index[r, k]]; a Gather, a
Mul and a ReduceSum, which every engine has built in. Used where the network is built, not where it runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

VALENCE = 8  # most neighbours of a vertex that count; the longest edges of the few that have more are left out
NEAREST = 3  # coarse vertices that a fine one is interpolated from


@dataclass(frozen=True, eq=False)
class Table:
    """index: (R, K) int64 rows of the source, weights: (R, K) float32; padding has weight 0. source: rows there."""

    index: np.ndarray
    weights: np.ndarray
    source: int

    def apply(self, x: np.ndarray) -> np.ndarray:
        """(source, ...) -> (R, ...)."""
        weights = self.weights.reshape(*self.weights.shape, *[1] * (x.ndim - 1))
        return (x[self.index] * weights).sum(1)


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Level 0 is the mesh. points: (V_l, 3) mm of every level. laplacian: per level, the scaled normalised Laplacian
    -D^-1/2 A D^-1/2 of Chebyshev convolutions, symmetric. down[l]: level l -> l + 1, means of clusters; up[l]: level
    l + 1 -> l, from the nearest three. Rows of both sum to 1, so that a constant stays what it is.
    """

    points: tuple[np.ndarray, ...]
    laplacian: tuple[Table, ...]
    down: tuple[Table, ...]
    up: tuple[Table, ...]


def build_pyramid(points: np.ndarray, triangles: np.ndarray, depth: int) -> Pyramid:
    """points: (V, 3) mm; triangles: (F, 3); depth: coarser levels, each of about a quarter of the vertices."""
    levels = [np.asarray(points, np.float64)]
    edges = short_edges(levels[0], edges_of(triangles))
    laplacian, down, up = [laplacian_of(len(levels[0]), edges)], [], []
    for _ in range(depth):
        fine = levels[-1]
        seeds = independent_seeds(fine, edges)
        count = len(seeds)
        cluster = clusters_of(fine, edges, seeds)
        coarse_edges = np.unique(np.sort(cluster[edges], axis=1), axis=0)
        coarse_edges = coarse_edges[coarse_edges[:, 0] != coarse_edges[:, 1]]
        down.append(means_of(cluster, count))
        up.append(_interpolation(fine, fine[seeds], cluster, coarse_edges))
        levels.append(fine[seeds])
        edges = short_edges(fine[seeds], coarse_edges)
        laplacian.append(laplacian_of(count, edges))
    points32 = tuple(level.astype(np.float32) for level in levels)
    return Pyramid(points32, tuple(laplacian), tuple(down), tuple(up))


def edges_of(triangles: np.ndarray) -> np.ndarray:
    """(F, 3) -> (E, 2) edges, each once, the smaller number first."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int64)


def short_edges(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Those of the (E, 2) edges, shortest first, that leave no vertex with more than VALENCE neighbours."""
    lengths = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    degree = np.zeros(len(points), int)
    kept = []
    for a, b in edges[np.argsort(lengths, kind="stable")]:
        if degree[a] < VALENCE and degree[b] < VALENCE:
            degree[a] += 1
            degree[b] += 1
            kept.append((a, b))
    return np.array(kept, np.int64).reshape(-1, 2)


def laplacian_of(count: int, edges: np.ndarray) -> Table:
    """2 L / lambda_max - 1 with L the normalised Laplacian and lambda_max = 2: its diagonal is 0."""
    degree = np.maximum(np.bincount(edges.ravel(), minlength=count), 1).astype(np.float64)
    both = np.concatenate([edges, edges[:, ::-1]])
    return table(count, both[:, 0], both[:, 1], -1 / np.sqrt(degree[both[:, 0]] * degree[both[:, 1]]), count)


def independent_seeds(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Vertices of which no two are neighbours and beside which every other lies, about a quarter of all.

    Taken from the foremost (the nose's tip) outwards, so that the coarse mesh is dense where the fine one is.
    """
    both = np.concatenate([edges, edges[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    starts = np.searchsorted(both[:, 0], np.arange(len(points) + 1))
    covered = np.zeros(len(points), bool)
    seeds = []
    for vertex in np.argsort(((points - points[points[:, 2].argmax()]) ** 2).sum(1), kind="stable"):
        if not covered[vertex]:
            seeds.append(int(vertex))
            covered[vertex] = True
            covered[both[starts[vertex] : starts[vertex + 1], 1]] = True
    return np.array(seeds)


def clusters_of(points: np.ndarray, edges: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """(V,) number of the seed that is nearest along the edges; nearest through the air where no edge leads."""
    lengths = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1) + 1e-9
    graph = coo_matrix((lengths, (edges[:, 0], edges[:, 1])), shape=(len(points), len(points))).tocsr()
    _, _, source = dijkstra(graph, directed=False, indices=seeds, min_only=True, return_predecessors=True)
    number = np.full(len(points), -1)
    number[seeds] = np.arange(len(seeds))
    cluster = np.where(source >= 0, number[source], -1)
    lost = np.flatnonzero(cluster < 0)
    if len(lost):
        cluster[lost] = cKDTree(points[seeds]).query(points[lost])[1]
    return cluster


def means_of(cluster: np.ndarray, count: int) -> Table:
    """The mean over the members of every cluster."""
    size = np.bincount(cluster, minlength=count)
    return table(count, cluster, np.arange(len(cluster)), 1 / size[cluster], len(cluster))


def _interpolation(fine: np.ndarray, coarse: np.ndarray, cluster: np.ndarray, coarse_edges: np.ndarray) -> Table:
    """Every fine vertex from the nearest of its own cluster's centre and the neighbours of that."""
    around: list[list[int]] = [[k] for k in range(len(coarse))]
    for a, b in coarse_edges:
        around[a].append(int(b))
        around[b].append(int(a))
    rows, columns, weights = [], [], []
    for vertex, own in enumerate(cluster):
        near = np.array(around[own])
        squares = ((coarse[near] - fine[vertex]) ** 2).sum(1)
        chosen = np.argsort(squares, kind="stable")[:NEAREST]
        share = 1 / (squares[chosen] + 1e-3)
        rows += [vertex] * len(chosen)
        columns += near[chosen].tolist()
        weights += (share / share.sum()).tolist()
    return table(len(fine), np.array(rows), np.array(columns), np.array(weights), len(coarse))


def mirror_of(points: np.ndarray) -> Table:
    """Every vertex's mirror image in the plane x = 0: one vertex where there is one, else between the nearest three."""
    distance, near = cKDTree(points).query(points * np.array([-1, 1, 1]), k=NEAREST)
    share = 1 / (distance**2 + 1e-3)
    share[distance[:, 0] < 0.05] = np.eye(NEAREST)[0]
    rows = np.repeat(np.arange(len(points)), NEAREST)
    return table(len(points), rows, near.ravel(), (share / share.sum(1, keepdims=True)).ravel(), len(points))


def table(rows_count: int, rows: np.ndarray, columns: np.ndarray, weights: np.ndarray, source: int) -> Table:
    """The padded table of a sparse matrix given by its entries; the padding repeats source row 0 with weight 0."""
    order = np.argsort(rows, kind="stable")
    rows, columns, weights = rows[order], columns[order], weights[order]
    size = np.bincount(rows, minlength=rows_count)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(size) - size, size)
    index = np.zeros((rows_count, max(int(size.max(initial=0)), 1)), np.int64)
    padded = np.zeros(index.shape, np.float32)
    index[rows, place], padded[rows, place] = columns, weights
    return Table(index, padded, source)


def transposed(forward: Table) -> Table:
    """The table that carries a gradient back."""
    row, k = np.nonzero(forward.weights)
    return table(forward.source, forward.index[row, k], row, forward.weights[row, k], len(forward.index))
