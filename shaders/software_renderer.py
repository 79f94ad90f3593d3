"""The Renderer that needs nothing but numba: the same picture as OpenGL's, where there is none."""

from __future__ import annotations

import numpy as np
from numba import njit

from shaders.base import Draw, Mode, Topology, read_only
from shaders.cutout import scan_cutout
from shaders.picture import CUTOUT, LINES, Layer, paint, soften_edges
from shaders.software import scan

NO_TEXTURE = np.zeros((1, 1, 4), np.uint8)


class SoftwareRenderer:
    """Draws on one thread, on any thread. See `Renderer`."""

    name = "software"

    def __init__(self, size: tuple[int, int], topology: Topology):
        self.size = size
        self.topology = topology

    def draw(self, image: np.ndarray | None, draws: list[Draw] | tuple[Draw, ...], mode: Mode) -> np.ndarray:
        return paint(image, self.size, draws, mode, self.topology, self._draw_layer)

    def close(self) -> None:
        """Nothing to give back."""

    def _draw_layer(self, layer: Layer) -> np.ndarray:
        triangles = self.topology.triangles
        depth = np.full(layer.shape, -np.inf, np.float32)
        shown = np.full(layer.shape, -1, np.int32)
        rgba = np.zeros((*layer.shape, 4), np.uint8)
        texture = read_only(NO_TEXTURE if layer.texture is None else layer.texture, np.uint8)
        uv, solid = self.topology.uv, len(triangles)
        if layer.texture is not None and layer.texture.shape[2] == 4 and self.topology.solid is not None:
            solid = self.topology.solid
        scan(layer.vertices, triangles[:solid], depth, shown, True)
        if solid < len(triangles):
            scan_cutout(layer.vertices, triangles, solid, uv, texture, 255 * CUTOUT, depth, shown)
        if layer.wire:
            _paint_wire(layer.vertices, triangles, shown, layer.lit, LINES, rgba)
        else:
            _paint_surface(
                layer.vertices, triangles, shown, layer.lit, uv, texture, layer.texture is not None, solid, rgba
            )
        soften_edges(rgba, layer.vertices, triangles)
        return rgba


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _weights(vertices, i, j, k, x, y):  # type: ignore[no-untyped-def]
    """Barycentric weights of pixel (x, y), clamped into the triangle, and twice its area (float32)."""
    x0, y0 = vertices[i, 0], vertices[i, 1]
    bx, by = vertices[j, 0] - x0, vertices[j, 1] - y0
    cx, cy = vertices[k, 0] - x0, vertices[k, 1] - y0
    area = bx * cy - by * cx
    px, py = np.float32(x) - x0, np.float32(y) - y0
    scale = np.float32(1) / area if area != 0 else np.float32(0)
    second = min(max((px * cy - py * cx) * scale, np.float32(0)), np.float32(1))
    third = min(max((bx * py - by * px) * scale, np.float32(0)), np.float32(1) - second)
    return np.float32(1) - second - third, second, third, abs(area)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _byte(value):  # type: ignore[no-untyped-def]
    return np.uint8(min(max(value, np.float32(0)), np.float32(1)) * np.float32(255) + np.float32(0.5))


@njit(cache=True, nogil=True, error_model="numpy")
def _paint_surface(vertices, triangles, shown, lit, uv, texture, textured, solid, rgba):  # type: ignore[no-untyped-def]
    """Interpolated colour, and over it the texture times the interpolated light; behind `solid`, the texture alone."""
    height, width = shown.shape
    rows, columns = np.float32(texture.shape[0]), np.float32(texture.shape[1])
    for y in range(height):
        for x in range(width):
            face = shown[y, x]
            if face < 0:
                continue
            i, j, k = triangles[face, 0], triangles[face, 1], triangles[face, 2]
            a, b, c, _ = _weights(vertices, i, j, k, x, y)
            red = a * lit[i, 0] + b * lit[j, 0] + c * lit[k, 0]
            green = a * lit[i, 1] + b * lit[j, 1] + c * lit[k, 1]
            blue = a * lit[i, 2] + b * lit[j, 2] + c * lit[k, 2]
            if textured:
                shade = a * lit[i, 3] + b * lit[j, 3] + c * lit[k, 3]
                across = (a * uv[i, 0] + b * uv[j, 0] + c * uv[k, 0]) * columns - np.float32(0.5)
                down = (a * uv[i, 1] + b * uv[j, 1] + c * uv[k, 1]) * rows - np.float32(0.5)
                over_red, over_green, over_blue, alpha = _texel(texture, across, down)
                if face >= solid:
                    shade /= max(alpha, np.float32(1e-3))
                    alpha = np.float32(1)
                red = red * (np.float32(1) - alpha) + over_red * shade
                green = green * (np.float32(1) - alpha) + over_green * shade
                blue = blue * (np.float32(1) - alpha) + over_blue * shade
            rgba[y, x, 0], rgba[y, x, 1], rgba[y, x, 2] = _byte(red), _byte(green), _byte(blue)
            rgba[y, x, 3] = 255


