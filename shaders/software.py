"""The raw software rasteriser: triangles already in pixels -> which triangle each pixel shows, where in it, how near.

Pixels, x right, y down, pixel centres at integers, z larger is nearer. One thread; compiled by numba once and cached.
Vertices are snapped to 1/256 px so that edge tests are exact integers: triangles that share an edge leave neither a
crack nor a pixel that belongs to both (left and top edges belong to a triangle, right and bottom ones do not).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from shaders.base import read_only

SUBPIXELS = 256
FAR_PX = 1 << 20  # vertices beyond this (or not finite) drop their triangles: products stay exact in int64
EMPTY = -1  # triangle number of a pixel that shows nothing


def rasterise(
    vertices_px: np.ndarray, triangles: np.ndarray, shape: tuple[int, int], cull: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a mesh with a z-buffer.

    vertices_px: (V, 3) float32 x, y in pixels, z larger is nearer. triangles: (F, 3) int32. shape: (h, w).
    cull: leave out triangles that turn their back: front faces run counter-clockwise as displayed.
    Returns depth (h, w) float32, -inf where empty; triangle (h, w) int32, -1 where empty; barycentric (h, w, 3)
    float32 weights of the triangle's corners in their order, 0 where empty. Equal depths keep the lower number.
    """
    height, width = shape
    depth = np.full((height, width), -np.inf, np.float32)
    triangle = np.full((height, width), EMPTY, np.int32)
    barycentric = np.zeros((height, width, 3), np.float32)
    vertices, corners = read_only(vertices_px, np.float32), read_only(triangles, np.int32)
    if height and width and len(corners):
        scan(vertices, corners, depth, triangle, cull)
        _weigh(vertices, corners, read_only(triangle, np.int32), barycentric)
    return depth, triangle, barycentric


def interpolate(
    attributes: np.ndarray, triangles: np.ndarray, triangle_map: np.ndarray, barycentric: np.ndarray
) -> np.ndarray:
    """Vertex attributes (V, C) seen through `rasterise`'s maps -> (h, w, C) float32, 0 where empty."""
    values = read_only(attributes, np.float32)
    if values.ndim != 2:
        raise ValueError(f"attributes must be (V, C), not {values.shape}")
    image = np.zeros((*triangle_map.shape, values.shape[1]), np.float32)
    _interpolate(
        values,
        read_only(triangles, np.int32),
        read_only(triangle_map, np.int32),
        read_only(barycentric, np.float32),
        image,
    )
    return image


def soft_coverage(
    vertices_px: np.ndarray, triangles: np.ndarray, shape: tuple[int, int], samples: int = 3, cull: bool = False
) -> np.ndarray:
    """How much of each pixel a mesh covers, (h, w) float32 0..1, from samples x samples points a pixel."""
    depth = supersampled_depth(vertices_px, triangles, shape, samples, cull)
    return (depth > -np.inf).mean((1, 3), dtype=np.float32)


def visible_coverage(
    vertices_px: np.ndarray, triangles: np.ndarray, occluder_depth: np.ndarray, samples: int = 3, bias: float = 0.0
) -> np.ndarray:
    """`soft_coverage` of what lies no deeper than `bias` behind an occluder, whose depth (h, w) `rasterise` gave."""
    depth = supersampled_depth(vertices_px, triangles, occluder_depth.shape, samples)
    nearer = (depth > -np.inf) & (depth >= occluder_depth[:, None, :, None] - np.float32(bias))
    return nearer.mean((1, 3), dtype=np.float32)


def supersampled_depth(
    vertices_px: np.ndarray, triangles: np.ndarray, shape: tuple[int, int], samples: int, cull: bool = False
) -> np.ndarray:
    """(h, samples, w, samples) float32 depth at a regular grid of points inside every pixel, -inf where empty."""
    height, width = shape
    depth = np.full((height * samples, width * samples), -np.inf, np.float32)
    fine = np.array(vertices_px, np.float32)
    fine[:, :2] = (fine[:, :2] + 0.5) * samples - 0.5
    scan(read_only(fine, np.float32), read_only(triangles, np.int32), depth, np.empty(depth.shape, np.int32), cull)
    return depth.reshape(height, samples, width, samples)


