"""The UV atlas. u to the subject's left (right in a frontal picture), v down, both 0..1.

The skin is one disc without seams or overlaps: a convex-combination map (Tutte 1963, Floater 1997) with mean-value
weights of a cylindrical layout, so that it equals that layout wherever the layout does not fold, the head's back a
ring around it. The eye sockets and the
mouth's inside lie in the openings of the lids and lips. Eyeballs, teeth, gums and tongue are islands in the corners.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from tools.face_build.decimate import directed_edges
from tools.face_build.source import FACE, HEAD, SKIN, SourceHead

CENTRE = 0.5
FACE_RADIUS, HEAD_RADIUS = 0.44, 0.495
AJAR = 0.35  # of jawOpen, so that the mouth's inside gets texels
NECK_HOLE = 0.05  # radius, while the head is mapped
OPENING = 0.5  # of lids and lips, so that their folded inner sides get room
ISLAND = 0.13  # side of the square that fits outside the disc in each corner
CYLINDER_Z, CYLINDER_RADIUS = -75.0, 85.0  # mm, vertical axis through the head
LAYOUT_Y, LAYOUT_KNEE = 30.0, 85.0  # mm below the eyes: middle of the atlas; where compression sets in


def border_loops(triangles: np.ndarray) -> list[np.ndarray]:
    """Border loops, longest first, along the triangles' orientation."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    known = {(int(a), int(b)) for a, b in edges}
    following = {a: b for a, b in known if (b, a) not in known}
    loops = []
    while following:
        start, at = following.popitem()
        loop = [start]
        while at in following:
            loop.append(at)
            at = following.pop(at)
        loops.append(np.array(loop))
    return sorted(loops, key=len, reverse=True)


def convex_combination(
    edges: np.ndarray, weights: np.ndarray, fixed: np.ndarray, values: np.ndarray, n: int
) -> np.ndarray:
    """Every free vertex becomes the weighted mean of its neighbours. values: (len(fixed), C) -> (n, C)."""
    result = np.zeros((n, values.shape[1]))
    result[fixed] = values
    used = np.zeros(n, bool)
    used[edges[:, 0]] = True
    used[fixed] = False
    free = np.flatnonzero(used)
    number = np.full(n, -1)
    number[free] = np.arange(len(free))
    u, v = edges.T
    rows = number[u] >= 0
    u, v, w = u[rows], v[rows], weights[rows]
    diagonal = coo_matrix((w, (number[u], number[u])), shape=(len(free),) * 2)
    inside = number[v] >= 0
    off = coo_matrix((w[inside], (number[u[inside]], number[v[inside]])), shape=(len(free),) * 2)
    right = np.zeros((len(free), values.shape[1]))
    np.add.at(right, number[u[~inside]], w[~inside, None] * result[v[~inside]])
    result[free] = splu((diagonal - off).tocsc()).solve(right)
    return result


