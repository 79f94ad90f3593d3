"""Base colours of a glTF file, packed into one picture, since a renderer draws a mesh with one texture.

Colours are display values: glTF's linear factors are encoded as sRGB, as its textures are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from realtime.avatar.gltf import Gltf
from realtime.errors import AvatarError

if TYPE_CHECKING:
    from realtime.avatar.scene import Surface

CLAMP = 33071  # glTF's sampler mode; all others repeat
LARGEST = 1024  # pixels: a head is seldom shown larger, and we have no mip maps
MOST_TILES = 4  # how often a repeated picture is laid out along one side
GUTTER = 2  # pixels around each picture that repeat its border
CUTOFF = 0.5  # opacity below which a blended surface is not there: the renderer knows no half-clear ones


@dataclass(frozen=True)
class Material:
    """colour: RGBA 0..1 display. image: number in the file or None. uv_set: which TEXCOORD. uv_matrix: (2, 3) on uv.

    clamp: along u and v. cutoff: opacity below which nothing is drawn, None where all is opaque.
    """

    colour: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    image: int | None = None
    uv_set: int = 0
    uv_matrix: tuple[tuple[float, float, float], tuple[float, float, float]] = ((1, 0, 0), (0, 1, 0))
    clamp: tuple[bool, bool] = (False, False)
    cutoff: float | None = None
    double_sided: bool = False


def read_materials(gltf: Gltf) -> list[Material]:
    """One per material of the file, and behind them glTF's default, for primitives that name none."""
    return [_material(gltf, entry) for entry in gltf.list_of("materials")] + [Material()]


def _material(gltf: Gltf, entry: dict[str, Any]) -> Material:
    surface = entry.get("pbrMetallicRoughness", {})
    factor = np.array(surface.get("baseColorFactor", (1, 1, 1, 1)), np.float64)
    colour = (*(float(c) for c in srgb(factor[:3])), float(factor[3]))
    mode = entry.get("alphaMode", "OPAQUE")
    cutoff = {"OPAQUE": None, "MASK": entry.get("alphaCutoff", 0.5)}.get(mode, CUTOFF)
    plain = {"colour": colour, "cutoff": cutoff, "double_sided": bool(entry.get("doubleSided", False))}
    wanted = surface.get("baseColorTexture")
    if wanted is None:
        return Material(**plain)
    texture = gltf.document["textures"][wanted["index"]]
    webp = texture.get("extensions", {}).get("EXT_texture_webp", {})
    image = webp.get("source", texture.get("source"))
    sampler = gltf.document["samplers"][texture["sampler"]] if "sampler" in texture else {}
    clamp = (sampler.get("wrapS") == CLAMP, sampler.get("wrapT") == CLAMP)
    moved = wanted.get("extensions", {}).get("KHR_texture_transform", {})
    uv_set = moved.get("texCoord", wanted.get("texCoord", 0))
    return Material(**plain, image=image, uv_set=uv_set, uv_matrix=_uv_matrix(moved), clamp=clamp)


def _uv_matrix(moved: dict[str, Any]) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """KHR_texture_transform: scale, then rotation (counter-clockwise as the picture is seen), then offset."""
    (right, down), (wide, high) = moved.get("offset", (0, 0)), moved.get("scale", (1, 1))
    angle = moved.get("rotation", 0)
    c, s = float(np.cos(angle)), float(np.sin(angle))
    return (c * wide, s * high, right), (-s * wide, c * high, down)


def srgb(linear: np.ndarray) -> np.ndarray:
    """Linear 0..1 -> display 0..1."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@dataclass(frozen=True, eq=False)
class Atlas:
    """picture: (H, W, 4) uint8 RGBA, read-only; alpha 0 where vertex colours show. uv: per surface, (V, 2) in it."""

    picture: np.ndarray
    uv: list[np.ndarray]


def pack_atlas(gltf: Gltf, surfaces: list[Surface]) -> Atlas:
    """Every picture that a surface shows, its material's colour multiplied in, each once."""
    cells: dict[tuple[Any, ...], np.ndarray] = {}
    keys, placed = [], []
    for surface in surfaces:
        uv, tiles = _tiled(surface)
        key = (surface.material, *tiles, surface.colours is not None and surface.material.image is None)
        if key not in cells:
            cells[key] = _cell(gltf, surface.material, tiles, bare=key[-1])
        keys.append(key)
        placed.append(uv)
    picture, corners = _shelves(list(cells.values()))
    where = dict(zip(cells, corners, strict=True))
    size = np.array([picture.shape[1], picture.shape[0]], np.float32)
    uv_of = []
    for key, uv in zip(keys, placed, strict=True):
        height, width = cells[key].shape[:2]
        uv_of.append(((uv * [width, height] + where[key]) / size).astype(np.float32))
    picture.flags.writeable = False
    return Atlas(picture, uv_of)


