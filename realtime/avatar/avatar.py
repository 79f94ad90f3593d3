"""An avatar: any GLB whose morph targets bear ARKit's names, posed by blendshapes, the head's rotation and the gaze.

Posed vertices are millimetres in the axes of our face model (x to the subject's left, y up, z forward), the origin
between the eyes, so that the pose of a tracked face places the avatar too.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime.avatar.gltf import read_gltf
from realtime.avatar.materials import pack_atlas, read_materials, srgb
from realtime.avatar.placement import centre_of_motion, place
from realtime.avatar.rig import Turning, find_rig
from realtime.avatar.scene import Surface, read_nodes, read_surfaces
from realtime.errors import AvatarError
from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import rotation_matrix
from realtime.face.mesh import vertex_normals

# Full strength of ARKit's eyeLook shapes, as our own face's eyeballs turn (a test measures them), in radians.
LOOK_SIDE, LOOK_UP, LOOK_DOWN = np.radians(32.0), np.radians(25.0), np.radians(30.0)
LOOKS = {side: [ARKIT_NAMES.index(f"eyeLook{way}{side}") for way in ("In", "Out", "Up", "Down")]
         for side in ("Left", "Right")}  # fmt: skip
MIX = np.array([0x9E3779B97F4A7C1, 0xC2B2AE3D27D4EB5, 0x165667B19E3779F, 0x27D4EB2F165667C5, 0x2545F4914F6CDD1D,
                0x1B873593CC9E2D51, 0x5851F42D4C957F2D])  # fmt: skip
STILL_MM = 0.05  # what a shape moves less than that it does not move


@dataclass(frozen=True, eq=False)
class Joint:
    """Vertices that turn together. rows: (n,) their numbers; share: (n, 1) 0..1 how far each; pivot: (3,) mm."""

    rows: np.ndarray
    share: np.ndarray
    pivot: np.ndarray

    def turn(self, vertices: np.ndarray, rotation: np.ndarray) -> None:
        """Turns (V, 3) in place by (3, 3)."""
        at = vertices[self.rows] - self.pivot
        vertices[self.rows] += (at @ rotation.T.astype(np.float32) - at) * self.share


@dataclass(frozen=True, eq=False)
class Avatar:
    """vertices: (V, 3) float32 mm at rest. triangles: (F, 3) int32, the first `solid` of them opaque, the others cut
    out by the texture's alpha. uv: (V, 2) in `texture` (H, W, 4) uint8 RGBA; alpha 0 of a solid one: `colours` (V, 3).

    names: the ARKit shapes it has. shapes: (K, 3M) float32, what they move of the vertices `moved` (M,). welded: (V,)
    vertices that share position and normal at rest bear one number. head: None when all turns. eyes: left and right,
    None where there is none, or where shapes move them.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    solid: int
    uv: np.ndarray
    texture: np.ndarray
    colours: np.ndarray
    names: tuple[str, ...]
    shapes: np.ndarray
    moved: np.ndarray
    welded: np.ndarray
    welded_triangles: np.ndarray
    head: Joint | None
    eyes: tuple[Joint | None, Joint | None]

    def pose(self, weights: np.ndarray, rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(52,) ARKit weights and the head's (3, 3) rotation -> (V, 3) mm and (V, 3) unit normals, float32.

        The point between the eyes stays at the origin, whatever the head turns about.
        """
        vertices = self.vertices.copy()
        own = weights[[ARKIT_NAMES.index(name) for name in self.names]].astype(np.float32)
        used = np.flatnonzero(own)
        if len(used):
            vertices[self.moved] += (own[used] @ self.shapes[used]).reshape(-1, 3)
        for eye, turned in zip(self.eyes, gaze(weights), strict=True):
            if eye is not None:
                eye.turn(vertices, turned)
        turn = rotation.astype(np.float32)
        if self.head is None:
            vertices = vertices @ turn.T
        else:
            self.head.turn(vertices, rotation)
            vertices += turn @ self.head.pivot - self.head.pivot
        normals = vertex_normals(self._weld(vertices), self.welded_triangles)[self.welded]
        return vertices, normals

    def _weld(self, vertices: np.ndarray) -> np.ndarray:
        joined = np.empty((int(self.welded.max()) + 1, 3), np.float32)
        joined[self.welded] = vertices
        return joined


def gaze(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(52,) ARKit weights -> rotations (3, 3) of the left and the right eye in the head."""
    turns = []
    for side, inwards in (("Left", -1.0), ("Right", 1.0)):  # +yaw turns to the subject's left
        into, out, up, down = (float(weights[k]) for k in LOOKS[side])
        turns.append(rotation_matrix(down * LOOK_DOWN - up * LOOK_UP, inwards * (into - out) * LOOK_SIDE, 0.0))
    return turns[0], turns[1]


def load_avatar(path: Path) -> Avatar:
    """Raises AvatarError, one line that says what is wrong with the file."""
    try:
        return _load(path)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, struct.error, OverflowError) as error:
        raise AvatarError(f"{path}: broken: {type(error).__name__} {error}") from error


