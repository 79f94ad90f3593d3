"""glTF 2.0 in one binary file: a head node with a textured mesh, morph targets by name, and an animation of both.

glTF's axes are ours (y up, right-handed; z towards the viewer), its unit is the metre, its v counts down as ours.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
UNSIGNED_SHORT = COMPONENTS["u2"]
VERTICES, INDICES = 34962, 34963
TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
METRES_PER_MM = 0.001


@dataclass(frozen=True)
class Morphs:
    """names; offsets: (K, V, 3) mm at weight 1; weights: (K,) at rest."""

    names: tuple[str, ...]
    offsets: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Animation:
    """times: (n,) s, rising; weights: (n, K) of the morphs; rotations: (n, 4) quaternions x, y, z, w of the head."""

    times: np.ndarray
    weights: np.ndarray
    rotations: np.ndarray


@dataclass
class Buffer:
    """The binary chunk while it grows, with its views and accessors."""

    chunk: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def view(self, content: bytes, target: int | None = None, stride: int | None = None) -> int:
        self.chunk += b"\0" * (-len(self.chunk) % 4)
        entry = {"buffer": 0, "byteOffset": len(self.chunk), "byteLength": len(content)}
        entry |= {} if stride is None else {"byteStride": stride}
        self.views.append(entry if target is None else {**entry, "target": target})
        self.chunk += content
        return len(self.views) - 1

    def accessor(
        self, array: np.ndarray, target: int | None = None, bounds: bool = False, columns: int | None = None,
        normalized: bool = False,
    ) -> int:  # fmt: skip
        """(n,) or (n, C) float32 or integers -> number of a new accessor. columns: those that count, of padded rows."""
        array = np.ascontiguousarray(array)
        stride = None if columns is None else array.strides[0]
        counted = array if columns is None else array[:, :columns]
        entry: dict[str, Any] = {"bufferView": self.view(array.tobytes(), target, stride), **_kind(counted)}
        entry |= {"normalized": True} if normalized else {}
        if bounds:
            rows = array.reshape(len(array), -1)
            entry |= {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
        self.accessors.append(entry)
        return len(self.accessors) - 1

    def sparse(self, offsets: np.ndarray) -> int:
        """(V, 3), mostly 0 -> number of a new sparse accessor; without bounds glTF refuses positions."""
        moved = np.flatnonzero(np.any(offsets != 0, axis=1))
        entry = {**_kind(offsets), "min": offsets.min(0).tolist(), "max": offsets.max(0).tolist()}
        if len(moved):
            indices, values = self.view(moved.astype("<u2").tobytes()), self.view(offsets[moved].tobytes())
            entry["sparse"] = {
                "count": len(moved), "indices": {"bufferView": indices, "componentType": UNSIGNED_SHORT},
                "values": {"bufferView": values},
            }  # fmt: skip
        else:
            entry["bufferView"] = self.view(offsets.tobytes(), VERTICES)
        self.accessors.append(entry)
        return len(self.accessors) - 1


def _kind(array: np.ndarray) -> dict[str, Any]:
    columns = array.shape[1] if array.ndim > 1 else 1
    return {"componentType": COMPONENTS[array.dtype.str[1:]], "count": len(array), "type": TYPES[columns]}


def write_glb(
    path: Path, vertices: np.ndarray, triangles: np.ndarray, normals: np.ndarray, uv: np.ndarray, texture_png: bytes,
    morphs: Morphs | None = None, rotation: np.ndarray | None = None, animation: Animation | None = None,
) -> None:
    """vertices: (V, 3) mm. rotation: (4,) quaternion of the head at rest. An animation needs morphs.

    Raises ValueError when an animation has no morphs, no frames or times that do not rise.
    """
    buffer = Buffer()
    primitive: dict[str, Any] = {
        "attributes": {
            "POSITION": buffer.accessor((vertices * METRES_PER_MM).astype("<f4"), VERTICES, bounds=True),
            "NORMAL": buffer.accessor(unit(normals), VERTICES),
            "TEXCOORD_0": buffer.accessor(uv.astype("<f4"), VERTICES),
        },
        "indices": buffer.accessor(triangles.astype("<u4").ravel(), INDICES), "material": 0, "mode": 4,
    }  # fmt: skip
    mesh: dict[str, Any] = {"name": "face", "primitives": [primitive]}
    if morphs is not None:
        offsets = (morphs.offsets * METRES_PER_MM).astype("<f4")
        primitive["targets"] = [{"POSITION": buffer.sparse(one)} for one in offsets]
        mesh |= {"weights": morphs.weights.tolist(), "extras": {"targetNames": list(morphs.names)}}
    node: dict[str, Any] = {"name": "head", "mesh": 0}
    if rotation is not None:
        node["rotation"] = quaternion(rotation).tolist()
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Nakedeye"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [node],
        "meshes": [mesh], **_material(buffer, texture_png),
    }  # fmt: skip
    if animation is not None:
        document["animations"] = [_animation(buffer, animation, morphs)]
    document |= {"accessors": buffer.accessors, "bufferViews": buffer.views}
    path.write_bytes(pack(document, bytes(buffer.chunk)))


def _material(buffer: Buffer, texture_png: bytes) -> dict[str, Any]:
    return {
        "materials": [{
            "name": "skin",
            "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}, "metallicFactor": 0.0, "roughnessFactor": 0.6},
        }],
        "textures": [{"source": 0, "sampler": 0}],
        "images": [{"bufferView": buffer.view(texture_png), "mimeType": "image/png"}],
        "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],
    }  # fmt: skip


def _animation(buffer: Buffer, animation: Animation, morphs: Morphs | None) -> dict[str, Any]:
    if morphs is None or len(animation.times) == 0 or np.any(np.diff(animation.times) <= 0):
        raise ValueError("an animation needs morph targets and frames whose times rise")
    times = buffer.accessor(animation.times.astype("<f4"), bounds=True)
    weights = buffer.accessor(animation.weights.astype("<f4").ravel())
    rotations = buffer.accessor(quaternion(animation.rotations))
    samplers = [{"input": times, "interpolation": "LINEAR", "output": output} for output in (weights, rotations)]
    channels = [
        {"sampler": k, "target": {"node": 0, "path": path}} for k, path in enumerate(("weights", "rotation"))
    ]
    return {"name": "performance", "samplers": samplers, "channels": channels}


def unit(vectors: np.ndarray) -> np.ndarray:
    """(V, 3) -> float32 of length 1; where there is no direction, towards the viewer."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-6, vectors / np.maximum(length, 1e-6), [0, 0, 1]).astype("<f4")


def quaternion(rotations: np.ndarray) -> np.ndarray:
    """(..., 4) -> float32 of length 1, each on the side of the one before, so that a player turns the short way."""
    q = np.array(rotations, np.float64)
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    if q.ndim == 2:
        turns = np.sign((q[1:] * q[:-1]).sum(1))
        q[1:] *= np.cumprod(np.where(turns < 0, -1, 1))[:, None]
    return q.astype("<f4")


def pack(document: dict[str, Any], chunk: bytes) -> bytes:
    """JSON and binary chunk behind the 12-byte header, each padded to 4 bytes."""
    chunk += b"\0" * (-len(chunk) % 4)
    document["buffers"] = [{"byteLength": len(chunk)}]
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + len(chunk)
    return b"".join([
        struct.pack("<4sII", b"glTF", 2, total), struct.pack("<I4s", len(text), b"JSON"), text,
        struct.pack("<I4s", len(chunk), b"BIN\0"), chunk,
    ])  # fmt: skip
