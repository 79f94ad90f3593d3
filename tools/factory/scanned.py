"""Eyeglasses from OBJ and GLB files: read, told apart into frame and lenses, turned upright and scaled to a face.

Readers are minimal: triangles (polygons are fanned), material names and opacity, node transforms of glTF.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tools.factory.glasses import Design, Part, Worn
from tools.factory.parts import Mesh
from tools.factory.seat import Seat

TOTAL_WIDTH_MM = 140.0
GLASS_WORDS = ("lens", "glass", "transp", "vidro", "verre", "linse", "lente")


@dataclass(frozen=True)
class ScannedGlasses:
    """name: file stem. frame, lenses: in mm, x to the subject's left, y up, z forward, the bridge at the origin."""

    name: str
    frame: Mesh
    lenses: Mesh

    @property
    def front(self) -> np.ndarray:
        """(N, 3) points of the front, for `seat.sit`."""
        points = self.frame.vertices if len(self.frame.vertices) else self.lenses.vertices
        return points[points[:, 2] > -12.0]

    def worn(self, seat: Seat, design: Design) -> Worn:
        """On a seat, with the materials and lens of a design (the file's own colours are not read)."""
        half = len(self.lenses.triangles) // 2
        placed = seat.place(self.lenses.vertices)
        sides = [self.lenses.triangles[:half], self.lenses.triangles[half:]]
        centres = [placed[s].reshape(-1, 3).mean(0) if len(s) else seat.origin for s in sides]
        frame = Mesh(self._spread(seat), self.frame.triangles, self.frame.part)
        lenses = Mesh(placed, self.lenses.triangles, self.lenses.part)
        return Worn(frame, lenses, np.array(centres), design.materials, design.lens)

    def _spread(self, seat: Seat) -> np.ndarray:
        """The frame on its seat, its temples bent out so that they pass beside the head."""
        placed = seat.place(self.frame.vertices)
        widest = np.abs(seat.shape.ears[:, 0] - seat.shape.middle[0]).mean() + 1.5
        offset = placed - seat.origin
        behind = np.clip((-offset[:, 2] - 15) / 60, 0, 1)
        temple = np.abs(offset[:, 0]) > 0.35 * TOTAL_WIDTH_MM
        reach = np.abs(offset[temple & (behind > 0.8), 0]).max(initial=widest)
        spread = 1 + np.where(temple, behind, 0) * (max(widest, 1.0) / max(reach, 1.0) - 1)
        return np.stack([placed[:, 0] * 0 + seat.origin[0] + offset[:, 0] * spread, placed[:, 1], placed[:, 2]], 1)


def load_scanned(folder: Path) -> list[ScannedGlasses]:
    """All *.obj and *.glb of a folder and its subfolders. Raises ValueError naming the folder when there are none."""
    files = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in (".obj", ".glb"))
    found = [_scanned(path) for path in files]
    if not found:
        raise ValueError(f"no eyeglasses: {folder} holds neither .obj nor .glb files")
    return found


def _scanned(path: Path) -> ScannedGlasses:
    vertices, triangles, glass = (read_obj if path.suffix.lower() == ".obj" else read_glb)(path)
    if not len(triangles):
        raise ValueError(f"{path}: no triangles")
    vertices = _upright(vertices, triangles)
    lens_triangles = triangles[glass]
    side = vertices[lens_triangles].mean(1)[:, 0] < 0 if len(lens_triangles) else np.zeros(0, bool)
    order = np.argsort(side, kind="stable")
    frame = _part(vertices, triangles[~glass], Part.RIM)
    behind = frame.vertices[frame.triangles].mean(1)[:, 2] < -14 if len(frame.triangles) else np.zeros(0, bool)
    frame = Mesh(frame.vertices, frame.triangles, np.where(behind, Part.TEMPLE, Part.RIM).astype(np.uint8))
    return ScannedGlasses(path.stem, frame, _part(vertices, lens_triangles[order], Part.LENS))


def _part(vertices: np.ndarray, triangles: np.ndarray, part: Part) -> Mesh:
    used, flat = np.unique(triangles, return_inverse=True)
    faces = flat.reshape(-1, 3).astype(np.int32)
    return Mesh(vertices[used], faces, np.full(len(faces), part, np.uint8))