@njit(cache=True, nogil=True, error_model="numpy")
def _texel(texture, across, down):  # type: ignore[no-untyped-def]
    """Bilinear, premultiplied (r, g, b, alpha) 0..1 at texel coordinates; the border repeats."""
    last_row, last_column = texture.shape[0] - 1, texture.shape[1] - 1
    column, row = int(np.floor(across)), int(np.floor(down))
    right, below = across - np.float32(column), down - np.float32(row)
    x0, x1 = np.uintp(min(max(column, 0), last_column)), np.uintp(min(max(column + 1, 0), last_column))
    y0, y1 = np.uintp(min(max(row, 0), last_row)), np.uintp(min(max(row + 1, 0), last_row))
    upper, lower = (np.float32(1) - below) / np.float32(255), below / np.float32(255)
    a, b, c, d = upper * (np.float32(1) - right), upper * right, lower * (np.float32(1) - right), lower * right
    alpha = np.float32(1)
    if texture.shape[2] == 4:
        a, b = a * np.float32(texture[y0, x0, 3]), b * np.float32(texture[y0, x1, 3])
        c, d = c * np.float32(texture[y1, x0, 3]), d * np.float32(texture[y1, x1, 3])
        alpha = a + b + c + d
        scale = np.float32(1 / 255)
        a, b, c, d = a * scale, b * scale, c * scale, d * scale
    red = a * texture[y0, x0, 0] + b * texture[y0, x1, 0] + c * texture[y1, x0, 0] + d * texture[y1, x1, 0]
    green = a * texture[y0, x0, 1] + b * texture[y0, x1, 1] + c * texture[y1, x0, 1] + d * texture[y1, x1, 1]
    blue = a * texture[y0, x0, 2] + b * texture[y0, x1, 2] + c * texture[y1, x0, 2] + d * texture[y1, x1, 2]
    return red, green, blue, alpha


@njit(cache=True, nogil=True, error_model="numpy")
def _paint_wire(vertices, triangles, shown, lit, lines, rgba):  # type: ignore[no-untyped-def]
    """The edges of the triangle that each pixel shows; between them alpha 1/255 still marks what is covered."""
    height, width = shown.shape
    half_width, full_strength, faintest = lines  # not globals: numba's cache would keep their old values
    for y in range(height):
        for x in range(width):
            face = shown[y, x]
            if face < 0:
                continue
            i, j, k = triangles[face, 0], triangles[face, 1], triangles[face, 2]
            a, b, c, area = _weights(vertices, i, j, k, x, y)
            jk = np.hypot(vertices[k, 0] - vertices[j, 0], vertices[k, 1] - vertices[j, 1])
            ki = np.hypot(vertices[i, 0] - vertices[k, 0], vertices[i, 1] - vertices[k, 1])
            ij = np.hypot(vertices[j, 0] - vertices[i, 0], vertices[j, 1] - vertices[i, 1])
            distance = area * min(a / jk, b / ki, c / ij)
            strength = min(max(area / max(jk, ki, ij) / full_strength, faintest), 1.0)
            line = np.float32(min(max(half_width + 0.5 - distance, 0.0), 1.0) * strength)
            rgba[y, x, 0] = _byte(line * min(a * lit[i, 0] + b * lit[j, 0] + c * lit[k, 0], np.float32(1)))
            rgba[y, x, 1] = _byte(line * min(a * lit[i, 1] + b * lit[j, 1] + c * lit[k, 1], np.float32(1)))
            rgba[y, x, 2] = _byte(line * min(a * lit[i, 2] + b * lit[j, 2] + c * lit[k, 2], np.float32(1)))
            rgba[y, x, 3] = max(_byte(line), np.uint8(1))
