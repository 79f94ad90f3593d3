"""Reads a glTF 2.0 binary (.glb, .vrm): its JSON document, and its accessors as arrays.

Normalised integers become floats, other integers stay what they are (KHR_mesh_quantization needs no more), sparse
accessors are filled in. What the file may hold beyond that is listed in `SUPPORTED`.
"""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from realtime.errors import AvatarError, reason

MAGIC = b"glTF"
JSON_CHUNK, BINARY_CHUNK = b"JSON", b"BIN\0"
DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
SHAPES: dict[str, tuple[int, ...]] = {
    "SCALAR": (), "VEC2": (2,), "VEC3": (3,), "VEC4": (4,), "MAT2": (2, 2), "MAT3": (3, 3), "MAT4": (4, 4),
}  # fmt: skip
MOST_ELEMENTS = 20_000_000  # of one accessor; a damaged count must not eat the memory
# Extensions that a file may require: what they change is read, or is a matter of shading that we leave out.
SUPPORTED = frozenset({
    "KHR_mesh_quantization", "KHR_texture_transform", "EXT_texture_webp", "VRM", "VRMC_vrm", "VRMC_materials_mtoon",
    "VRMC_springBone", "VRMC_node_constraint", "KHR_lights_punctual", "KHR_xmp_json_ld", "KHR_animation_pointer",
})  # fmt: skip
ADVICE = {
    "KHR_draco_mesh_compression": "its mesh is compressed with Draco; export it again without compression",
    "EXT_meshopt_compression": "its mesh is compressed with meshoptimizer; export it again without compression",
    "KHR_meshopt_compression": "its mesh is compressed with meshoptimizer; export it again without compression",
    "KHR_texture_basisu": "its textures are KTX2 (Basis Universal); export it again with PNG or JPEG textures",
}


@dataclass(frozen=True, eq=False)
class Gltf:
    """path: for messages. document: the JSON part. binary: the chunk behind it, empty where there is none."""

    path: Path
    document: dict[str, Any]
    binary: bytes

    def list_of(self, name: str) -> list[dict[str, Any]]:
        """The top-level list `name` ("nodes", "meshes", ...), empty where the file has none."""
        return list(self.document.get(name, []))

    @cached_property
    def buffers(self) -> list[bytes]:
        return [self.buffer(entry) for entry in self.list_of("buffers")]

    def view(self, index: int) -> tuple[bytes, int | None]:
        """The bytes of a buffer view and its stride, None where elements are packed."""
        entry = self.document["bufferViews"][index]
        start = entry.get("byteOffset", 0)
        content = self.buffers[entry["buffer"]][start : start + entry["byteLength"]]
        if start < 0 or len(content) < entry["byteLength"]:
            raise AvatarError(f"{self.path}: broken: buffer view {index} reaches beyond the end of the file")
        return content, entry.get("byteStride")

    def array(self, index: int) -> np.ndarray:
        """Accessor `index`: (n,), (n, C) or (n, C, C) in the file's own dtype, float32 where it says `normalized`.

        Matrices come row by row (glTF stores columns). Raises AvatarError where the file is too short.
        """
        entry = self.document["accessors"][index]
        count, dtype, shape = entry["count"], np.dtype(DTYPES[entry["componentType"]]), SHAPES[entry["type"]]
        if not 0 < count <= MOST_ELEMENTS:
            raise AvatarError(f"{self.path}: broken: accessor {index} has {count} elements")
        if "bufferView" in entry:
            values = self._elements(entry["bufferView"], entry.get("byteOffset", 0), count, dtype, shape)
        else:
            values = np.zeros((count, *shape), dtype)
        if "sparse" in entry:
            values = self._filled_in(values, entry["sparse"])
        if entry.get("normalized") and dtype.kind in "iu":
            values = np.maximum(values.astype(np.float32) / np.iinfo(dtype).max, -1)
        return values.swapaxes(1, 2) if len(shape) == 2 else values

    def floats(self, index: int) -> np.ndarray:
        """`array` as float32. Raises AvatarError where a number is not finite."""
        values = self.array(index).astype(np.float32)
        if not np.isfinite(values).all():
            raise AvatarError(f"{self.path}: broken: accessor {index} holds numbers that are not finite")
        return values

    def _elements(self, view: int, offset: int, count: int, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
        content, stride = self.view(view)
        size = dtype.itemsize * int(np.prod(shape))
        step = stride or size
        if offset < 0 or step < size or offset + step * (count - 1) + size > len(content):
            raise AvatarError(f"{self.path}: broken: an accessor reaches beyond its buffer view {view}")
        rows = np.ndarray((count, size), np.uint8, content, offset, (step, 1))
        return np.ascontiguousarray(rows).view(dtype).reshape(count, *shape)

    def _filled_in(self, values: np.ndarray, sparse: dict[str, Any]) -> np.ndarray:
        where, what, count = sparse["indices"], sparse["values"], sparse["count"]
        kind = np.dtype(DTYPES[where["componentType"]])
        rows = self._elements(where["bufferView"], where.get("byteOffset", 0), count, kind, ())
        filled = values.copy()
        filled[rows] = self._elements(what["bufferView"], what.get("byteOffset", 0), count, values.dtype,
                                      values.shape[1:])  # fmt: skip
        return filled

    def buffer(self, entry: dict[str, Any]) -> bytes:
        """What a buffer or an image holds that is no part of a view: the chunk, or its data: URI."""
        uri = entry.get("uri")
        if uri is None:
            return self.binary
        if not uri.startswith("data:"):
            raise AvatarError(f"{self.path}: keeps its data in another file ({uri}); export it as one .glb")
        return base64.b64decode(uri.split(",", 1)[1])


def read_gltf(path: Path) -> Gltf:
    """Raises AvatarError, one line: not a GLB, damaged, or it requires an extension that is not read."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise AvatarError(f"{path}: cannot be read: {reason(error)}") from error
    if raw[:4] != MAGIC:
        hint = "export it as binary glTF (.glb)" if raw[:1] in b"{ \n" else "an avatar is a .glb or .vrm file"
        raise AvatarError(f"{path}: is no binary glTF; {hint}")
    try:
        gltf = Gltf(path, *_chunks(raw))
    except (struct.error, ValueError, KeyError) as error:
        raise AvatarError(f"{path}: broken: {error or 'no JSON chunk'}") from error
    for extension in gltf.document.get("extensionsRequired", []):
        if extension not in SUPPORTED:
            raise AvatarError(f"{path}: {ADVICE.get(extension, f'needs {extension}, which is not read')}")
    return gltf


def _chunks(raw: bytes) -> tuple[dict[str, Any], bytes]:
    _, version, total = struct.unpack_from("<4sII", raw)
    if version != 2:
        raise ValueError(f"glTF {version} is not read, only 2")
    if total > len(raw):
        raise ValueError(f"it ends after {len(raw)} of {total} bytes")
    chunks: dict[bytes, bytes] = {}
    position = 12
    while position + 8 <= total:
        length, kind = struct.unpack_from("<I4s", raw, position)
        chunks.setdefault(kind, raw[position + 8 : position + 8 + length])
        position += 8 + length + (-length % 4)
    document = json.loads(chunks[JSON_CHUNK])
    if not isinstance(document, dict):
        raise ValueError("its JSON is no object")
    return document, chunks.get(BINARY_CHUNK, b"")
