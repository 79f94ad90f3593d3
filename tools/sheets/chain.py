"""One photograph through the whole chain, as the program shows it: before, mask, after, 3D, all in the aligned crop."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from realtime.align import aligned_crop
from realtime.drawing import FaceDrawer
from realtime.face.model import load_face_model
from realtime.frame import Face, Frame, Glasses
from shaders.base import Mode
from tools.evaluate.whole_chain import WholeChain


@dataclass(frozen=True, eq=False)
class Shown:
    """What one photograph became. before, after, solid: (256, 256, 3) uint8 aligned crops of the picture as filmed, as
    shown, and with the shaded 3D face. mask: (256, 256) uint8, zero where nothing was repainted."""

    name: str
    face: Face
    before: np.ndarray
    after: np.ndarray
    solid: np.ndarray
    mask: np.ndarray
    padded: bool = False  # the chain saw the picture with a border around it

    @property
    def worn(self) -> bool:
        return self.face.glasses is not Glasses.NONE


class Photographer:
    """(name, (H, W, 3) picture) -> Shown, or None where no face is found. Pictures without glasses are not drawn."""

    def __init__(self, options: argparse.Namespace):
        self.chain = WholeChain(options)
        self.drawer = FaceDrawer(load_face_model("live"), "software")

    def __call__(self, name: str, image: np.ndarray) -> Shown | None:
        found = self.chain.shown(image)
        if found is None:
            return None
        frame, face = found
        assert face.crop_from_frame is not None
        crop = cropper(face.crop_from_frame)
        before = crop(original(frame))
        mask = np.zeros(before.shape[:2], np.uint8) if face.mask is None else face.mask
        padded = frame.image.shape != image.shape
        if face.glasses is Glasses.NONE:
            return Shown(name, face, before, before, before, mask, padded)
        solid = self.drawer.draw(frame.image, (face,), Mode.SHADED)
        return Shown(name, face, before, crop(frame.image), crop(solid), mask, padded)

    def close(self) -> None:
        self.chain.close()
        self.drawer.close()


def original(frame: Frame) -> np.ndarray:
    return frame.image if frame.original is None else frame.original


def cropper(crop_from_frame: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda image: aligned_crop(image, crop_from_frame)
