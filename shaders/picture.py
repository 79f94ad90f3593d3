"""From draws to a picture: what both renderers share. Only the box around each mesh is drawn, softened and composited.

A layer is (h, w, 4) uint8 RGBA, premultiplied, of a box of the picture; alpha 0 where the mesh is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor
from typing import NamedTuple

import cv2
import numpy as np
from numba import njit

from shaders.base import Draw, Mode, Topology, read_only
from shaders.light import lit_colours

FAR_PERCENTILE = 10  # of z, and all behind it, has the darkest grey of DEPTH: the neck would eat the range, too
CUTOUT = 0.5  # alpha below which a triangle that is not solid is not there
BLOCK = 8  # pixels, see `_collect_samples`


class Lines(NamedTuple):
    """Of WIREFRAME, in pixels: half the width of an edge that two triangles share; the height of a triangle below
    which its lines fade; and how faint (0..1) they can get."""

    half_width: float = 0.5
    full_strength: float = 4.0
    faintest: float = 0.35


LINES = Lines()


class Box(NamedTuple):
    """Pixels x0 <= x < x1, y0 <= y < y1 of a picture."""

    x0: int
    y0: int
    x1: int
    y1: int


class Layer(NamedTuple):
    """One mesh ready to be drawn: all that a renderer needs to know.

    vertices: (V, 3) float32 pixels of the box. lit: (V, 4) float32 from `lit_colours`. shape: (h, w) of the box.
    texture: (T, T, 3 or 4) uint8 or None. wire: draw edges instead of surfaces.
    """

    vertices: np.ndarray
    lit: np.ndarray
    shape: tuple[int, int]
    texture: np.ndarray | None
    wire: bool


def paint(
    image: np.ndarray | None,
    size: tuple[int, int],
    draws: Sequence[Draw],
    mode: Mode,
    topology: Topology,
    draw_layer: Callable[[Layer], np.ndarray],
) -> np.ndarray:
    """`Renderer.draw`: size is (width, height) where there is no image; draw_layer makes a layer's RGBA."""
    for draw in draws:
        check_draw(draw, topology)
    picture = np.zeros((size[1], size[0], 3), np.uint8) if image is None else checked_copy(image)
    filled = [draw for draw in draws if len(draw.vertices)]
    depth_range = facing_depths(filled) if mode is Mode.DEPTH else (0.0, 0.0)
    for draw in filled:
        box = box_around(draw.vertices, (picture.shape[0], picture.shape[1]))
        if box is None:
            continue
        vertices = read_only(draw.vertices - np.array([box.x0, box.y0, 0], np.float32), np.float32)
        texture = draw.texture if mode is Mode.TEXTURED else None
        layer = Layer(
            vertices,
            lit_colours(draw, mode, depth_range),
            (box.y1 - box.y0, box.x1 - box.x0),
            texture,
            mode is Mode.WIREFRAME,
        )
        composite(draw_layer(layer), picture[box.y0 : box.y1, box.x0 : box.x1])
    return picture


def facing_depths(draws: Sequence[Draw]) -> tuple[float, float]:
    """Farthest and nearest z of what faces the camera in all draws together: the back of a head would eat the range."""
    facing = [draw.vertices[draw.normals[:, 2] > 0, 2] for draw in draws]
    z = np.concatenate([*facing, np.zeros(0, np.float32)])
    return (float(np.percentile(z, FAR_PERCENTILE)), float(z.max())) if len(z) else (0.0, 0.0)


def checked_copy(image: np.ndarray) -> np.ndarray:
    if image.ndim != 3 or image.shape[2] not in (3, 4) or image.dtype != np.uint8:
        raise ValueError(f"a picture to draw over must be (H, W, 3 or 4) uint8, not {image.shape} {image.dtype}")
    return np.array(image, order="C")


def check_draw(draw: Draw, topology: Topology) -> None:
    """Raises ValueError that names what does not fit the topology, or is not finite."""
    count = len(topology.uv)
    wanted = {"vertices": (count, 3), "normals": (count, 3), "colours": (count, 3), "scalar": (count,), "light": (9,)}
    for name, shape in wanted.items():
        values = getattr(draw, name)
        if values is not None and values.shape != shape:
            raise ValueError(f"Draw.{name} must be {shape} for this topology, not {values.shape}")
    if not np.isfinite(draw.vertices).all():
        raise ValueError("Draw.vertices holds numbers that are not finite")
    texture = draw.texture
    if texture is not None and (texture.ndim != 3 or texture.shape[2] not in (3, 4) or texture.dtype != np.uint8):
        raise ValueError(f"Draw.texture must be (T, T, 3 or 4) uint8, not {texture.shape} {texture.dtype}")


def box_around(vertices: np.ndarray, shape: tuple[int, int]) -> Box | None:
    """The part of a (h, w) picture that the vertices can touch, a pixel of margin included; None when it is empty."""
    x, y = vertices[:, 0], vertices[:, 1]  # a column at a time: ten times quicker than .min(0)
    height, width = shape
    x0, x1 = max(floor(x.min()) - 1, 0), min(ceil(x.max()) + 2, width)
    y0, y1 = max(floor(y.min()) - 1, 0), min(ceil(y.max()) + 2, height)
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def composite(layer: np.ndarray, picture: np.ndarray) -> None:
    """A premultiplied RGBA layer over an RGB or premultiplied RGBA picture of the same size, in place."""
    channels = picture.shape[2]
    rest = 255 - layer[..., 3]
    rest = cv2.merge([rest] * 4) if channels == 4 else cv2.cvtColor(rest, cv2.COLOR_GRAY2RGB)
    below = cv2.multiply(picture, rest, scale=1 / 255)
    cv2.add(layer if channels == 4 else cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB), below, dst=below)
    picture[:] = below


