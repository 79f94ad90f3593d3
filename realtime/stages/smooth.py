"""smooth: One-Euro filters on what is seen, one set per track: landmarks early, expression and pose after regress.

Speeds are measured in units of the face (eye distances, head widths), so a small face is smoothed like a large one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from realtime.align import box_of
from realtime.face.coefficients import SLICES
from realtime.frame import Face, Faces, Frame
from realtime.smoothing import LandmarkOneEuro, OneEuro, OneEuroSettings, PoseOneEuro
from realtime.tracking import TrackStates

# Tuned for least jitter on still faces with less than a third of a frame of lag at normal head speeds
# (tests/realtime/stages/test_smooth.py states both).
LANDMARKS = OneEuroSettings(min_cutoff=1.0, beta=14.0, derivative_cutoff=1.0)  # eye distances per second
EXPRESSION = OneEuroSettings(min_cutoff=2.5, beta=5.0)  # full weights per second: a blink takes 0.1 s
ROTATION = OneEuroSettings(min_cutoff=2.0, beta=10.0, derivative_cutoff=3.0)  # radians per second
POSITION = OneEuroSettings(min_cutoff=2.5, beta=16.0, derivative_cutoff=4.0)  # heads per second
LONGEST_GAP_S = 0.5  # after a longer pause nothing continues


class Clock:
    """Seconds between the frames in which a track was seen; 0 where the filters must restart."""

    def __init__(self) -> None:
        self._before: float | None = None

    def tick(self, time_s: float) -> float:
        dt = 0.0 if self._before is None else time_s - self._before
        self._before = time_s
        return dt if 0 < dt <= LONGEST_GAP_S else 0.0


class LandmarkFilter:
    """State of one track for `SmoothLandmarks`."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.points = LandmarkOneEuro(LANDMARKS)


class SmoothLandmarks:
    """Steadies the 68 points, and with them the aligned crop and everything that is made from it.

    strength: read for every frame; 0 off, 0.5 normal, 1 strongest.
    """

    name = "smooth_landmarks"

    def __init__(self, strength: Callable[[], float]):
        self.strength = strength
        self._filters: TrackStates[LandmarkFilter] = TrackStates(LandmarkFilter)

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        filters = self._filters.of(frame, faces)
        return frame, tuple(self._steady(frame, face, state) for face, state in zip(faces, filters, strict=True))

    def close(self) -> None:
        pass

    def _steady(self, frame: Frame, face: Face, state: LandmarkFilter) -> Face:
        eye_distance = float(np.linalg.norm(face.landmarks[45] - face.landmarks[36]))
        dt = state.clock.tick(frame.time_s)
        state.points.settings = LANDMARKS.slowed(self.strength())
        landmarks = state.points(face.landmarks, dt, unit=max(eye_distance, 1.0)).astype(np.float32)
        return face.with_(landmarks=landmarks, box=box_of(landmarks))


class CoefficientFilter:
    """State of one track for `Smooth`."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.expression = OneEuro(EXPRESSION)
        self.pose = PoseOneEuro(ROTATION, POSITION)

    def set_strength(self, smooth: float) -> None:
        self.expression.settings = EXPRESSION.slowed(smooth)
        self.pose.set_settings(ROTATION.slowed(smooth), POSITION.slowed(smooth))


class Smooth:
    """Steadies expression and pose of faces that have coefficients. strength: as for `SmoothLandmarks`."""

    name = "smooth"

    def __init__(self, strength: Callable[[], float]):
        self.strength = strength
        self._filters: TrackStates[CoefficientFilter] = TrackStates(CoefficientFilter)

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        filters = self._filters.of(frame, faces)
        return frame, tuple(self._steady(frame, face, state) for face, state in zip(faces, filters, strict=True))

    def close(self) -> None:
        pass

    def _steady(self, frame: Frame, face: Face, state: CoefficientFilter) -> Face:
        if face.coefficients is None:
            return face
        dt = state.clock.tick(frame.time_s)
        state.set_strength(self.strength())
        steady = face.coefficients.copy()
        steady[SLICES["expression"]] = state.expression(steady[SLICES["expression"]], dt)
        steady[SLICES["pose"]] = state.pose(steady[SLICES["pose"]], dt)
        return face.with_(coefficients=steady)
