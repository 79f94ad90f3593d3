"""refine: the live texture of every face, from its glasses-free crop; renewed every few frames."""

from __future__ import annotations

import numpy as np

from realtime.align import transform_points
from realtime.face.coefficients import SLICES, move_pose
from realtime.face.model import FaceModel
from realtime.frame import Face, Faces, Frame
from realtime.texture import LiveTexture
from realtime.tracking import TrackStates

SIZE = 256  # texels: about the aligned crop's own resolution


class TextureState:
    """One track's texture, the picture made of it last, and how many frames ago."""

    def __init__(self, model: FaceModel, size: int):
        self.texture = LiveTexture(model, size)
        self.picture: np.ndarray | None = None
        self.age = 0


class Refine:
    """Fills in the texture of faces with coefficients, and scales their light so that no albedo exceeds 1.

    every: frames between looks, so that it stays in the budget.
    """

    name = "refine"

    def __init__(self, model: FaceModel, every: int = 4, size: int = SIZE):
        self.model, self.every = model, every
        self._tracks: TrackStates[TextureState] = TrackStates(lambda: TextureState(model, size))

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        states = self._tracks.of(frame, faces)
        return frame, tuple(self._textured(face, state) for face, state in zip(faces, states, strict=True))

    def close(self) -> None:
        pass

    def _textured(self, face: Face, state: TextureState) -> Face:
        if face.coefficients is None or face.crop is None or face.crop_from_frame is None:
            return face
        if state.picture is None or state.age >= self.every:
            points = transform_points(face.crop_from_frame, face.landmarks)
            state.texture.look(face.crop, move_pose(face.coefficients, face.crop_from_frame), points)
            state.picture, state.age = state.texture.picture(self.model.albedo_of(face.coefficients)), 0
        state.age += 1
        coefficients = face.coefficients.copy()
        coefficients[SLICES["light"]] *= state.texture.exposure
        return face.with_(texture=state.picture, coefficients=coefficients)
