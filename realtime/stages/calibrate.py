"""calibrate: takes a person's resting face out of their expression, when they ask for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from realtime.face.blendshapes import expression_bounds
from realtime.face.coefficients import SLICES
from realtime.frame import Face, Faces, Frame
from realtime.tracking import TrackStates

RESTING_S = 1.0  # how long the resting face is looked at


class RestingFace:
    """One track's mean expression since it was asked for. request: the last request made before the track appeared."""

    def __init__(self, request: int) -> None:
        self.request = request
        self.since_s = -1.0  # never asked
        self.sum = np.zeros(64)
        self.count = 0

    def take(self, expression: np.ndarray, request: int, time_s: float) -> None:
        if request != self.request:
            self.request, self.since_s, self.sum, self.count = request, time_s, np.zeros(64), 0
        if self.since_s >= 0 and time_s - self.since_s <= RESTING_S:
            self.sum, self.count = self.sum + expression, self.count + 1

    def without(self, expression: np.ndarray) -> np.ndarray:
        """The (64,) expression measured from the resting face: 0 there, still 1 at full strength."""
        if not self.count:
            return expression
        low, high = expression_bounds()
        rest = np.clip(self.sum / self.count, 0.9 * low, 0.9 * high)
        return np.clip((expression - rest) / (high - rest), low, high).astype(np.float32)


class Calibrate:
    """requests: how often a person has asked; each new number looks at the resting face again."""

    name = "calibrate"

    def __init__(self, requests: Callable[[], int]):
        self.requests = requests
        self._tracks: TrackStates[RestingFace] = TrackStates(lambda: RestingFace(requests()))

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        request, tracks = self.requests(), self._tracks.of(frame, faces)
        return frame, tuple(_rested(frame, face, rest, request) for face, rest in zip(faces, tracks, strict=True))

    def close(self) -> None:
        pass


def _rested(frame: Frame, face: Face, rest: RestingFace, request: int) -> Face:
    if face.coefficients is None:
        return face
    coefficients = face.coefficients.copy()
    rest.take(coefficients[SLICES["expression"]], request, frame.time_s)
    coefficients[SLICES["expression"]] = rest.without(coefficients[SLICES["expression"]])
    return face.with_(coefficients=coefficients)
