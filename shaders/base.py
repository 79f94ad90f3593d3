"""What a renderer takes and promises. Pixels: x right, y down, centres at integers, z larger is nearer.

A picture is drawn in the order of its draws, each over the one before: z orders the triangles of one draw only (the
depth of a weak-perspective face is relative to that face), so callers put the nearest face last.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np


class RenderError(RuntimeError):
    """A picture could not be drawn; the message says by what and what to do."""


class GLUnavailable(RenderError):
    """No OpenGL context can be had here."""


def read_only(array: np.ndarray, dtype: type) -> np.ndarray:
    """A contiguous read-only view (a copy where needed): numba would compile writable and read-only input apart."""
    view: np.ndarray = np.ascontiguousarray(array, dtype).view()
    view.flags.writeable = False
    return view


class Mode(Enum):
    """TEXTURED: colours and texture times light. SHADED: grey clay in the light. WIREFRAME: the edges that can be seen,
    fainter where triangles are small. DEPTH: nearer is brighter, over the range of what faces the camera in all draws.
    HEATMAP: `Draw.scalar` through a colour map.
    """

    TEXTURED = "textured"
    SHADED = "shaded"
    WIREFRAME = "wireframe"
    DEPTH = "depth"
    HEATMAP = "heatmap"


@dataclass(frozen=True, slots=True, eq=False)
class Topology:
    """What all draws of a renderer share.

    triangles: (F, 3) int32, counter-clockwise seen from outside; what turns its back is not drawn.
    uv: (V, 2) float32 0..1, u right, v down: (0, 0) is the outer corner of texture row 0, column 0.
    solid: so many triangles, from the first, are opaque; the others are not there where the texture's alpha is below a
        half (leaves, lashes, strands of hair). None: all are opaque.
    """

    triangles: np.ndarray
    uv: np.ndarray
    solid: int | None = None

    def __post_init__(self) -> None:
        triangles, uv = read_only(self.triangles, np.int32), read_only(self.uv, np.float32)
        if triangles.ndim != 2 or triangles.shape[1] != 3 or uv.ndim != 2 or uv.shape[1] != 2:
            raise ValueError(f"topology wants (F, 3) triangles and (V, 2) uv, not {triangles.shape} and {uv.shape}")
        if len(triangles) and (triangles.min() < 0 or triangles.max() >= len(uv)):
            raise ValueError(f"a triangle names a vertex outside 0..{len(uv) - 1}")
        if self.solid is not None and not 0 <= self.solid <= len(triangles):
            raise ValueError(f"{self.solid} of {len(triangles)} triangles cannot be solid")
        object.__setattr__(self, "solid", len(triangles) if self.solid is None else self.solid)
        object.__setattr__(self, "triangles", triangles)
        object.__setattr__(self, "uv", uv)


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One mesh of a picture.

    vertices: (V, 3) float32 pixels, as `realtime.face.camera.project` returns them.
    normals: (V, 3) float32, unit, model axes turned with the head (x right in the image, y up, z towards the camera).
    colours: (V, 3) float32 0..1 albedo, or None for grey.
    texture: (T, T, 3 or 4) uint8 RGB or RGBA over `colours`, which show where its alpha is 0. A texture whose array is
        read-only is taken to never change and is sent to the GPU once.
    light: (9,) float32 spherical-harmonics light (`shaders.light`) on colours and texture; None leaves them unlit.
    scalar: (V,) float32 0..1, what HEATMAP shows.
    """

    vertices: np.ndarray
    normals: np.ndarray
    colours: np.ndarray | None = None
    texture: np.ndarray | None = None
    light: np.ndarray | None = None
    scalar: np.ndarray | None = None


class Renderer(Protocol):
    """Draws meshes over a picture. An OpenGL one belongs to the thread that made it: make, draw and close there."""

    name: str

    def draw(self, image: np.ndarray | None, draws: list[Draw] | tuple[Draw, ...], mode: Mode) -> np.ndarray:
        """(H, W, 3) uint8 RGB, a new array: `draws` over `image`, or alone on black in the renderer's size.

        A (H, W, 4) image is premultiplied RGBA, and so is what comes of it: zeros for draws alone on nothing.

        Raises ValueError for arrays of the wrong shape, RenderError when the graphics library fails.
        """
        ...

    def close(self) -> None: ...
