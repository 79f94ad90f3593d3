"""Triangles with holes for the software renderer: what the texture's alpha cuts out is not there."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def scan_cutout(vertices, triangles, first, uv, texture, least, depth, shown):  # type: ignore[no-untyped-def]
    """Draw triangles `first`.. onto depth and shown as `shaders.software.scan` left them.

    A pixel is left as it is where the alpha of the nearest texels, weighed bilinearly, is below `least` (0..255).
    """
    height, width = depth.shape
    rows, columns = texture.shape[0], texture.shape[1]
    for face in range(first, triangles.shape[0]):
        i, j, k = triangles[face, 0], triangles[face, 1], triangles[face, 2]
        x0, y0, z0 = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        x1, y1, z1 = vertices[j, 0], vertices[j, 1], vertices[j, 2]
        x2, y2, z2 = vertices[k, 0], vertices[k, 1], vertices[k, 2]
        area = (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0)
        if not (area < 0):  # edge-on, or its back
            continue
        left, right = max(int(np.ceil(min(x0, x1, x2))), 0), min(int(np.floor(max(x0, x1, x2))), width - 1)
        top, bottom = max(int(np.ceil(min(y0, y1, y2))), 0), min(int(np.floor(max(y0, y1, y2))), height - 1)
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                b = ((x - x0) * (y2 - y0) - (y - y0) * (x2 - x0)) / area
                c = ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / area
                a = 1 - b - c
                if a < 0 or b < 0 or c < 0:
                    continue
                z = a * z0 + b * z1 + c * z2
                if z <= depth[y, x]:
                    continue
                across = (a * uv[i, 0] + b * uv[j, 0] + c * uv[k, 0]) * columns - 0.5
                down = (a * uv[i, 1] + b * uv[j, 1] + c * uv[k, 1]) * rows - 0.5
                column, row = int(np.floor(across)), int(np.floor(down))
                u, v = across - column, down - row
                u0, u1 = min(max(column, 0), columns - 1), min(max(column + 1, 0), columns - 1)
                v0, v1 = min(max(row, 0), rows - 1), min(max(row + 1, 0), rows - 1)
                alpha = (1 - v) * ((1 - u) * texture[v0, u0, 3] + u * texture[v0, u1, 3])
                alpha += v * ((1 - u) * texture[v1, u0, 3] + u * texture[v1, u1, 3])
                if alpha >= least:
                    depth[y, x] = z
                    shown[y, x] = face