@njit(cache=True, nogil=True, error_model="numpy")
def scan(vertices, triangles, depth, triangle, cull):  # type: ignore[no-untyped-def]
    """The inner loop of `rasterise`: draws onto depth (h, w) float32 and triangle (h, w) int32 as they are."""
    height, width = depth.shape
    last_x, last_y = width - 1, height - 1
    for face in range(triangles.shape[0]):
        i, j, k = triangles[face, 0], triangles[face, 1], triangles[face, 2]
        x0f, y0f, z0 = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        x1f, y1f, z1 = vertices[j, 0], vertices[j, 1], vertices[j, 2]
        x2f, y2f, z2 = vertices[k, 0], vertices[k, 1], vertices[k, 2]
        reach = abs(x0f) + abs(y0f) + abs(x1f) + abs(y1f) + abs(x2f) + abs(y2f)
        if not (reach < FAR_PX) or not np.isfinite(z0 + z1 + z2):
            continue
        x0, y0 = np.int64(np.rint(x0f * SUBPIXELS)), np.int64(np.rint(y0f * SUBPIXELS))
        x1, y1 = np.int64(np.rint(x1f * SUBPIXELS)), np.int64(np.rint(y1f * SUBPIXELS))
        x2, y2 = np.int64(np.rint(x2f * SUBPIXELS)), np.int64(np.rint(y2f * SUBPIXELS))
        area = (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0)
        if area == 0 or (cull and area > 0):
            continue
        if area < 0:  # from here on clockwise as displayed, so that the inside is where every edge is >= 0
            x1, y1, z1, x2, y2, z2 = x2, y2, z2, x1, y1, z1
            area = -area
        left = max(np.int64(0), -(-min(x0, x1, x2) // SUBPIXELS))
        right = min(np.int64(last_x), max(x0, x1, x2) // SUBPIXELS)
        top = max(np.int64(0), -(-min(y0, y1, y2) // SUBPIXELS))
        bottom = min(np.int64(last_y), max(y0, y1, y2) // SUBPIXELS)
        if left > right or top > bottom:
            continue
        ax, ay = x2 - x1, y2 - y1  # edge opposite corner 0
        bx, by = x0 - x2, y0 - y2
        cx, cy = x1 - x0, y1 - y0
        px, py = left * SUBPIXELS, top * SUBPIXELS
        # A pixel centre exactly on a right or bottom edge is outside: subtracting 1 turns >= into >.
        a_row = ax * (py - y1) - ay * (px - x1) - (0 if ay < 0 or (ay == 0 and ax > 0) else 1)
        b_row = bx * (py - y2) - by * (px - x2) - (0 if by < 0 or (by == 0 and bx > 0) else 1)
        c_row = cx * (py - y0) - cy * (px - x0) - (0 if cy < 0 or (cy == 0 and cx > 0) else 1)
        scale = 1.0 / area
        z_right = (np.float64(z1 - z0) * -by + np.float64(z2 - z0) * -cy) * SUBPIXELS * scale
        z_down = (np.float64(z1 - z0) * bx + np.float64(z2 - z0) * cx) * SUBPIXELS * scale
        z_row = z0 + z_right * (px - x0) / SUBPIXELS + z_down * (py - y0) / SUBPIXELS
        for y in range(top, bottom + 1):
            a, b, c, z = a_row, b_row, c_row, z_row
            for x in range(left, right + 1):
                if (a | b | c) >= 0 and z > depth[y, x]:
                    depth[y, x] = z
                    triangle[y, x] = face
                a -= ay * SUBPIXELS
                b -= by * SUBPIXELS
                c -= cy * SUBPIXELS
                z += z_right
            a_row += ax * SUBPIXELS
            b_row += bx * SUBPIXELS
            c_row += cx * SUBPIXELS
            z_row += z_down


@njit(cache=True, nogil=True, error_model="numpy")
def _weigh(vertices, triangles, triangle, barycentric):  # type: ignore[no-untyped-def]
    """Barycentric weights of the triangle that each pixel shows."""
    height, width = triangle.shape
    for y in range(height):
        for x in range(width):
            face = triangle[y, x]
            if face < 0:
                continue
            i, j, k = triangles[face, 0], triangles[face, 1], triangles[face, 2]
            x0, y0 = np.float64(vertices[i, 0]), np.float64(vertices[i, 1])
            bx, by = vertices[j, 0] - x0, vertices[j, 1] - y0
            cx, cy = vertices[k, 0] - x0, vertices[k, 1] - y0
            area = bx * cy - by * cx
            if area == 0.0:  # only the snapped corners span an area
                barycentric[y, x, 0] = 1.0
                continue
            second = ((x - x0) * cy - (y - y0) * cx) / area
            third = (bx * (y - y0) - by * (x - x0)) / area
            # Snapping lets a centre lie a hair outside: clamp, so that attributes are never extrapolated.
            second = min(max(second, 0.0), 1.0)
            third = min(max(third, 0.0), 1.0 - second)
            barycentric[y, x, 0] = 1.0 - second - third
            barycentric[y, x, 1] = second
            barycentric[y, x, 2] = third


@njit(cache=True, nogil=True, error_model="numpy")
def _interpolate(attributes, triangles, triangle_map, barycentric, image):  # type: ignore[no-untyped-def]
    height, width, channels = image.shape
    for y in range(height):
        for x in range(width):
            face = triangle_map[y, x]
            if face < 0:
                continue
            i, j, k = triangles[face, 0], triangles[face, 1], triangles[face, 2]
            u, v, w = barycentric[y, x, 0], barycentric[y, x, 1], barycentric[y, x, 2]
            for channel in range(channels):
                image[y, x, channel] = (
                    u * attributes[i, channel] + v * attributes[j, channel] + w * attributes[k, channel]
                )
