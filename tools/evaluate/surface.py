"""Nearest points on a triangle mesh, and similarities in space. Millimetres; no axis is special."""

from __future__ import annotations

import numpy as np

NEIGHBOURS = 4  # vertices whose triangles are looked at for the nearest point


class Surface:
    """Triangles (F, 3) over vertices (V, 3), asked for the nearest points on them."""

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray):
        from scipy.spatial import cKDTree

        self.vertices, self.triangles = np.asarray(vertices, np.float64), np.asarray(triangles, np.int64)
        self.used = np.unique(self.triangles)
        self._tree = cKDTree(self.vertices[self.used])
        self._fans = _fans(self.triangles, len(self.vertices))

    def closest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, 3) -> the nearest points of the surface (N, 3) and their distances (N,).

        Looks at the triangles around the nearest vertices: exact where triangles are of similar size.
        """
        _, near = self._tree.query(points, k=NEIGHBOURS)
        best, gap = np.array(points, np.float64), np.full(len(points), np.inf)
        for neighbour in self.used[near].T:  # (N,) vertices
            for triangle in self._fans[neighbour].T:  # (N,) triangles, -1 none
                there = triangle >= 0
                found = closest_on_triangles(points[there], self.vertices[self.triangles[triangle[there]]])
                distance = np.linalg.norm(found - points[there], axis=1)
                better = distance < gap[there]
                rows = np.flatnonzero(there)[better]
                best[rows], gap[rows] = found[better], distance[better]
        return best, gap


def _fans(triangles: np.ndarray, count: int) -> np.ndarray:
    """(V, most) numbers of the triangles around each vertex, -1 beyond."""
    corner, owner = triangles.ravel(), np.repeat(np.arange(len(triangles)), 3)
    order = np.argsort(corner, kind="stable")
    corner, owner = corner[order], owner[order]
    first = np.searchsorted(corner, np.arange(count))
    place = np.arange(len(corner)) - first[corner]
    fans = np.full((count, int(place.max()) + 1), -1)
    fans[corner, place] = owner
    return fans


def closest_on_triangles(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(N, 3) points, (N, 3, 3) triangles -> (N, 3): the nearest point of each one's triangle (Ericson 2005, 5.1.5)."""
    a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    ap = points - a
    d1, d2 = (ab * ap).sum(1), (ac * ap).sum(1)
    bb, cc, bc = (ab * ab).sum(1), (ac * ac).sum(1), (ab * ac).sum(1)
    area = np.maximum(bb * cc - bc * bc, 1e-18)
    v, w = (cc * d1 - bc * d2) / area, (bb * d2 - bc * d1) / area
    inside = (v >= 0) & (w >= 0) & (v + w <= 1)
    result = a + v[:, None] * ab + w[:, None] * ac
    edges = np.stack([on_segments(points, corners[:, k], corners[:, (k + 1) % 3]) for k in range(3)])  # (3, N, 3)
    nearest = np.linalg.norm(edges - points, axis=2).argmin(0)
    return np.where(inside[:, None], result, edges[nearest, np.arange(len(points))])


def on_segments(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(N, 3) nearest points of the segments start..end."""
    along = end - start
    share = ((points - start) * along).sum(1) / np.maximum((along**2).sum(1), 1e-18)
    return start + np.clip(share, 0, 1)[:, None] * along


def similarity3(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares turn, scale and shift of (N, 3) onto (N, 3) (Umeyama 1991), as (3, 4) target_from_source."""
    s, t = source - source.mean(0), target - target.mean(0)
    u, values, vt = np.linalg.svd(t.T @ s)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (values * sign).sum() / max((s**2).sum(), 1e-18)
    linear = scale * (u * sign) @ vt
    return np.hstack([linear, (target.mean(0) - linear @ source.mean(0))[:, None]])


def transformed(target_from_source: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(3, 4) on (N, 3)."""
    return points @ target_from_source[:, :3].T + target_from_source[:, 3]
