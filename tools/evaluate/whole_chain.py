"""The program's own chain on single pictures, for protocols that judge what comes out of its end."""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from realtime.align import aligned_crop, crop_from_landmarks
from realtime.frame import Face, Frame
from realtime.options import Options
from realtime.pipeline import open_pipeline

SLACK = 0.25  # border added around a picture in which no face was found, over its longer side


class WholeChain:
    """(H, W, 3) uint8 picture -> its largest face with coefficients, or None. Every picture is a scene of its own."""

    def __init__(self, options: argparse.Namespace, remove: bool = True):
        chosen = Options(verb="image", quality=options.quality, provider=options.provider, remove=remove, faces=16)
        self._pipeline = open_pipeline(replace(chosen, smooth=0.0), stills=True)

    def __call__(self, image: np.ndarray) -> Face | None:
        found = self.shown(image)
        return None if found is None else found[1]

    def shown(self, image: np.ndarray) -> tuple[Frame, Face] | None:
        """The frame as the chain leaves it (a border around the picture where one was needed), and its largest face."""
        return self._largest(image) or self._largest(_bordered(image))

    def _largest(self, image: np.ndarray) -> tuple[Frame, Face] | None:
        frame, faces = self._pipeline(Frame(image, 0))
        largest = max(faces, key=lambda face: float(np.prod(face.box[2:] - face.box[:2])), default=None)
        return None if largest is None else (frame, largest)

    def close(self) -> None:
        self._pipeline.close()


def _bordered(image: np.ndarray) -> np.ndarray:
    """Tight crops of a face have no surroundings for a detector to see: give them some."""
    height, width = image.shape[:2]
    border = round(SLACK * max(height, width))
    out = np.empty((height + 2 * border, width + 2 * border, 3), np.uint8)
    out[:] = np.median(image.reshape(-1, 3), axis=0).astype(np.uint8)
    out[border : border + height, border : border + width] = image
    return out


def worn_crop(face: Face, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The aligned (256, 256, 3) crop of a found face and its (2, 3) crop_from_picture."""
    matrix = crop_from_landmarks(face.landmarks)
    return aligned_crop(image, matrix), matrix
