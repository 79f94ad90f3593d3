"""Draws an avatar in the place of every tracked face. Runs on the render thread."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from realtime.avatar.avatar import Avatar, load_avatar
from realtime.avatar.background import backdrop, straight
from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import pose
from realtime.face.drive import shapes_of
from realtime.face.light import directional
from realtime.frame import Face, Faces
from realtime.options import DEFAULT_AVATAR
from shaders.base import Draw, Mode, Renderer, Topology
from shaders.open import open_renderer

if TYPE_CHECKING:
    import moderngl

LIGHT = directional(np.array([0.35, 0.55, 0.75]), 0.48, 0.66)  # a lamp before and above, the same for every picture


@lru_cache(maxsize=2)
def find_avatar(name: str) -> Avatar:
    """The avatar of a file, or the one that ships, by the name `default`. Raises AvatarError."""
    if name != DEFAULT_AVATAR:
        return load_avatar(Path(name).expanduser())
    with as_file(files("realtime.avatar") / "assets" / "default.glb") as shipped:
        return load_avatar(shipped)


class AvatarDrawer:
    """Avatar and renderer are opened at the first drawing, on the thread that draws; `load` opens the avatar before.

    name: a file, or `default`. background: see `realtime.avatar.background`. prefer: as `shaders.open_renderer`.
    context: a window's OpenGL context, to draw with.
    """

    def __init__(
        self, name: str = DEFAULT_AVATAR, background: str = "original", prefer: tuple[str, ...] = ("gl", "software"),
        context: moderngl.Context | None = None,
    ):  # fmt: skip
        self.background = background
        self._name, self._prefer, self._context = name, prefer, context
        self._avatar: Avatar | None = None
        self._renderer: Renderer | None = None

    def load(self) -> Avatar:
        """Raises AvatarError."""
        if self._avatar is None:
            self._avatar = find_avatar(self._name)
        return self._avatar

    def draw(self, image: np.ndarray, faces: Faces) -> np.ndarray:
        """(H, W, 3) uint8 RGB: an avatar for every face with coefficients, the largest last, over the background.

        (H, W, 4) uint8 RGBA, straight alpha, where the background is transparent. Raises AvatarError.
        """
        behind = backdrop(image, self.background)
        avatar = self.load()
        seen = sorted((f for f in faces if f.coefficients is not None), key=lambda f: pose(_coefficients(f)).scale)
        if not seen:
            return behind
        if self._renderer is None:
            topology = Topology(avatar.triangles, avatar.uv, avatar.solid)
            self._renderer = open_renderer((image.shape[1], image.shape[0]), topology, self._prefer, self._context)
        drawn = self._renderer.draw(behind, [draw_of(avatar, face) for face in seen], Mode.TEXTURED)
        return straight(drawn) if drawn.shape[2] == 4 else drawn

    def close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def draw_of(avatar: Avatar, face: Face) -> Draw:
    """What the renderer needs of an avatar that moves as a face with coefficients does."""
    coefficients = _coefficients(face)
    placed = pose(coefficients)
    shapes = shapes_of(face) or {}
    weights = np.array([shapes[name] for name in ARKIT_NAMES], np.float32)
    vertices, normals = avatar.pose(weights, placed.rotation)
    vertices *= np.float32(placed.scale) * np.array([1, -1, 1], np.float32)
    vertices += np.array([placed.x, placed.y, 0], np.float32)
    return Draw(vertices=vertices, normals=normals, colours=avatar.colours, texture=avatar.texture, light=LIGHT)


def _coefficients(face: Face) -> np.ndarray:
    assert face.coefficients is not None
    return face.coefficients