def _load(path: Path) -> Avatar:
    gltf = read_gltf(path)
    nodes = read_nodes(gltf)
    surfaces = read_surfaces(gltf, nodes, read_materials(gltf))
    names = tuple(name for name in ARKIT_NAMES if any(name in surface.deltas for surface in surfaces))
    if not surfaces:
        raise AvatarError(f"{path}: holds no mesh to show")
    if not names:
        raise AvatarError(f"{path}: no morph target bears an ARKit name (jawOpen, eyeBlinkLeft, ...), so no face could "
                          "move it; targets are named in the mesh's extras.targetNames")  # fmt: skip
    positions = np.concatenate([surface.positions for surface in surfaces])
    deltas = {name: _stacked(surfaces, name) for name in names}
    motion = np.sqrt(sum((delta.astype(np.float64) ** 2).sum(1) for delta in deltas.values()))
    rig = find_rig(gltf, nodes, surfaces, motion)
    centres = {name: centre_of_motion(positions, delta) for name, delta in deltas.items()}
    placed = place(centres, (positions.min(0), positions.max(0)))
    atlas = pack_atlas(gltf, surfaces)
    triangles, solid, fronts = _triangles(surfaces)
    shapes = np.stack([placed.directions(deltas[name]) for name in names])  # (K, V, 3)
    moved = np.flatnonzero((np.abs(shapes) > STILL_MM).any((0, 2)))
    vertices = placed.points(positions)
    welded = _welded(vertices, surfaces)

    def joint(turning: Turning | None) -> Joint | None:
        if turning is None:
            return None
        rows = np.flatnonzero(turning.share > 0)
        return Joint(rows, turning.share[rows, None], placed.points(turning.pivot))

    looking = [k for k, name in enumerate(names) if name.startswith("eyeLook")]
    eyes = [joint(eye) for eye in rig.eyes]
    return Avatar(
        vertices=vertices,
        triangles=triangles,
        solid=solid,
        uv=np.concatenate(atlas.uv),
        texture=atlas.picture,
        colours=np.concatenate([_colours(surface) for surface in surfaces]),
        names=names,
        shapes=np.ascontiguousarray(shapes[:, moved].reshape(len(names), -1)),
        moved=moved,
        welded=welded,
        welded_triangles=np.ascontiguousarray(welded[fronts].astype(np.int32)),
        head=joint(rig.head),
        eyes=(_unless_moved(eyes[0], shapes[looking]), _unless_moved(eyes[1], shapes[looking])),
    )


def _stacked(surfaces: list[Surface], name: str) -> np.ndarray:
    """(V, 3) of all surfaces, 0 for those that lack the shape."""
    return np.concatenate([s.deltas.get(name, np.zeros_like(s.positions)) for s in surfaces])


def _triangles(surfaces: list[Surface]) -> tuple[np.ndarray, int, np.ndarray]:
    """(F, 3) over the vertices of all surfaces, opaque ones first, how many those are, and all but the backs."""
    parts: dict[bool, list[np.ndarray]] = {True: [], False: []}
    fronts = []
    start = 0
    for surface in surfaces:
        own = surface.triangles + start
        both = [own, own[:, ::-1]] if surface.material.double_sided else [own]
        parts[surface.material.cutoff is None].extend(both)
        fronts.append(own)
        start += len(surface.positions)
    solid = sum(len(part) for part in parts[True])
    return np.ascontiguousarray(np.concatenate(parts[True] + parts[False]), np.int32), solid, np.concatenate(fronts)


def _colours(surface: Surface) -> np.ndarray:
    """(V, 3) float32 display values; only where there is no texture do they show."""
    base = np.array(surface.material.colour[:3], np.float32)
    if surface.colours is None:
        return np.tile(base, (len(surface.positions), 1))
    return (srgb(surface.colours) * base).astype(np.float32)


def _welded(vertices: np.ndarray, surfaces: list[Surface]) -> np.ndarray:
    """(V,) numbers: vertices of one surface, split for their texture only, share theirs and so their normal."""
    keys = []
    start = 0
    for number, surface in enumerate(surfaces):
        count = len(surface.positions)
        normals = np.zeros((count, 3)) if surface.normals is None else surface.normals
        length = np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        keys.append(np.column_stack([
            np.round(vertices[start : start + count] / 0.01), np.round(normals / length * 50), np.full(count, number),
        ]))  # fmt: skip
        start += count
    mixed = np.concatenate(keys).astype(np.int64) @ MIX  # one number a row: sorting whole rows would take a second
    _, welded = np.unique(mixed, return_inverse=True)
    return welded.reshape(-1)


def _unless_moved(eye: Joint | None, looks: np.ndarray) -> Joint | None:
    """The eye, unless eyeLook shapes (n, V, 3) already turn it."""
    if eye is None or (len(looks) and np.abs(looks[:, eye.rows]).max(initial=0) > STILL_MM):
        return None
    return eye
