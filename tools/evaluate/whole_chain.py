"""The program's own chain on single pictures, for protocols that judge what comes out of its end."""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from realtime.align import aligned_crop, crop_from_landmarks, transform_points
from realtime.face.coefficients import move_pose
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
        return None if found is None else moved(found[1], (image.shape[0] - found[0].image.shape[0]) // 2)

    def shown(self, image: np.ndarray) -> tuple[Frame, Face] | None:
        """The frame as the chain leaves it, with a border around the picture where one was needed, and its largest face
        in that frame's pixels."""
        return self._largest(image) or self._largest(_bordered(image, round(SLACK * max(image.shape[:2]))))

    def _largest(self, image: np.ndarray) -> tuple[Frame, Face] | None:
        frame, faces = self._pipeline(Frame(image, 0))
        largest = max(faces, key=lambda face: float(np.prod(face.box[2:] - face.box[:2])), default=None)
        return None if largest is None else (frame, largest)

    def close(self) -> None:
        self._pipeline.close()


def _bordered(image: np.ndarray, border: int) -> np.ndarray:
    """Tight crops of a face have no surroundings for a detector to see: give them some, pixels on every side."""
    height, width = image.shape[:2]
    out = np.empty((height + 2 * border, width + 2 * border, 3), np.uint8)
    out[:] = np.median(image.reshape(-1, 3), axis=0).astype(np.uint8)
    out[border : border + height, border : border + width] = image
    return out


def moved(face: Face, shift: int) -> Face:
    """The same face where the picture's corner is `shift` pixels further up and left."""
    if shift == 0:
        return face
    there = np.array([[1.0, 0, shift], [0, 1, shift]])
    crop_from_frame, coefficients = face.crop_from_frame, face.coefficients
    if crop_from_frame is not None:
        linear = crop_from_frame[:, :2]
        crop_from_frame = np.hstack([linear, crop_from_frame[:, 2:] - linear @ there[:, 2:]])
    if coefficients is not None:
        coefficients = move_pose(coefficients, there)
    return face.with_(
        box=face.box + np.float32(shift), landmarks=transform_points(there, face.landmarks),
        crop_from_frame=crop_from_frame, coefficients=coefficients,
    )  # fmt: skip


def worn_crop(face: Face, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The aligned (256, 256, 3) crop of a found face and its (2, 3) crop_from_picture."""
    matrix = crop_from_landmarks(face.landmarks)
    return aligned_crop(image, matrix), matrix