def mean_value_weights(positions: np.ndarray, triangles: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(E,) positive weights (Floater 2003), (tan(a/2) + tan(b/2)) / length. positions: (V, 2 or 3).

    From a planar layout they reproduce it wherever it does not fold; from a surface they keep angles nearly.
    """
    n = len(positions)
    total = np.zeros(len(edges))
    key = edges[:, 0] * n + edges[:, 1]
    for k in range(3):
        i, j, m = (triangles[:, (k + turn) % 3] for turn in range(3))
        a, b = positions[j] - positions[i], positions[m] - positions[i]
        la, lb = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
        cosine = np.clip((a * b).sum(1) / np.maximum(la * lb, 1e-9), -0.99, 0.9999)
        half_tangent = np.sqrt((1 - cosine) / (1 + cosine))
        for end, length in ((j, la), (m, lb)):
            np.add.at(total, np.searchsorted(key, i * n + end), half_tangent / np.maximum(length, 1e-2))
    return total


def skin_atlas(head: SourceHead) -> np.ndarray:
    """(V, 2) uv of the skin's vertices (the others 0), from the mean head with the mouth ajar."""
    skin = head.triangles[(head.triangles < SKIN.stop).all(1)]
    positions = head.mean
    mirror = np.arange(len(positions))
    mirror[SKIN] = cKDTree(positions[SKIN]).query(positions[SKIN] * [-1, 1, 1])[1]
    behind = ((skin >= HEAD.start) & (skin < HEAD.stop)).any(1)
    front, face = skin[~behind], skin[(skin < FACE.stop).all(1)]
    planar = layout(positions + AJAR * head.expression["jawOpen"])
    outer, *openings = border_loops(front)[:1] + border_loops(face)[1:]
    placed = np.zeros((len(positions), 2))
    placed[outer] = CENTRE + FACE_RADIUS * circle_of(planar, outer)
    scale = FACE_RADIUS / np.linalg.norm(planar[outer], axis=1).mean()
    for loop in openings:
        low, high = planar[loop].min(0), planar[loop].max(0)
        placed[loop] = CENTRE + scale * ((low + high) / 2 + OPENING * (high - low) / 2 * circle_of(planar, loop))
    placed = symmetric(placed, mirror)
    openings = np.concatenate(openings)
    pinned = np.r_[outer, openings]
    uv = disc_map(positions, face, pinned, placed[pinned], planar)
    sockets = front[(front >= FACE.stop).any(1)]
    inner = disc_map(positions, sockets, openings, placed[openings])
    within = np.setdiff1d(np.unique(sockets), openings)
    uv[within] = inner[within]
    uv = symmetric(uv, mirror)
    ring = ring_map(positions, skin[behind], outer, uv[outer])
    back = np.setdiff1d(np.unique(skin[behind]), outer)
    uv[back] = ring[back]
    return uv


def layout(positions: np.ndarray) -> np.ndarray:
    """(V, 2) x right, y down, mm: unrolled from a cylinder through the head, the outskirts drawn in around the nose."""
    turn = np.arctan2(positions[:, 0], positions[:, 2] - CYLINDER_Z)
    flat = np.c_[turn * CYLINDER_RADIUS, -positions[:, 1]] - [0, LAYOUT_Y]
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat * (LAYOUT_KNEE * np.arctan(length / LAYOUT_KNEE) / np.maximum(length, 1e-9))


def disc_map(
    positions: np.ndarray, triangles: np.ndarray, outer: np.ndarray, circle: np.ndarray,
    planar: np.ndarray | None = None,
) -> np.ndarray:
    """(V, 2) bijective map of a surface with border `outer` onto the disc in `circle`; fans close other holes.

    Angles follow `planar` (V, 2) where given and finite, else the surface.
    """
    holes = [loop for loop in border_loops(triangles) if not np.isin(loop, outer).all()]
    n = len(positions)
    fans = [np.c_[np.roll(h, -1), h, np.full(len(h), n + k)] for k, h in enumerate(holes)]
    closed = np.concatenate([triangles, *fans])

    def with_middles(points: np.ndarray) -> np.ndarray:
        return np.concatenate([points, *[points[h].mean(0, keepdims=True) for h in holes]])

    edges = directed_edges(closed)
    weights = mean_value_weights(with_middles(positions), closed, edges)
    if planar is not None:
        flat = with_middles(planar)
        known = np.isfinite(flat).all(1)
        both = known[closed].all(1)
        of_layout = mean_value_weights(np.nan_to_num(flat), closed[both], edges)
        all_known = np.bincount(closed.ravel(), np.repeat(~both, 3), n + len(holes)) == 0
        weights = np.where(all_known[edges[:, 0]] & (of_layout > 0), of_layout, weights)
    return convex_combination(edges, weights, outer, circle, n + len(holes))[:n]


def circle_of(planar: np.ndarray, loop: np.ndarray) -> np.ndarray:
    """(L, 2): the border loop on the unit circle, at its angle in the layout around its middle, kept in order."""
    low, high = planar[loop].min(0), planar[loop].max(0)
    angle = np.unwrap(np.angle(((planar[loop] - (low + high) / 2) / (high - low)) @ np.array([1, 1j])))
    direction = np.sign(angle[-1] - angle[0])
    angle = angle * direction
    least = 0.25 * 2 * np.pi / len(loop)
    ramp = least * np.arange(len(loop))
    up = np.maximum.accumulate(angle - ramp)
    down = np.minimum.accumulate((angle - ramp)[::-1])[::-1]
    ordered = (up + down) / 2 + ramp
    span = ordered[-1] - ordered[0] + least
    if span > 2 * np.pi:
        ordered = ordered[0] + (ordered - ordered[0]) * 2 * np.pi / span
    return np.c_[np.cos(ordered * direction), np.sin(ordered * direction)]


def ring_map(positions: np.ndarray, triangles: np.ndarray, inner: np.ndarray, circle: np.ndarray) -> np.ndarray:
    """(V, 2) the back of the head, whose border `inner` lies on `circle`, in the ring up to HEAD_RADIUS.

    Mapped into the disc with the neck's end around its middle, then turned inside out.
    """
    neck = next(loop for loop in border_loops(triangles) if not np.isin(loop, inner).all())
    hole = CENTRE + NECK_HOLE * FACE_RADIUS * circle_of(positions[:, [0, 2]], neck)
    edges = directed_edges(triangles)
    weights = 1 / np.maximum(np.linalg.norm(positions[edges[:, 0]] - positions[edges[:, 1]], axis=1), 0.1)
    fixed, values = np.r_[inner, neck], np.r_[circle, hole]
    inside = convex_combination(edges, weights, fixed, values, len(positions)) - CENTRE
    length = np.linalg.norm(inside, axis=1, keepdims=True)
    outwards = np.clip((1 - length / FACE_RADIUS) / (1 - NECK_HOLE), 0, 1)
    radius = FACE_RADIUS + (HEAD_RADIUS - FACE_RADIUS) * outwards
    return CENTRE + radius * inside / np.maximum(length, 1e-9)


def symmetric(uv: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Average with the mirror image. mirror: (V,) number of each vertex's partner."""
    other = uv[mirror] * [-1, 1] + [2 * CENTRE, 0]
    return (uv + other) / 2


def island(points: np.ndarray, corner: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """Scale (N, 2) planar points (x right, y down) into the atlas rectangle at `corner`."""
    low, high = points.min(0), points.max(0)
    return np.array(corner) + (points - low) / np.maximum(high - low, 1e-9) * np.array(size)
