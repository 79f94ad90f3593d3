"""refine: the texture of every face, from its glasses-free crop; the camera's part of it renewed every few frames."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np

from realtime.align import transform_points
from realtime.detection import Runnable
from realtime.face.coefficients import SLICES, move_pose
from realtime.face.model import FaceModel
from realtime.face.regions import REFINED
from realtime.face.uv import paint_atlas
from realtime.fine_texture import Evidence, FineTexture
from realtime.frame import Face, Faces, Frame
from realtime.texture import LiveTexture
from realtime.tracking import TrackStates

SIZE = 256  # texels: about the aligned crop's own resolution


class TextureState:
    """One track's texture, T_final where a network makes it, the picture made of both, its age in frames."""

    def __init__(self, model: FaceModel, size: int, fine: FineTexture | None):
        self.texture, self.fine = LiveTexture(model, size), fine
        self.picture: np.ndarray | None = None
        self.shown: np.ndarray | None = None  # the T_final that `picture` is, where it is nothing else
        self.age = 0


class Refine:
    """Fills in the texture of faces with coefficients, and scales their light so that no albedo exceeds 1.

    network: the refiner, for T_final where the camera has seen nothing; None fills that from the 3DMM. executor: runs
    it beside the loop; None at once. camera: False shows T_final alone. every: frames between looks, so that it stays
    in the budget.
    """

    name = "refine"

    def __init__(
        self, model: FaceModel, network: Runnable | None = None, executor: Executor | None = None, camera: bool = True,
        every: int = 4, size: int = SIZE,
    ):  # fmt: skip
        self.model, self.camera, self.every, self.size = model, camera, every, size

        def create() -> TextureState:
            return TextureState(model, size, FineTexture(model, network, executor) if network is not None else None)

        self._tracks: TrackStates[TextureState] = TrackStates(create)

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
            state.picture, state.age = self._picture(face.crop, self.model.albedo_of(face.coefficients), state), 0
        state.age += 1
        coefficients = face.coefficients.copy()
        coefficients[SLICES["light"]] *= state.texture.exposure
        return face.with_(texture=state.picture, coefficients=coefficients)

    def _picture(self, crop: np.ndarray, basis: np.ndarray, state: TextureState) -> np.ndarray:
        """(T, T, 4) uint8, read-only."""
        if state.fine is None:
            return state.texture.picture(basis)
        state.fine.renew(lambda: Evidence(basis, state.texture.at_vertices(), crop))
        final = state.fine.colours
        if self.camera or final is None:
            return state.texture.picture(basis, final)
        if state.picture is None or final is not state.shown:
            state.picture, state.shown = painted(self.model, final, self.size), final
        return state.picture


def painted(model: FaceModel, final: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 4) uint8, read-only: T_final in the atlas, alpha 0 where it says nothing (eyes, mouth's inside)."""
    says = np.repeat(np.isin(model.regions, REFINED)[:, None], 3, axis=1).astype(np.float32)
    rgba = np.dstack([paint_atlas(model, final, size), paint_atlas(model, says, size)[..., 0]])
    rgba.flags.writeable = False
    return rgba
