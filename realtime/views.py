"""What a person sees of a frame: the picture without glasses, the 3D face over it, before and after side by side.

Pictures are (H, W, 3) uint8 RGB; what comes in is never written to.
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime.drawing import FaceDrawer
from realtime.frame import Face, Faces, Frame
from shaders.base import Mode

# view -> what it draws over the picture without glasses; None: no mesh
MESH_MODES: dict[str, Mode | None] = {
    "removed": None,
    "mesh": Mode.TEXTURED,
    "shaded": Mode.SHADED,
    "wireframe": Mode.WIREFRAME,
    "depth": Mode.DEPTH,
}
LANDMARK_COLOUR = (80, 255, 120)
CURVES = ((0, 17, False), (17, 22, False), (22, 27, False), (27, 31, False), (31, 36, False),
          (36, 42, True), (42, 48, True), (48, 60, True), (60, 68, True))  # fmt: skip
SUBPIXEL_BITS = 4


def show(
    frame: Frame, faces: Faces, view: str, drawer: FaceDrawer, *, landmarks: bool = False, mirror: bool = False
) -> np.ndarray:
    """The picture of a view of `realtime.options`. landmarks: the 68 points on top. mirror: as in a looking-glass.

    (H, W, 4) straight RGBA where an avatar stands before nothing, without landmarks.
    """
    original = frame.image if frame.original is None else frame.original
    if view == "original":
        picture = original
    elif view == "split":
        picture = split(original, frame.image)
    elif view == "side-by-side":
        picture = np.hstack([original, frame.image, drawer.draw_mask(frame.image, faces)])
    elif view == "avatar":
        picture = drawer.avatar.draw(frame.image, faces)
        landmarks = landmarks and picture.shape[2] == 3
    elif view == "landmarks":
        picture, landmarks = frame.image, True
    else:
        picture = _with_mesh(frame.image, faces, MESH_MODES[view], drawer)
    if landmarks:
        picture = draw_landmarks(picture, faces)
    return np.ascontiguousarray(picture[:, ::-1]) if mirror else picture


def _with_mesh(image: np.ndarray, faces: Faces, mode: Mode | None, drawer: FaceDrawer) -> np.ndarray:
    if mode is None:
        return image
    return drawer.draw_mask(image, faces) if mode is Mode.TEXTURED else drawer.draw(image, faces, mode)


def split(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The left half of one and the right half of the other, a white line between."""
    middle = before.shape[1] // 2
    picture = after.copy()
    picture[:, :middle] = before[:, :middle]
    picture[:, max(middle - 1, 0) : middle + 1] = 255
    return picture


def draw_landmarks(image: np.ndarray, faces: Faces) -> np.ndarray:
    """A copy with the 68 points of every face joined along brows, nose, eyes, lips and jaw."""
    picture = image.copy()
    for face in faces:
        _draw_points(picture, face)
    return picture


def _draw_points(picture: np.ndarray, face: Face) -> None:
    width = max(1, round(float(face.box[2] - face.box[0]) / 250))
    fixed = np.round(face.landmarks * (1 << SUBPIXEL_BITS)).astype(np.int32)
    for first, end, closed in CURVES:
        cv2.polylines(picture, [fixed[first:end]], closed, LANDMARK_COLOUR, width, cv2.LINE_AA, SUBPIXEL_BITS)
    for x, y in fixed:
        centre = (int(x), int(y))
        cv2.circle(picture, centre, width << SUBPIXEL_BITS, LANDMARK_COLOUR, -1, cv2.LINE_AA, SUBPIXEL_BITS)
