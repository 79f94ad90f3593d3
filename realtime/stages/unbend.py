"""unbend: gives eyes behind strong clear lenses their true size again (the network `lenses`; no part of the paper)."""

from __future__ import annotations

import numpy as np

from realtime.align import STRIP, aligned_crop, invert, transform_points
from realtime.detection import Runnable
from realtime.frame import Face, Faces, Frame, Glasses
from realtime.lenses import BRIDGE, lenses_of, unbend_points, unbend_strip
from realtime.planes import planes
from realtime.tracking import TrackStates

ASK_EVERY = 5  # frames of a track: lenses do not change their power
MEMORY = 60.0  # answers that the average remembers


class Power:
    """What is known of one track's lenses: the average of the log of their scale."""

    def __init__(self) -> None:
        self._mean, self._count, self._seen = 0.0, 0.0, 0

    def scale(self, network: Runnable, image: np.ndarray, crop_from_frame: np.ndarray) -> float:
        """True over seen size, by all that this track has shown; image: the frame as captured."""
        if self._seen % ASK_EVERY == 0:
            self._count = min(self._count, MEMORY) + 1
            strip = aligned_crop(image, crop_from_frame)[STRIP]
            self._mean += (log_scale(network, strip) - self._mean) / self._count
        self._seen += 1
        return float(np.exp(self._mean))


class Unbend:
    """Unbends crop, mask and landmarks of faces with clear glasses; `generate` does the same to the frame.

    Comes after `delete`, whose mask and labels it needs. Other faces pass.
    """

    name = "unbend"

    def __init__(self, network: Runnable):
        self.network = network
        self._tracks: TrackStates[Power] = TrackStates(Power)

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        powers = self._tracks.of(frame, faces)
        return frame, tuple(self._unbend(frame, face, power) for face, power in zip(faces, powers, strict=True))

    def close(self) -> None:
        pass

    def _unbend(self, frame: Frame, face: Face, power: Power) -> Face:
        if face.mask is None or face.glasses is not Glasses.CLEAR:
            return face
        assert face.crop is not None and face.crop_from_frame is not None and face.labels is not None
        points = transform_points(face.crop_from_frame, face.landmarks)
        scale = power.scale(self.network, frame.image, face.crop_from_frame)
        lenses = lenses_of(face.labels, float(points[BRIDGE, 0].mean()), scale)
        if not lenses:
            return face
        crop, mask = face.crop.copy(), face.mask.copy()
        crop[STRIP] = unbend_strip(crop[STRIP], lenses)
        mask[STRIP] = unbend_strip(mask[STRIP], lenses)
        landmarks = transform_points(invert(face.crop_from_frame), unbend_points(points, lenses))
        return face.with_(crop=crop, mask=mask, landmarks=landmarks.astype(np.float32), lenses=lenses)


def log_scale(network: Runnable, strip: np.ndarray) -> float:
    """Log of true over seen size in one (128, 256, 3) uint8 strip, the mean of what the network says of it and of its
    mirror image."""
    both = [strip, np.ascontiguousarray(strip[:, ::-1])]
    return float(np.mean([np.log(np.reshape(network.run({"strip": planes(one)})["scale"], -1)[0]) for one in both]))
