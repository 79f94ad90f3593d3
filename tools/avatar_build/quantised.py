"""Writes an avatar as a small GLB: KHR_mesh_quantization, sparse morph targets of one or two bytes a coordinate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from realtime.face.glb import INDICES, VERTICES, Buffer, pack, unit
from realtime.face.mesh import vertex_normals
from tools.avatar_build.solids import Solid

UNIT_MM = 0.1  # of positions and shapes; nodes scale by it
UNIT_M = UNIT_MM / 1000


def mesh_of(buffer: Buffer, name: str, solid: Solid, names: tuple[str, ...], least_mm: float) -> dict[str, Any]:
    """A mesh with material 0, positions in UNIT_MM. names: of the shapes.

    least_mm: what shapes move less than that stays still, and what they move more they move that much less.
    """
    normals = unit(vertex_normals(solid.vertices.astype(np.float32), solid.triangles.astype(np.int32)))
    padded = np.zeros((len(normals), 4), "<i1")
    padded[:, :3] = np.round(127 * normals)
    colours = np.full((len(normals), 4), 255, "<u1")
    colours[:, :3] = np.round(255 * linear(solid.colours))
    primitive: dict[str, Any] = {
        "attributes": {
            "POSITION": buffer.accessor((solid.vertices / UNIT_MM).astype("<f4"), VERTICES, bounds=True),
            "NORMAL": buffer.accessor(padded, VERTICES, columns=3, normalized=True),
            "COLOR_0": buffer.accessor(colours, VERTICES, normalized=True),
        },
        "indices": buffer.accessor(solid.triangles.astype("<u2").ravel(), INDICES), "material": 0, "mode": 4,
    }  # fmt: skip
    mesh: dict[str, Any] = {"name": name, "primitives": [primitive]}
    if len(solid.shapes):
        primitive["targets"] = [{"POSITION": buffer.sparse(whole(shape, least_mm))} for shape in solid.shapes]
        mesh |= {"weights": [0.0] * len(names), "extras": {"targetNames": list(names)}}
    return mesh


def whole(shape_mm: np.ndarray, least_mm: float) -> np.ndarray:
    """(V, 3) mm -> int8 where that is enough, else int16, in UNIT_MM; every length is shortened by `least_mm`."""
    length = np.linalg.norm(shape_mm, axis=1, keepdims=True)
    kept = shape_mm * np.maximum(0, 1 - least_mm / np.maximum(length, 1e-9))
    units = np.round(kept / UNIT_MM)
    return units.astype("<i1" if np.abs(units).max(initial=0) <= 127 else "<i2")


def linear(display: np.ndarray) -> np.ndarray:
    """Display values -> the linear ones that glTF's colours are."""
    return np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4)


def write(path: Path, buffer: Buffer, meshes: list[dict[str, Any]], nodes: list[dict[str, Any]]) -> None:
    """nodes: the first is the scene's root."""
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Nakedeye"},
        "extensionsUsed": ["KHR_mesh_quantization"], "extensionsRequired": ["KHR_mesh_quantization"],
        "scene": 0, "scenes": [{"nodes": [0]}], "nodes": nodes, "meshes": meshes,
        "materials": [{"name": "matte", "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.8}}],
        "accessors": buffer.accessors, "bufferViews": buffer.views,
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pack(document, bytes(buffer.chunk)))
