"""A face with its coefficients as a mesh file: OBJ, PLY or GLB by the ending; a run of them as an animated GLB."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.camera import rotate_normals
from realtime.face.coefficients import SLICES, pose
from realtime.face.glb import Animation, Morphs, write_glb
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel
from realtime.face.obj import png, write_obj
from realtime.face.ply import write_ply
from realtime.face.uv import paint_atlas

FORMATS = (".obj", ".ply", ".glb")
TEXTURE_SIZE = 512
EXPRESSION = SLICES["expression"]


def write_mesh(model: FaceModel, path: Path, coefficients: np.ndarray, texture: np.ndarray | None = None) -> None:
    """One face. coefficients: (239,); texture: (T, T, 4) uint8 RGBA live texture over the albedo, or None.

    OBJ and PLY are in the head's axes as it is turned, in millimetres; GLB is in metres, with the ARKit shapes as morph
    targets at the weights of this moment and the head's rotation on its node. Raises ValueError for another ending.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"{path}: meshes are written as {', '.join(FORMATS)}")
    if suffix == ".glb":
        still = coefficients[None]
        write_glb(path, *_neutral(model, coefficients), _picture(model, coefficients, texture),
                  _morphs(model, coefficients), head_rotations(still)[0])  # fmt: skip
        return
    vertices = model.vertices(coefficients)
    normals = rotate_normals(vertex_normals(vertices, model.triangles), pose(coefficients))
    turned = rotate_normals(vertices, pose(coefficients))
    if suffix == ".obj":
        write_obj(path, turned, model.triangles, model.uv, atlas_picture(model, coefficients, texture))
    else:
        colours = model.albedo_of(coefficients)
        if texture is not None:
            colours = _vertex_colours(model, atlas_picture(model, coefficients, texture))
        write_ply(path, turned, model.triangles, normals, colours)


def write_animation(
    model: FaceModel, path: Path, times: np.ndarray, coefficients: np.ndarray, texture: np.ndarray | None = None
) -> None:
    """A GLB that plays (n, 239) coefficients at (n,) times in seconds: morph weights and the head's rotation.

    The identity is the mean of all frames. Frames whose time does not rise are left out. Raises ValueError when there
    is no frame.
    """
    if len(times) == 0:
        raise ValueError(f"{path}: no frame to animate")
    times = np.asarray(times, np.float64) - times[0]
    rising = np.r_[True, np.diff(np.maximum.accumulate(times)) > 0]
    person = coefficients.mean(0)
    person[EXPRESSION] = 0
    morphs = _morphs(model, person)
    weights = np.clip(coefficients[rising][:, EXPRESSION][:, : len(ARKIT_NAMES)], 0, 1)
    animation = Animation(times[rising], weights, head_rotations(coefficients[rising]))
    rest = _neutral(model, person)
    write_glb(path, *rest, _picture(model, person, texture), morphs, animation.rotations[0], animation)


def _neutral(model: FaceModel, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices without the ARKit shapes, triangles, normals, uv. Shapes beyond ARKit's stay baked in."""
    resting = coefficients.copy()
    resting[EXPRESSION][: len(ARKIT_NAMES)] = 0
    vertices = model.vertices(resting)
    return vertices, model.triangles, vertex_normals(vertices, model.triangles), model.uv


def _morphs(model: FaceModel, coefficients: np.ndarray) -> Morphs:
    count = len(ARKIT_NAMES)
    weights = np.clip(coefficients[EXPRESSION][:count], 0, 1).astype(np.float64)
    return Morphs(ARKIT_NAMES, model.expression[:count].reshape(count, -1, 3), weights)


def head_rotations(coefficients: np.ndarray) -> np.ndarray:
    """(n, 239) -> (n, 4) quaternions x, y, z, w of Rz(roll) Ry(yaw) Rx(pitch)."""
    half = coefficients[:, SLICES["pose"]][:, :3].astype(np.float64) / 2
    (cp, cy, cr), (sp, sy, sr) = np.cos(half).T, np.sin(half).T
    return np.stack([
        sp * cy * cr - cp * sy * sr, cp * sy * cr + sp * cy * sr,
        cp * cy * sr - sp * sy * cr, cp * cy * cr + sp * sy * sr,
    ], axis=1)  # fmt: skip


def atlas_picture(model: FaceModel, coefficients: np.ndarray, texture: np.ndarray | None) -> np.ndarray:
    """(T, T, 3) uint8 RGB: the albedo, and over it the live texture where that has seen anything."""
    size = TEXTURE_SIZE if texture is None else max(TEXTURE_SIZE, texture.shape[0])
    picture = paint_atlas(model, model.albedo_of(coefficients), size)
    if texture is None:
        return picture
    over = cv2.resize(texture, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    cover = over[..., 3:] / 255
    return np.round(picture * (1 - cover) + over[..., :3] * cover).astype(np.uint8)


def _picture(model: FaceModel, coefficients: np.ndarray, texture: np.ndarray | None) -> bytes:
    return png(atlas_picture(model, coefficients, texture))


def _vertex_colours(model: FaceModel, picture: np.ndarray) -> np.ndarray:
    at = np.ascontiguousarray((model.uv * picture.shape[0] - 0.5).astype(np.float32))
    found = cv2.remap(picture, at[:, :1], at[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found[:, 0].astype(np.float32) / 255
