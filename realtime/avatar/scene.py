"""The scene of a glTF file, flattened: every primitive of every mesh as it stands at rest, in one space.

World space is the file's own: matrices act on columns, lengths in its unit (metres by convention).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime.avatar.gltf import Gltf
from realtime.avatar.materials import Material
from realtime.avatar.names import arkit_name
from realtime.avatar.vrm import Binds, expressions
from realtime.errors import AvatarError

TRIANGLES, STRIP, FAN = 4, 5, 6


@dataclass(frozen=True, eq=False)
class Nodes:
    """names; parents: (N,) int, -1 for roots; world: (N, 4, 4) float64 at rest; shown: (N,) bool, in the scene."""

    names: list[str]
    parents: np.ndarray
    world: np.ndarray
    shown: np.ndarray

    def under(self, root: int) -> np.ndarray:
        """(N,) bool: `root` and all below it."""
        found = np.zeros(len(self.parents), bool)
        found[root] = True
        for _ in range(len(self.parents)):
            grown = found | (found[self.parents] & (self.parents >= 0))
            if (grown == found).all():
                break
            found = grown
        return found


@dataclass(frozen=True, eq=False)
class Surface:
    """One primitive at rest in world space.

    positions, normals: (V, 3) float32, normals None where the file has none. uv: (V, 2), of the material's texture.
    colours: (V, 3) linear 0..1 or None. triangles: (F, 3) int32, counter-clockwise from outside.
    deltas: ARKit name -> (V, 3) at weight 1. nodes, shares: (V, J) which nodes carry a vertex, and how much (sum 1).
    """

    positions: np.ndarray
    normals: np.ndarray | None
    uv: np.ndarray
    colours: np.ndarray | None
    triangles: np.ndarray
    material: Material
    deltas: dict[str, np.ndarray]
    nodes: np.ndarray
    shares: np.ndarray


def read_nodes(gltf: Gltf) -> Nodes:
    """Raises AvatarError where the hierarchy is no tree."""
    entries = gltf.list_of("nodes")
    parents = np.full(len(entries), -1)
    for number, entry in enumerate(entries):
        parents[entry.get("children", [])] = number
    local = np.stack([_local(entry) for entry in entries]) if entries else np.zeros((0, 4, 4))
    world = np.zeros_like(local)
    waiting = list(np.flatnonzero(parents < 0))
    done = 0
    while waiting:
        number = int(waiting.pop())
        world[number] = local[number] if parents[number] < 0 else world[parents[number]] @ local[number]
        waiting.extend(entries[number].get("children", []))
        done += 1
        if done > len(entries):
            break
    if done != len(entries):
        raise AvatarError(f"{gltf.path}: broken: its nodes form a ring")
    nodes = Nodes([str(entry.get("name", "")) for entry in entries], parents, world, np.zeros(len(entries), bool))
    scenes = gltf.list_of("scenes")
    roots = scenes[gltf.document.get("scene", 0)].get("nodes", []) if scenes else np.flatnonzero(parents < 0)
    for root in roots:
        nodes.shown[nodes.under(int(root))] = True
    return nodes


def _local(entry: Mapping[str, Any]) -> np.ndarray:
    """(4, 4) float64 of a node."""
    if "matrix" in entry:
        return np.array(entry["matrix"], np.float64).reshape(4, 4).T
    x, y, z, w = np.array(entry.get("rotation", (0, 0, 0, 1)), np.float64)
    turned = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    matrix = np.eye(4)
    matrix[:3, :3] = turned * np.array(entry.get("scale", (1, 1, 1)), np.float64)
    matrix[:3, 3] = entry.get("translation", (0, 0, 0))
    return matrix


def read_surfaces(gltf: Gltf, nodes: Nodes, materials: list[Material]) -> list[Surface]:
    """Every triangle mesh of the scene."""
    drives = _drives(gltf)
    meshes = gltf.list_of("meshes")
    found = []
    for number, entry in enumerate(gltf.list_of("nodes")):
        if "mesh" not in entry or not nodes.shown[number]:
            continue
        mesh = meshes[entry["mesh"]]
        weights = entry.get("weights", mesh.get("weights", []))
        for primitive in mesh["primitives"]:
            if primitive.get("mode", TRIANGLES) in (TRIANGLES, STRIP, FAN):
                own = drives.get(entry["mesh"], {})
                found.append(_surface(gltf, nodes, number, primitive, materials, own, weights))
    return found


def target_names(mesh: Mapping[str, Any]) -> list[str]:
    """What a mesh calls its morph targets: in its own extras, or those of its first primitive."""
    for holder in (mesh, *mesh["primitives"]):
        extras = holder.get("extras")
        if isinstance(extras, dict) and isinstance(extras.get("targetNames"), list):
            return [str(name) for name in extras["targetNames"]]
    return []


def _drives(gltf: Gltf) -> dict[int, dict[int, list[tuple[str, float]]]]:
    """mesh -> target -> the ARKit names that move it, and how far each does."""
    drives: dict[int, dict[int, list[tuple[str, float]]]] = {}
    known: set[str] = set()
    for number, mesh in enumerate(gltf.list_of("meshes")):
        for target, label in enumerate(target_names(mesh)):
            if (name := arkit_name(label)) is not None:
                drives.setdefault(number, {}).setdefault(target, []).append((name, 1.0))
                known.add(name)
    more: dict[str, Binds] = expressions(gltf)
    for name in more.keys() - known:
        for number, target, weight in more[name]:
            drives.setdefault(number, {}).setdefault(target, []).append((name, float(weight)))
    return drives


def _surface(
    gltf: Gltf, nodes: Nodes, number: int, primitive: Mapping[str, Any], materials: list[Material],
    drives: dict[int, list[tuple[str, float]]], weights: list[float],
) -> Surface:  # fmt: skip
    attributes = primitive["attributes"]
    material = materials[primitive.get("material", -1)]
    positions = gltf.floats(attributes["POSITION"])
    count = len(positions)
    carriers, shares, matrices = _carriers(gltf, nodes, number, attributes, count)
    deltas: dict[str, np.ndarray] = {}
    for target, entry in enumerate(primitive.get("targets", [])):
        resting = weights[target] if target < len(weights) else 0.0
        if "POSITION" not in entry or (target not in drives and not resting):
            continue
        moved = gltf.floats(entry["POSITION"])
        if target not in drives:  # nobody moves it: it stays as the file has it
            positions = positions + np.float32(resting) * moved
        for name, strength in drives.get(target, ()):
            turned = _turned(matrices, moved) * np.float32(strength)
            deltas[name] = deltas[name] + turned if name in deltas else turned
    normals = gltf.floats(attributes["NORMAL"]) if "NORMAL" in attributes else None
    triangles = _triangles(gltf, primitive, count)
    if np.linalg.det(matrices[0][:3, :3]) < 0:
        triangles = triangles[:, ::-1]
    uv = f"TEXCOORD_{material.uv_set}"
    colours = gltf.floats(attributes["COLOR_0"])[:, :3] if "COLOR_0" in attributes else None
    return Surface(
        positions=_turned(matrices, positions) + matrices[:, :3, 3].astype(np.float32),
        normals=None if normals is None else _turned(_inverse_transposed(matrices), normals),
        uv=gltf.floats(attributes[uv]) if uv in attributes else np.zeros((count, 2), np.float32),
        colours=colours,
        triangles=np.ascontiguousarray(triangles),
        material=material,
        deltas=deltas,
        nodes=carriers,
        shares=shares,
    )


def _carriers(
    gltf: Gltf, nodes: Nodes, number: int, attributes: Mapping[str, int], count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(V, J) nodes, (V, J) shares, and the (V or 1, 4, 4) matrices from the mesh's space to the world's at rest."""
    skin = gltf.list_of("nodes")[number].get("skin")
    sets = [k for k in range(4) if f"JOINTS_{k}" in attributes and f"WEIGHTS_{k}" in attributes]
    if skin is None or not sets:
        return np.full((count, 1), number), np.ones((count, 1), np.float32), nodes.world[number][None]
    entry = gltf.list_of("skins")[skin]
    bones = np.array(entry["joints"])
    joints = np.concatenate([gltf.array(attributes[f"JOINTS_{k}"]) for k in sets], axis=1).astype(np.int64)
    shares = np.concatenate([gltf.floats(attributes[f"WEIGHTS_{k}"]) for k in sets], axis=1)
    total = shares.sum(1, keepdims=True)
    shares = np.where(total > 0, shares / np.maximum(total, 1e-6), np.eye(1, shares.shape[1], dtype=np.float32))
    unbound = np.tile(np.eye(4), (len(bones), 1, 1))
    if "inverseBindMatrices" in entry:
        unbound = gltf.floats(entry["inverseBindMatrices"]).astype(np.float64)
    palette = nodes.world[bones] @ unbound
    matrices = np.einsum("vj,vjab->vab", shares, palette[joints])
    return bones[joints], shares.astype(np.float32), matrices


