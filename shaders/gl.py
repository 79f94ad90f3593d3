"""The OpenGL Renderer. A context lives on the thread that made it: make, draw and close on one thread.

Only the box around a mesh is drawn and read back, as RGBA (RGB read-back is several times slower on software GL).
Edges: multisampling on a GPU; on software GL, where that costs 10 ms a face, `soften_edges`.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import moderngl
import numpy as np

from shaders.base import Draw, Mode, RenderError, Topology
from shaders.context import is_software, open_context
from shaders.picture import CUTOUT, LINES, Layer, paint, soften_edges
from shaders.target import Target

SAMPLES = 4
TILE = 2048  # pixels: larger boxes are drawn in parts, so that memory stays bounded


class GLRenderer:
    """See `Renderer`.

    context: one that is current and stays its owner's (a window's), or None to open one without a window, which is
        current during calls only and leaves none current on this thread.
    samples: multisampling; None chooses: 4 on a GPU, none on software GL.
    Raises GLUnavailable where no context can be had; `draw` raises RenderError on another thread.
    """

    def __init__(
        self,
        size: tuple[int, int],
        topology: Topology,
        context: moderngl.Context | None = None,
        samples: int | None = None,
    ):
        self.size = size
        self.topology = topology
        self._owned = context is None
        self._context = open_context() if context is None else context
        self._thread = threading.get_ident()
        self.name = f"OpenGL ({self._context.info['GL_RENDERER']})"
        self.on_cpu = is_software(self._context)
        wanted = (0 if self.on_cpu else SAMPLES) if samples is None else samples
        self._samples = min(wanted, self._context.max_samples)
        with self._current():
            self._target = Target(self._context, self._samples)
            self._meshes = MeshArrays(self._context, topology)

    def draw(self, image: np.ndarray | None, draws: list[Draw] | tuple[Draw, ...], mode: Mode) -> np.ndarray:
        if threading.get_ident() != self._thread:
            raise RenderError("an OpenGL renderer was used on a thread other than the one that made it")
        with self._current():
            picture = paint(image, self.size, draws, mode, self.topology, self._draw_layer)
            error = self._context.error
        if error != "GL_NO_ERROR":
            raise RenderError(f"{self.name} reported {error} while drawing {mode.value}")
        return picture

    def close(self) -> None:
        """Give back what was made."""
        with self._current():
            self._target.release()
            self._meshes.release()
        if self._owned:
            self._context.release()

    def _current(self) -> AbstractContextManager:
        """Our own context becomes current for a while; a window's is so already."""
        return self._context if self._owned else nullcontext()

    def _draw_layer(self, layer: Layer) -> np.ndarray:
        height, width = layer.shape
        passes = self._meshes.load(layer)
        near, far = float(layer.vertices[:, 2].max()), float(layer.vertices[:, 2].min())
        for one in passes:
            one.program["depth"] = ((near + far) / 2, (near - far) / 2 * 1.01 + 1.0)
        rgba = np.empty((height, width, 4), np.uint8)
        for top in range(0, height, TILE):
            for left in range(0, width, TILE):
                part = rgba[top : top + TILE, left : left + TILE]
                for one in passes:
                    one.program["box"] = (left, top, part.shape[1], part.shape[0])
                part[:] = self._draw_tile(passes, part.shape[1], part.shape[0])
        if not self._samples:
            soften_edges(rgba, layer.vertices, self.topology.triangles)
        return rgba

    def _draw_tile(self, passes: list[Pass], width: int, height: int) -> np.ndarray:
        framebuffer = self._target.framebuffer(width, height)
        front = self._context.front_face
        with self._context.scope(framebuffer, moderngl.DEPTH_TEST | moderngl.CULL_FACE):
            self._context.front_face = "cw"  # counter-clockwise as displayed: row 0 of the frame buffer is the top
            for one in passes:
                one.array.render(moderngl.TRIANGLES, one.corners, first=one.first)
            self._context.front_face = front
            return self._target.read(width, height)


class Pass(NamedTuple):
    """`corners` of them from `first`, drawn by one program; -1: all that follow."""

    program: moderngl.Program
    array: moderngl.VertexArray
    first: int = 0
    corners: int = -1


