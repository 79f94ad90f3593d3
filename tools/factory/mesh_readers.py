"""Minimal readers of triangles: Wavefront OBJ (polygons are fanned) and binary glTF 2 (node transforms applied).

Both give vertices (V, 3) float64, triangles (F, 3) int32 and, (F,) bool, what the material says is see-through.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from tools.factory.lens_guess import names_a_lens

Triangles = tuple[np.ndarray, np.ndarray, np.ndarray]
COMPONENTS = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
CLEAR_BELOW = 0.95  # opacity


def read_obj(path: Path) -> Triangles:
    """Raises ValueError on a line that cannot be read."""
    vertices: list[list[float]] = []
    faces: list[list[int]] = []
    glass: list[bool] = []
    see_through = _transparent_materials(path)
    of_group = of_material = False
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            if words[0] == "v":
                vertices.append([float(w) for w in words[1:4]])
            elif words[0] in ("g", "o"):
                of_group = names_a_lens(" ".join(words[1:]))
            elif words[0] == "usemtl":
                name = " ".join(words[1:])
                of_material = names_a_lens(name) or name in see_through
            elif words[0] == "f":
                corners = [int(w.split("/")[0]) for w in words[1:]]
                corners = [c - 1 if c > 0 else len(vertices) + c for c in corners]
                for k in range(1, len(corners) - 1):
                    faces.append([corners[0], corners[k], corners[k + 1]])
                    glass.append(of_group or of_material)
        except ValueError as why:
            raise ValueError(f"{path}, line {number}: cannot read {line.strip()!r}") from why
    triangles = np.array(faces, np.int32).reshape(-1, 3)
    if len(triangles) and not 0 <= triangles.min() <= triangles.max() < len(vertices):
        raise ValueError(f"{path}: a face names a vertex that is not there")
    return np.array(vertices, float).reshape(-1, 3), triangles, np.array(glass, bool)


def _transparent_materials(path: Path) -> set[str]:
    found: set[str] = set()
    for library in path.parent.glob("*.mtl"):
        name = ""
        for line in library.read_text(errors="replace").splitlines():
            words = line.split()
            if len(words) > 1 and words[0] == "newmtl":
                name = " ".join(words[1:])
            elif len(words) > 1 and words[0] in ("d", "Tr"):
                opacity = float(words[-1]) if words[0] == "d" else 1 - float(words[-1])
                if opacity < CLEAR_BELOW:
                    found.add(name)
    return found


def read_glb(path: Path) -> Triangles:
    """Raises ValueError when it is not binary glTF 2, or its meshes are compressed."""
    content = path.read_bytes()
    if len(content) < 20 or content[:4] != b"glTF" or struct.unpack_from("<I", content, 4)[0] != 2:
        raise ValueError(f"{path}: not a binary glTF 2 file")
    length = struct.unpack_from("<I", content, 12)[0]
    try:
        return _scene_triangles(json.loads(content[20 : 20 + length]), content[20 + length + 8 :])
    except (KeyError, IndexError, ValueError, TypeError) as why:
        raise ValueError(f"{path}: cannot read its meshes (compressed, sparse or damaged): {why!r}") from why


def _scene_triangles(scene: dict[str, Any], binary: bytes) -> Triangles:
    positions, faces, glass = [np.zeros((0, 3))], [np.zeros((0, 3), np.int32)], [np.zeros(0, bool)]
    count = 0
    for node, matrix in _nodes(scene):
        for primitive in scene["meshes"][node["mesh"]]["primitives"] if "mesh" in node else []:
            if primitive.get("mode", 4) != 4:
                continue
            points = _accessor(scene, binary, primitive["attributes"]["POSITION"]).astype(float)
            if "indices" in primitive:
                corners = _accessor(scene, binary, primitive["indices"]).reshape(-1, 3)
            else:
                corners = np.arange(len(points)).reshape(-1, 3)
            positions.append(points @ matrix[:3, :3].T + matrix[:3, 3])
            faces.append(corners.astype(np.int32) + count)
            glass.append(np.full(len(corners), _see_through(scene, node, primitive)))
            count += len(points)
    return np.concatenate(positions), np.concatenate(faces), np.concatenate(glass)


def _see_through(scene: dict[str, Any], node: dict[str, Any], primitive: dict[str, Any]) -> bool:
    material = scene["materials"][primitive["material"]] if "material" in primitive else {}
    alpha = material.get("pbrMetallicRoughness", {}).get("baseColorFactor", [1, 1, 1, 1])[3]
    clear = material.get("alphaMode") == "BLEND" or alpha < CLEAR_BELOW
    clear = clear or "KHR_materials_transmission" in material.get("extensions", {})
    return bool(clear or names_a_lens(material.get("name", "")) or names_a_lens(node.get("name", "")))


def _nodes(scene: dict[str, Any]) -> list[tuple[dict[str, Any], np.ndarray]]:
    """Every node with its world matrix (4, 4)."""
    roots = scene.get("scenes", [{}])[scene.get("scene", 0)].get("nodes", range(len(scene.get("nodes", []))))
    pending = [(i, np.eye(4)) for i in roots]
    found = []
    while pending:
        index, parent = pending.pop()
        node = scene["nodes"][index]
        matrix = parent @ _local(node)
        found.append((node, matrix))
        pending += [(child, matrix) for child in node.get("children", [])]
    return found


def _local(node: dict[str, Any]) -> np.ndarray:
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    x, y, z, w = node.get("rotation", (0, 0, 0, 1))
    rotation = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * np.array(node.get("scale", (1, 1, 1)))
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix


def _accessor(scene: dict[str, Any], binary: bytes, index: int) -> np.ndarray:
    """(count, width) array of an accessor, interleaved or not; (count,) for scalars."""
    accessor = scene["accessors"][index]
    view = scene["bufferViews"][accessor["bufferView"]]
    kind, width = np.dtype(COMPONENTS[accessor["componentType"]]), WIDTHS[accessor["type"]]
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    stride = view.get("byteStride", kind.itemsize * width)
    raw = np.frombuffer(binary, np.uint8)
    rows = np.arange(accessor["count"])[:, None] * stride + np.arange(kind.itemsize * width) + start
    values = raw[rows].copy().view(kind).reshape(accessor["count"], width)
    if accessor.get("normalized"):
        values = values.astype(np.float32) / np.iinfo(kind).max
    return values[:, 0] if width == 1 else values