def _upright(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Axes guessed from the extents: symmetric across x, front at +z, temples down behind; 140 mm wide."""
    used = np.unique(triangles)
    points = vertices - (vertices[used].min(0) + vertices[used].max(0)) / 2
    areas = points[used]
    # Eyeglasses mirror onto themselves across x: the axis whose flip moves the histogram least.
    ordered = np.sort(areas, axis=0)
    asymmetry = np.abs(ordered + ordered[::-1]).mean(0) / np.ptp(areas, axis=0)
    extent = np.ptp(areas, axis=0)
    x_axis = int(np.argmin(asymmetry + (extent < 0.5 * extent.max())))
    others = [k for k in range(3) if k != x_axis]
    y_axis = min(others, key=lambda k: extent[k])
    z_axis = next(k for k in others if k != y_axis)
    points = points[:, [x_axis, y_axis, z_axis]] * (TOTAL_WIDTH_MM / extent[x_axis])
    front = points[used]
    half = np.ptp(front[:, 2]) / 2
    ends = [front[np.sign(s) * front[:, 2] > half - 8] for s in (1, -1)]
    middle = [np.sum(np.abs(e[:, 0]) < 0.3 * TOTAL_WIDTH_MM) for e in ends]  # the front has rims, the back does not
    if middle[1] > middle[0]:
        points = points * (-1, 1, -1)
    front = points[used][points[used][:, 2] > half - 15]
    tips = points[used][points[used][:, 2] < -half + 25]
    if len(tips) and tips[:, 1].mean() > front[:, 1].mean() + 3:  # temples end below the front's middle
        points = points * (-1, -1, 1)
    front = points[used][points[used][:, 2] > half - 15]
    centre = np.array([0, (front[:, 1].min() + front[:, 1].max()) / 2, half])
    return points - centre


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(V, 3) float64, (F, 3) int32, (F,) bool glass. Raises ValueError on a line that cannot be read."""
    vertices: list[list[float]] = []
    faces: list[list[int]] = []
    glass: list[bool] = []
    see_through = _transparent_materials(path)
    current = False
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            if words[0] == "v":
                vertices.append([float(w) for w in words[1:4]])
            elif words[0] in ("usemtl", "g", "o"):
                name = " ".join(words[1:])
                if words[0] == "usemtl" or _glassy(name):
                    current = _glassy(name) or name in see_through
            elif words[0] == "f":
                corners = [int(w.split("/")[0]) for w in words[1:]]
                corners = [c - 1 if c > 0 else len(vertices) + c for c in corners]
                for k in range(1, len(corners) - 1):
                    faces.append([corners[0], corners[k], corners[k + 1]])
                    glass.append(current)
        except ValueError as why:
            raise ValueError(f"{path}, line {number}: cannot read {line.strip()!r}") from why
    return np.array(vertices, float).reshape(-1, 3), np.array(faces, np.int32).reshape(-1, 3), np.array(glass, bool)


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
                if opacity < 0.95:
                    found.add(name)
    return found


def read_glb(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Like `read_obj`, every node's transform applied. Raises ValueError when it is not binary glTF 2."""
    content = path.read_bytes()
    if len(content) < 20 or content[:4] != b"glTF" or struct.unpack_from("<I", content, 4)[0] != 2:
        raise ValueError(f"{path}: not a binary glTF 2 file")
    length = struct.unpack_from("<I", content, 12)[0]
    scene = json.loads(content[20 : 20 + length])
    binary = content[20 + length + 8 :]
    positions, faces, glass = [], [], []
    count = 0
    for node, matrix in _nodes(scene):
        for primitive in scene["meshes"][node["mesh"]]["primitives"] if "mesh" in node else []:
            if primitive.get("mode", 4) != 4:
                continue
            points = _accessor(scene, binary, primitive["attributes"]["POSITION"]).astype(float)
            corners = (
                _accessor(scene, binary, primitive["indices"]).reshape(-1, 3)
                if "indices" in primitive
                else np.arange(len(points)).reshape(-1, 3)
            )
            material = scene.get("materials", [{}])[primitive["material"]] if "material" in primitive else {}
            name = material.get("name", "") + " " + node.get("name", "")
            alpha = material.get("pbrMetallicRoughness", {}).get("baseColorFactor", [1, 1, 1, 1])[3]
            clear = material.get("alphaMode") == "BLEND" or alpha < 0.95
            clear = clear or "KHR_materials_transmission" in material.get("extensions", {})
            positions.append(points @ matrix[:3, :3].T + matrix[:3, 3])
            faces.append(corners.astype(np.int32) + count)
            glass.append(np.full(len(corners), clear or _glassy(name)))
            count += len(points)
    if not positions:
        raise ValueError(f"{path}: no triangles")
    return np.concatenate(positions), np.concatenate(faces), np.concatenate(glass)


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


COMPONENTS = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


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
    return values[:, 0] if width == 1 else values


def _glassy(name: str) -> bool:
    return any(word in name.lower() for word in GLASS_WORDS)