class MeshArrays:
    """The buffers, programs and textures of one topology."""

    def __init__(self, context: moderngl.Context, topology: Topology):
        self._context = context
        self._topology = topology
        vertices, corners = len(topology.uv), len(topology.triangles) * 3
        self._corners = np.empty((corners, 8), np.float32)
        self._positions, self._lit, self._corner_buffer, uv, index = buffers = [
            context.buffer(reserve=max(vertices * 12, 4), dynamic=True),
            context.buffer(reserve=max(vertices * 16, 4), dynamic=True),
            context.buffer(reserve=max(corners * 32, 4), dynamic=True),
            context.buffer(topology.uv.tobytes() or bytes(8)),
            context.buffer(topology.triangles.tobytes() or bytes(12)),
        ]
        self._textured = load_program(context, "mesh.vert", "mesh.frag")
        self._plain = load_program(context, "mesh.vert", "plain.frag")
        self._wire = load_program(context, "wire.vert", "wire.frag")
        self._textured["surface"] = 0
        self._wire["half_width"] = LINES.half_width
        lit_mesh = [(self._positions, "3f", "position"), (self._lit, "4f", "lit")]
        self._textured_array = context.vertex_array(self._textured, [*lit_mesh, (uv, "2f", "uv")], index)
        self._cutout = load_program(context, "mesh.vert", "cutout.frag")
        self._cutout["surface"], self._cutout["least"] = 0, CUTOUT
        self._cutout_array = context.vertex_array(self._cutout, [*lit_mesh, (uv, "2f", "uv")], index)
        self._plain_array = context.vertex_array(self._plain, lit_mesh, index)
        self._wire_array = context.vertex_array(
            self._wire, [(self._corner_buffer, "3f 3f 1f 1f", "position", "lit", "height", "strength")]
        )
        self._texture: moderngl.Texture | None = None
        self._unchanging: np.ndarray | None = None  # the read-only array that is on the GPU
        self._resources: list[Any] = [self._textured_array, self._plain_array, self._wire_array, *buffers]
        self._resources += [self._textured, self._plain, self._wire, self._cutout_array, self._cutout]

    def load(self, layer: Layer) -> list[Pass]:
        """Send a layer to the GPU and name what draws it."""
        if layer.wire:
            separate_corners(layer.vertices, self._topology.triangles, layer.lit, self._corners)
            self._corner_buffer.write(self._corners)
            return [Pass(self._wire, self._wire_array)]
        self._positions.write(layer.vertices)
        self._lit.write(layer.lit)
        if layer.texture is None:
            return [Pass(self._plain, self._plain_array)]
        self._upload(layer.texture).use(0)
        solid, corners = 3 * (self._topology.solid or 0), 3 * len(self._topology.triangles)
        if layer.texture.shape[2] == 3 or solid == corners:
            return [Pass(self._textured, self._textured_array)]
        cut = Pass(self._cutout, self._cutout_array, solid, corners - solid)
        return [Pass(self._textured, self._textured_array, 0, solid), cut] if solid else [cut]

    def release(self) -> None:
        for resource in self._resources:
            resource.release()
        if self._texture is not None:
            self._texture.release()

    def _upload(self, image: np.ndarray) -> moderngl.Texture:
        if self._texture is not None and self._unchanging is image:
            return self._texture
        rows, columns, channels = image.shape
        if self._texture is None or (self._texture.size, self._texture.components) != ((columns, rows), channels):
            if self._texture is not None:
                self._texture.release()
            self._texture = self._context.texture((columns, rows), channels, alignment=1)
            self._texture.repeat_x = self._texture.repeat_y = False
            self._texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
        texels = premultiplied(image) if channels == 4 else np.ascontiguousarray(image)
        self._texture.write(texels, alignment=1)
        self._unchanging = None if image.flags.writeable else image
        return self._texture


def load_program(context: moderngl.Context, *files: str) -> moderngl.Program:
    """The program of a vertex and a fragment shader beside this file."""
    vertex, fragment = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in files)
    return context.program(vertex_shader=vertex, fragment_shader=fragment)


def premultiplied(texture: np.ndarray) -> np.ndarray:
    """(T, T, 4) uint8 straight alpha -> premultiplied, so that filtering takes no colour from clear texels."""
    alpha = texture[..., 3]
    return cv2.multiply(texture, cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)]), scale=1 / 255)


def separate_corners(vertices: np.ndarray, triangles: np.ndarray, lit: np.ndarray, corners: np.ndarray) -> None:
    """Fill (3F, 8) float32 for wire.vert: position, lit colour, height over the opposite edge, line strength."""
    at = vertices[triangles]  # (F, 3, 3)
    edges = np.roll(at, -2, 1)[..., :2] - np.roll(at, -1, 1)[..., :2]  # opposite each corner
    area = np.abs(edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0])
    heights = area[:, None] / np.maximum(np.hypot(edges[..., 0], edges[..., 1]), 1e-6)
    corners[:, :3] = at.reshape(-1, 3)
    corners[:, 3:6] = lit[triangles.ravel(), :3]
    corners[:, 6] = heights.ravel()
    corners[:, 7] = np.repeat(np.clip(heights.min(1) / LINES.full_strength, LINES.faintest, 1), 3)