def soften_edges(layer: np.ndarray, vertices: np.ndarray, triangles: np.ndarray) -> None:
    """Anti-alias the outline of a hard-edged layer in place: 4x4 samples, but only in the pixels of the outline.

    Where software draws, four samples everywhere would cost three times the picture; this costs well under 1 ms.
    """
    covered = (layer[..., 3] > 0).view(np.uint8)
    neighbourhood = np.ones((3, 3), np.uint8)
    outline = cv2.dilate(covered, neighbourhood) - cv2.erode(covered, neighbourhood)
    points = cv2.findNonZero(outline)
    if points is None:
        return
    columns, rows = points.reshape(-1, 2).T.astype(np.intp)
    places = rows * outline.shape[1] + columns
    blocks = np.zeros((outline.shape[0] // BLOCK + 1, outline.shape[1] // BLOCK + 1), np.uint8)
    blocks[rows // BLOCK, columns // BLOCK] = 1
    samples = np.zeros(outline.shape, np.uint16)
    _collect_samples(vertices, triangles, outline, blocks, samples)
    share = np.unpackbits(samples.ravel()[places].view(np.uint8)).reshape(-1, 16).sum(1, dtype=np.float32) / 16
    inside = covered.ravel()[places] > 0
    share[inside] = np.maximum(share[inside], 1 / 16)
    pixels = layer.reshape(-1, 4).view(np.uint32).ravel()  # four bytes at a time: far quicker to pick
    colours = pixels[places].view(np.uint8).reshape(-1, 4).astype(np.float32)
    colours[~inside] = _mean_of_neighbours(pixels, outline.shape, rows[~inside], columns[~inside])
    pixels[places] = (colours * share[:, None] + 0.5).astype(np.uint8).view(np.uint32).ravel()


def _mean_of_neighbours(
    pixels: np.ndarray, shape: tuple[int, int], rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """(N, 4) float32, what the covered pixels around each of N uncovered ones show on average."""
    total, count = np.zeros((len(rows), 4), np.float32), np.zeros((len(rows), 1), np.float32)
    for down, right in ((-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)):
        near = np.clip(rows + down, 0, shape[0] - 1) * shape[1] + np.clip(columns + right, 0, shape[1] - 1)
        colours = pixels[near].view(np.uint8).reshape(-1, 4)  # zero where nothing is covered
        total += colours
        count += colours[:, 3:] > 0
    return total / np.maximum(count, 1)


@njit(cache=True, nogil=True)
def _collect_samples(vertices, triangles, outline, blocks, samples):  # type: ignore[no-untyped-def]
    """One bit for each of the 4x4 points of an outline pixel that lies in a triangle that faces the camera.

    blocks: which BLOCK x BLOCK parts hold outline at all, so that nearly every triangle is done with one look.
    """
    height, width = outline.shape
    for face in range(triangles.shape[0]):
        i, j, k = triangles[face, 0], triangles[face, 1], triangles[face, 2]
        x0, y0 = vertices[i, 0], vertices[i, 1]
        x1, y1 = vertices[k, 0], vertices[k, 1]  # turned: the inside of a front face is where every edge is >= 0
        x2, y2 = vertices[j, 0], vertices[j, 1]
        if (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0) <= 0:
            continue
        left, right = max(int(min(x0, x1, x2) + 0.5), 0), min(int(max(x0, x1, x2) + 0.5), width - 1)
        top, bottom = max(int(min(y0, y1, y2) + 0.5), 0), min(int(max(y0, y1, y2) + 0.5), height - 1)
        touches = False
        for row in range(top // BLOCK, bottom // BLOCK + 1):
            for column in range(left // BLOCK, right // BLOCK + 1):
                touches |= blocks[row, column] != 0
        if not touches:
            continue
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                if outline[y, x] != 0 and samples[y, x] != 0xFFFF:
                    samples[y, x] |= _samples_inside(x0 - x, y0 - y, x1 - x, y1 - y, x2 - x, y2 - y)


@njit(cache=True, nogil=True)
def _samples_inside(x0, y0, x1, y1, x2, y2):  # type: ignore[no-untyped-def]
    """Bits of the 4x4 points of the pixel at 0 that a triangle covers."""
    bits = np.uint16(0)
    ax, ay, bx, by, cx, cy = x2 - x1, y2 - y1, x0 - x2, y0 - y2, x1 - x0, y1 - y0
    a, b, c = ay * x1 - ax * y1, by * x2 - bx * y2, cy * x0 - cx * y0
    for sample in range(16):
        px, py = np.float32(0.25 * (sample & 3) - 0.375), np.float32(0.25 * (sample >> 2) - 0.375)
        if ax * py - ay * px + a >= 0 and bx * py - by * px + b >= 0 and cx * py - cy * px + c >= 0:
            bits |= np.uint16(1 << sample)
    return bits
