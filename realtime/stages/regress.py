"""regress: the 239 coefficients of every face from its glasses-free crop (the network N_r, paper 3.3)."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.align import CROP_SIZE, aligned_crop, crop_from_landmarks, invert, warp
from realtime.anchor import anchor
from realtime.correction import load_correction
from realtime.face.coefficients import SLICES, move_pose
from realtime.face.model import FaceModel
from realtime.frame import Face, Faces, Frame
from realtime.regressor import Regressor, direction
from realtime.tracking import TrackStates

# frames that a running average remembers: a person's bones do not change, the light does slowly
MEMORY_FRAMES = {"identity": 90.0, "texture": 90.0, "light": 20.0}
RECOGNISE_EVERY = 6  # frames of a track between two questions to G, whose answers hardly differ

CAREFUL_LOOKS = tuple(
    cv2.getRotationMatrix2D((CROP_SIZE / 2 + dx, CROP_SIZE / 2 + dy), turn, scale)
    for dx, dy, turn, scale in ((40, 0, 3, 1.05), (-40, 0, -3, 1.05), (0, 40, 3, 0.95), (0, -40, -3, 0.95))
)  # turns in degrees about points beside the middle: that moves the face, too


class SlowVariables:
    """Running averages of one track's identity, texture and light, weighted by confidence, and of G's features."""

    def __init__(self) -> None:
        self._means: dict[str, np.ndarray] = {}
        self._weights: dict[str, float] = {}
        self._seen = 0

    def features(self, regressor: Regressor, crop: np.ndarray, weight: float) -> np.ndarray:
        """(128,) of unit length: whose face this track shows, by what G said of its crops so far."""
        if self._seen % RECOGNISE_EVERY == 0:
            self._follow("features", regressor.features(crop), weight, MEMORY_FRAMES["identity"] / RECOGNISE_EVERY)
        self._seen += 1
        return direction(self._means["features"])

    def take(self, coefficients: np.ndarray, weight: float) -> np.ndarray:
        """(239,) of this frame -> the same with its slow parts replaced by their averages so far."""
        steady = coefficients.copy()
        for name, memory in MEMORY_FRAMES.items():
            steady[SLICES[name]] = self._follow(name, coefficients[SLICES[name]], weight, memory)
        return steady

    def _follow(self, name: str, part: np.ndarray, weight: float, memory: float) -> np.ndarray:
        total = min(self._weights.get(name, 0.0), memory) + weight
        mean = self._means.get(name, part)
        mean = mean + (weight / max(total, 1e-6)) * (part - mean)
        self._means[name], self._weights[name] = mean, total
        return mean


class Regress:
    """Fills in the coefficients, pose in frame pixels; identity, texture and light averaged over the track.

    model: takes what both networks are known to misread out of pose and expression (`realtime.correction`) and pulls
    the expression to the landmarks (`realtime.anchor`); None leaves them as regressed.
    careful: the slow parts are the mean of several moved crops: for single pictures, which have no track to average.
    """

    name = "regress"

    def __init__(self, regressor: Regressor, model: FaceModel | None = None, careful: bool = False):
        self.regressor, self.model, self.careful, self.correction = regressor, model, careful, load_correction()
        self._tracks: TrackStates[SlowVariables] = TrackStates(SlowVariables)

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        tracks = self._tracks.of(frame, faces)
        return frame, tuple(self._regress(frame, face, slow) for face, slow in zip(faces, tracks, strict=True))

    def close(self) -> None:
        pass

    def _regress(self, frame: Frame, face: Face, slow: SlowVariables) -> Face:
        if face.crop is None or face.crop_from_frame is None:  # nothing was removed: no stage has cut the crop yet
            crop_from_frame = crop_from_landmarks(face.landmarks)
            face = face.with_(crop=aligned_crop(frame.image, crop_from_frame), crop_from_frame=crop_from_frame)
        assert face.crop is not None and face.crop_from_frame is not None
        weight = max(face.confidence, 0.05)
        if self.careful:
            in_crop = self._carefully(face.crop)
        else:
            in_crop = self.regressor.coefficients(face.crop, slow.features(self.regressor, face.crop, weight))
        in_frame = move_pose(in_crop, invert(face.crop_from_frame))
        coefficients = slow.take(in_frame, weight)
        if self.model is not None:
            coefficients = self.correction.applied(self.model, coefficients, face.landmarks)
            coefficients = anchor(self.model, coefficients, face.landmarks)
        return face.with_(coefficients=coefficients)

    def _carefully(self, crop: np.ndarray) -> np.ndarray:
        """(256, 256, 3) crop -> (239,), pose in its pixels; slow parts from several looks."""
        crops = [crop] + [warp(crop, moved, (CROP_SIZE, CROP_SIZE)) for moved in CAREFUL_LOOKS]
        features = direction(np.array([self.regressor.features(one) for one in crops]))
        looks = [self.regressor.coefficients(one, features) for one in crops]
        for name in MEMORY_FRAMES:
            looks[0][SLICES[name]] = np.mean([look[SLICES[name]] for look in looks], axis=0)
        return looks[0]
