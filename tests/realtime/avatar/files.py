"""Avatar files made by hand: an egg for a head, whose blendshapes push dents where a face has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime.avatar.placement import reference_centres
from realtime.face.glb import INDICES, VERTICES, Buffer, pack
from tests.shaders.scenes import sphere

NAMES = ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthSmileLeft", "mouthSmileRight", "browInnerUp", "browDownLeft",
         "browDownRight", "mouthPucker")  # fmt: skip
Edit = Callable[[dict[str, Any], Buffer], None]


def egg(rings: int = 41) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """vertices (V, 3) mm in our face's axes, triangles, normals, uv of an egg about as large as a head."""
    _, triangles, normals, uv = sphere(rings)
    return normals * np.float32([80, 120, 90]) + np.float32([0, -25, -50]), triangles, normals, uv


def dents(vertices: np.ndarray, names: tuple[str, ...] = NAMES) -> dict[str, np.ndarray]:
    """ARKit name -> (V, 3) mm: 8 mm downwards around the place that this shape moves in our own face."""
    centres = reference_centres()
    return {name: (np.exp(-(((vertices - centres[name]) / 22) ** 2).sum(1))[:, None] * [0, -8, 0]).astype(np.float32)
            for name in names}  # fmt: skip


def write_egg(
    path: Path, *, labels: Callable[[str], str] = str, change: Callable[[np.ndarray], np.ndarray] = lambda v: v / 1000,
    node: dict[str, Any] | None = None, edit: Edit | None = None, names: tuple[str, ...] = NAMES,
) -> Path:  # fmt: skip
    """A GLB of the egg. labels: ARKit name -> name in the file. change: linear map from mm to the file's space.

    node: of the mesh. edit: the last word on document and buffer.
    """
    vertices, triangles, normals, uv = egg()
    moved = change(vertices).astype("<f4")
    buffer = Buffer()
    attributes = {
        "POSITION": buffer.accessor(moved, VERTICES, bounds=True),
        "NORMAL": buffer.accessor(normals.astype("<f4"), VERTICES),
        "TEXCOORD_0": buffer.accessor(uv.astype("<f4"), VERTICES),
    }
    shapes = dents(vertices, names)
    zero = change(np.zeros((1, 3)))
    targets = [{"POSITION": buffer.sparse((change(shape) - zero).astype("<f4"))} for shape in shapes.values()]
    indices = buffer.accessor(triangles.astype("<u2").ravel(), INDICES)
    document: dict[str, Any] = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "thing", "mesh": 0} | (node or {})],
        "meshes": [{
            "primitives": [{"attributes": attributes, "indices": indices, "targets": targets}],
            "extras": {"targetNames": [labels(name) for name in shapes]},
        }],
    }  # fmt: skip
    if edit is not None:
        edit(document, buffer)
    document |= {"accessors": buffer.accessors, "bufferViews": buffer.views}
    path.write_bytes(pack(document, bytes(buffer.chunk)))
    return path


def painted(buffer: Buffer, document: dict[str, Any], picture: np.ndarray, **material: Any) -> None:
    """Gives the mesh a material with a (h, w, 3 or 4) RGB(A) picture."""
    code = cv2.COLOR_RGBA2BGRA if picture.shape[2] == 4 else cv2.COLOR_RGB2BGR
    encoded = cv2.imencode(".png", cv2.cvtColor(picture, code))[1].tobytes()
    document["images"] = [{"bufferView": buffer.view(encoded), "mimeType": "image/png"}]
    document["textures"] = [{"source": 0}]
    document["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}} | material]
    document["meshes"][0]["primitives"][0]["material"] = 0


def weights(**named: float) -> np.ndarray:
    """(52,) ARKit weights."""
    from realtime.face.blendshapes import expression_from

    return expression_from(named)[:52]