def _tiled(surface: Surface) -> tuple[np.ndarray, tuple[int, int]]:
    """uv 0..1 within the picture laid out (across, down) times."""
    matrix = np.array(surface.material.uv_matrix)
    uv = surface.uv @ matrix[:, :2].T + matrix[:, 2]
    if surface.material.image is None:
        return np.full_like(uv, 0.5), (1, 1)
    tiles = []
    for axis in (0, 1):
        if surface.material.clamp[axis]:
            uv[:, axis] = np.clip(uv[:, axis], 0, 1)
            tiles.append(1)
            continue
        low = np.floor(uv[:, axis].min() + 1e-4)
        count = int(np.clip(np.ceil(uv[:, axis].max() - 1e-4) - low, 1, MOST_TILES))
        uv[:, axis] = np.clip((uv[:, axis] - low) / count, 0, 1)
        tiles.append(count)
    return uv, (tiles[0], tiles[1])


def _cell(gltf: Gltf, material: Material, tiles: tuple[int, int], bare: bool) -> np.ndarray:
    """(h, w, 4) uint8 RGBA of a material. bare: clear, so that vertex colours show."""
    if material.image is None:
        picture = np.full((4, 4, 4), 255, np.uint8)
    else:
        picture = _at_most(np.tile(_decoded(gltf, material.image), (tiles[1], tiles[0], 1)), LARGEST)
    coloured = np.round(picture * np.array(material.colour, np.float32)).astype(np.uint8)
    if material.cutoff is None:
        coloured[..., 3] = 0 if bare else 255
    else:
        coloured[..., 3] = np.where(coloured[..., 3] >= 255 * material.cutoff, 255, 0)
    return coloured


def _at_most(picture: np.ndarray, side: int) -> np.ndarray:
    shrink = side / max(picture.shape[:2])
    return picture if shrink >= 1 else cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)


def _decoded(gltf: Gltf, number: int) -> np.ndarray:
    """(h, w, 4) uint8 RGBA of an image of the file. Raises AvatarError."""
    entry = gltf.document["images"][number]
    if "bufferView" in entry:
        content, _ = gltf.view(entry["bufferView"])
    else:
        content = gltf.buffer(entry)
    found: Any
    try:
        found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        found = None
    if found is None:
        kind = entry.get("mimeType", "unknown kind")
        raise AvatarError(f"{gltf.path}: its picture {number} ({kind}) cannot be read; PNG and JPEG are")
    if found.dtype == np.uint16:
        found = (found >> 8).astype(np.uint8)
    codes = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}
    return cv2.cvtColor(found, codes[1 if found.ndim == 2 else found.shape[2]])


def _shelves(cells: list[np.ndarray]) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """One picture with all cells, tallest first in rows, and the (x, y) of each cell's corner."""
    padded = [cv2.copyMakeBorder(cell, GUTTER, GUTTER, GUTTER, GUTTER, cv2.BORDER_REPLICATE) for cell in cells]
    area = sum(cell.shape[0] * cell.shape[1] for cell in padded)
    width = max([cell.shape[1] for cell in padded] + [int(np.sqrt(area))])
    corners: list[tuple[int, int]] = [(0, 0)] * len(cells)
    x = y = high = 0
    for number in sorted(range(len(cells)), key=lambda n: -padded[n].shape[0]):
        rows, columns = padded[number].shape[:2]
        if x + columns > width:
            x, y, high = 0, y + high, 0
        corners[number] = (x, y)
        x, high = x + columns, max(high, rows)
    picture = np.zeros((y + high, width, 4), np.uint8)
    for cell, (left, top) in zip(padded, corners, strict=True):
        picture[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    return picture, [(left + GUTTER, top + GUTTER) for left, top in corners]
