"""remember: what the camera has seen of the skin behind the glasses takes the place of what was invented for it."""

from __future__ import annotations

import cv2
import numpy as np

from engines.networks.classes import GLASSES, Region
from realtime.align import STRIP, STRIP_TOP
from realtime.face.coefficients import move_pose
from realtime.face.model import FaceModel
from realtime.frame import Face, Faces, Frame
from realtime.paste import blend, paste_strip
from realtime.skin_memory import SkinMemory
from realtime.skin_patch import skin_patch
from realtime.tracking import TrackStates

CLEAR_PX = 5.0  # from the glasses: nearer, their shadow, soft edge and grown mask are on the skin
SKIN = np.isin(np.arange(256), (Region.SKIN, Region.NOSE, Region.L_BROW, Region.R_BROW)) * np.float32(255)
WORN = np.isin(np.arange(256), [int(r) for r in GLASSES])


class MemoryState:
    """One track's memory, and how many frames in a row nothing was worn."""

    def __init__(self, model: FaceModel):
        self.memory = SkinMemory(skin_patch(model))
        self.bare_frames = 0


class Remember:
    """After regress: needs this frame's coefficients. Changes only pixels of a face's mask.

    bare_every: frames between looks at a face without glasses, which cost time and gain little.
    """

    name = "remember"

    def __init__(self, model: FaceModel, bare_every: int = 15):
        self.model, self.bare_every = model, bare_every
        self._tracks: TrackStates[MemoryState] = TrackStates(lambda: MemoryState(model))

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        states = self._tracks.of(frame, faces)
        image: np.ndarray | None = None
        done = []
        for face, state in zip(faces, states, strict=True):
            recalled = self._look(face, state)
            if recalled is not None:
                image = frame.image.copy() if image is None else image
                face = _replaced(image, face, *recalled)
            done.append(face)
        return frame if image is None else frame.with_(image=image), tuple(done)

    def close(self) -> None:
        pass

    def _look(self, face: Face, state: MemoryState) -> tuple[np.ndarray, np.ndarray] | None:
        """Remembered colours (128, 256, 3) and their share (128, 256), uint8; None where there is nothing to do."""
        if face.coefficients is None or face.crop is None or face.crop_from_frame is None or face.labels is None:
            return None
        state.bare_frames = 0 if face.mask is not None else state.bare_frames + 1
        if face.mask is None and (state.bare_frames - 1) % self.bare_every:
            return None
        mask = None if face.mask is None else face.mask[STRIP]
        hole = None if mask is None else cv2.dilate(mask, np.ones((3, 3), np.uint8))
        view = state.memory.patch.view(move_pose(face.coefficients, face.crop_from_frame))
        recalled = state.memory.look(face.crop[STRIP], bare_skin(face.labels, mask), hole, view)
        if recalled is None or mask is None:
            return None
        share = (cv2.blur(recalled[1], (3, 3)) * mask).astype(np.uint8)
        return (recalled[0], share) if share.any() else None


def bare_skin(labels: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """(h, w) uint8, how surely a strip shows bare skin: 255 from CLEAR_PX beside the glasses, 0 at them.

    labels: (h, w) uint8 class map. mask: (h, w) uint8, what was deleted, or None. Skin seen through a lens is left
    out: it is tinted, hazy and bent.
    """
    free = ~WORN[labels]
    if mask is not None:
        free &= mask == 0
    away = cv2.distanceTransform(free.astype(np.uint8), cv2.DIST_L1, 3)
    ramp = np.minimum(away * np.float32(1 / CLEAR_PX), 1)
    return (ramp * ramp * SKIN[labels]).astype(np.uint8)


def _replaced(image: np.ndarray, face: Face, colours: np.ndarray, share: np.ndarray) -> Face:
    """The face with remembered skin in its hole; `image` is changed in place."""
    assert face.crop is not None and face.crop_from_frame is not None
    crop = face.crop.copy()
    blend(crop[STRIP], colours, share)
    paste_strip(image, colours, share, STRIP_TOP, face.crop_from_frame)
    return face.with_(crop=crop, remembered=share)
