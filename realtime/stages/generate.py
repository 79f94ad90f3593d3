"""generate: synthesises what the glasses hid (the generator N_ge, paper 3.2), and puts it back into the picture.

The network sees the 128x256 strip of the aligned crop; only masked pixels are pasted back.
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime.align import STRIP, STRIP_TOP, transform_points
from realtime.detection import Runnable
from realtime.frame import Face, Faces, Frame
from realtime.landmark_map import landmark_map
from realtime.monochrome import monochrome_curve, tinted
from realtime.paste import blend, lift_shadow, paste_strip, unbend_frame
from realtime.planes import picture, planes
from realtime.tracking import TrackStates

# share of 255 that the last filling keeps, by how many levels the new one differs from it
LINGERS = np.clip(255 * 0.65 * (1 - np.arange(256) / 14.0), 0, 255).astype(np.uint8)


class Filling:
    """What was last synthesised for one track, in its own crop."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None

    def steadied(self, made: np.ndarray) -> np.ndarray:
        """(h, w, 3) uint8 mixed with what was made before, the less the more it differs: noise goes, motion stays."""
        if self._before is not None:
            change = cv2.blur(cv2.cvtColor(cv2.absdiff(made, self._before), cv2.COLOR_RGB2GRAY), (5, 5))
            share = cv2.LUT(change, LINGERS)
            blend(made, self._before, share)
        self._before = made
        return made


class Generate:
    """Replaces the masked part of crop and frame; the network itself starts from what surrounds it, so no seam stays.
    Over time a track's filling is steadied where it hardly changes (`steadied`).

    Faces without a mask pass.
    """

    name = "generate"

    def __init__(self, network: Runnable, shadow_floor: float = 0.35):
        self.network, self.shadow_floor = network, shadow_floor
        self._fillings: TrackStates[Filling] = TrackStates(Filling)

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        fillings = self._fillings.of(frame, faces)
        if all(face.mask is None for face in faces):
            return frame, faces
        image = frame.image.copy()  # the captured picture is shared with other threads
        original = frame.image if frame.original is None else frame.original
        changed = tuple(
            face if face.mask is None else self._restore(image, face, filling)
            for face, filling in zip(faces, fillings, strict=True)
        )
        return frame.with_(image=image, original=original), changed

    def close(self) -> None:
        pass

    def _restore(self, image: np.ndarray, face: Face, filling: Filling) -> Face:
        """A face whose crop has no glasses; `image` is changed in place."""
        assert face.crop is not None and face.mask is not None and face.crop_from_frame is not None
        strip, mask = face.crop[STRIP], face.mask[STRIP]
        points = transform_points(face.crop_from_frame, face.landmarks)
        out = self.network.run({"strip": generator_input(strip, mask, points)})["strip_filled"]
        synthesised = filling.steadied(picture(out[0]))
        curve = monochrome_curve(strip, mask < 128)
        if curve is not None:
            synthesised = tinted(synthesised, curve)
        crop = face.crop.copy()
        blend(crop[STRIP], synthesised, mask)
        if face.shadow is not None:
            lift_shadow(image, face.shadow[STRIP], STRIP_TOP, face.crop_from_frame, self.shadow_floor)
        unbend_frame(image, face.lenses, face.crop_from_frame)
        paste_strip(image, synthesised, mask, STRIP_TOP, face.crop_from_frame)
        return face.with_(crop=crop)


def generator_input(strip: np.ndarray, mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(1, 5, h, w) float32: the corrupted strip I_co (zero where deleted), the mask (1 = deleted), the landmark map.

    strip: (h, w, 3) uint8. mask: (h, w) uint8, deleted from 128 up. points: (68, 2) pixels of the whole crop.
    """
    channels = np.empty((1, 5, *mask.shape), np.float32)
    deleted = mask >= 128
    channels[:, :3] = planes(strip)
    channels[0, :3, deleted] = 0
    channels[0, 3] = deleted
    channels[0, 4] = landmark_map(points)
    return channels