def _turned(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(V or 1, 4, 4), (V, 3) directions -> (V, 3) float32."""
    return (matrices[:, :3, :3] @ vectors[..., None])[..., 0].astype(np.float32)


def _inverse_transposed(matrices: np.ndarray) -> np.ndarray:
    """What turns normals: the cofactors, which exist even where a matrix flattens its mesh."""
    a, b, c = (matrices[:, :3, k] for k in range(3))
    turned = np.zeros_like(matrices)
    turned[:, :3, :3] = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=2)
    return turned


def _triangles(gltf: Gltf, primitive: Mapping[str, Any], count: int) -> np.ndarray:
    """(F, 3) int32, whichever way the primitive lists them. Raises AvatarError for a corner that is no vertex."""
    mode = primitive.get("mode", TRIANGLES)
    corners = gltf.array(primitive["indices"]).astype(np.int64) if "indices" in primitive else np.arange(count)
    if len(corners) and corners.max() >= count:
        raise AvatarError(f"{gltf.path}: broken: a triangle names vertex {corners.max()} of {count}")
    if mode == TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3).astype(np.int32)
    first = np.arange(max(len(corners) - 2, 0))
    if mode == FAN:
        return np.stack([corners[first + 1], corners[first + 2], np.broadcast_to(corners[:1], first.shape)], 1).astype(
            np.int32
        )
    odd = first % 2
    return np.stack([corners[first], corners[first + 1 + odd], corners[first + 2 - odd]], 1).astype(np.int32)
