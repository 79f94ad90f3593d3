"""Drawing tracked faces: coefficients -> vertices, normals, colours -> the renderer. Runs on the render thread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from realtime.avatar.drawer import AvatarDrawer
from realtime.face.camera import project, rotate_normals
from realtime.face.coefficients import SLICES, pose
from realtime.face.creases import creases_of, lit_by
from realtime.face.light import dimmed, shade
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel
from realtime.face.regions import IN_MOUTH, FaceRegion
from realtime.frame import Face, Faces
from realtime.paste import blend
from realtime.texture import LEAST_SHADE, face_outline
from shaders.base import Draw, Mode, Renderer, Topology
from shaders.open import open_renderer

if TYPE_CHECKING:
    import moderngl

HIDDEN = (FaceRegion.HEAD, FaceRegion.NECK, FaceRegion.EAR)
PREFERENCES = {"auto": ("gl", "software"), "gl": ("gl",), "gpu": ("gpu", "software"), "software": ("software",)}


class FaceDrawer:
    """Draws faces over pictures of any size. The renderer is opened at the first drawing, on the thread that draws.

    renderer: auto, gl, software, or gpu: gl where it does not run on the CPU, else software. context: a window's
    OpenGL context, to draw with. avatar, background: what the view `avatar` shows, see `AvatarDrawer`; `avatar` is
    that drawer.
    """

    def __init__(
        self, model: FaceModel, renderer: str = "auto", context: moderngl.Context | None = None,
        avatar: str = "default", background: str = "original",
    ):  # fmt: skip
        self.avatar = AvatarDrawer(avatar, background, PREFERENCES[renderer], context)
        self.model, self._prefer, self._context = model, PREFERENCES[renderer], context
        self._renderer: Renderer | None = None
        self._creases = creases_of(model)
        self._in_mouth = np.flatnonzero(np.isin(model.regions, IN_MOUTH))

    @property
    def renderer_name(self) -> str:
        return self._renderer.name if self._renderer is not None else "none yet"

    def draw(self, image: np.ndarray, faces: Faces, mode: Mode) -> np.ndarray:
        """(H, W, 3) uint8: the faces that have coefficients over the picture, the largest (nearest) last."""
        seen = sorted((f for f in faces if f.coefficients is not None), key=lambda f: pose(_coefficients(f)).scale)
        if not seen:
            return image
        if self._renderer is None:
            size = (image.shape[1], image.shape[0])
            topology = Topology(mask_triangles(self.model), self.model.uv)
            self._renderer = open_renderer(size, topology, self._prefer, self._context)
        draws = [self.draw_of(face, image) for face in seen]
        if mode is Mode.SHADED:
            draws = [one if one.light is None else replace(one, light=dimmed(one.light)) for one in draws]
        return self._renderer.draw(image, draws, mode)

    def draw_mask(self, image: np.ndarray, faces: Faces) -> np.ndarray:
        """The textured faces over the picture, faded out at the outline of jaw and forehead: no rim of a mask shows."""
        drawn = self.draw(image, faces, Mode.TEXTURED)
        if drawn is image:
            return image
        picture = image.copy()
        for face in faces:
            _fade_in(picture, drawn, face)
        return picture

    def draw_of(self, face: Face, image: np.ndarray | None = None) -> Draw:
        """What the renderer needs of one face with coefficients.

        image: (H, W, 3) uint8, the picture that the face is in. What it shows in the mouth is drawn in the mouth of a
        textured face: nothing there is remembered, since it comes and goes with every word.
        """
        coefficients, triangles = _coefficients(face), self.model.triangles
        vertices = self.model.vertices(coefficients)
        seen_at, light = pose(coefficients), coefficients[SLICES["light"]]
        normals = rotate_normals(vertex_normals(vertices, triangles), seen_at)
        normals = lit_by(normals, self._creases)
        placed, colours = project(vertices, seen_at), self.model.albedo_of(coefficients)
        if image is not None and face.texture is not None:
            bright = np.maximum(shade(normals[self._in_mouth], light), LEAST_SHADE)
            colours[self._in_mouth] = _shown(image, placed[self._in_mouth]) / bright[:, None]
        return Draw(vertices=placed, normals=normals, colours=colours, texture=face.texture, light=light)

    def close(self) -> None:
        self.avatar.close()
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def _shown(image: np.ndarray, placed: np.ndarray) -> np.ndarray:
    """(N, 3) float32 0..1, what a (H, W, 3) uint8 picture shows at (N, 3) places; beyond its border, the border."""
    x, y = (np.ascontiguousarray(placed[:, None, axis], np.float32) for axis in (0, 1))
    found: np.ndarray = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
    return found.astype(np.float32) / 255


def _fade_in(picture: np.ndarray, drawn: np.ndarray, face: Face) -> None:
    """Copy the face from `drawn` into `picture`, in place, inside its soft outline."""
    height, width = picture.shape[:2]
    size = float(np.linalg.norm(face.landmarks[16] - face.landmarks[0]))
    x0, y0 = np.clip((face.landmarks.min(0) - 0.6 * size).astype(int), 0, (width, height))
    x1, y1 = np.clip((face.landmarks.max(0) + 0.2 * size).astype(int), 0, (width, height))
    if face.coefficients is None or x1 <= x0 or y1 <= y0:
        return
    weight = face_outline(face.landmarks - np.array([x0, y0], np.float32), (y1 - y0, x1 - x0))
    blend(picture[y0:y1, x0:x1], drawn[y0:y1, x0:x1], (weight * 255).astype(np.uint8))


def mask_triangles(model: FaceModel) -> np.ndarray:
    """(F, 3) triangles of the face proper: over a picture, a bald crown and a neck would hide hair and collar."""
    hidden = np.isin(model.regions, [int(region) for region in HIDDEN])
    return model.triangles[~hidden[model.triangles].any(1)]


def _coefficients(face: Face) -> np.ndarray:
    assert face.coefficients is not None
    return face.coefficients
