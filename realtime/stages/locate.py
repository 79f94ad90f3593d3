"""locate: where the faces are. The box comes from the last landmarks; a detector looks for new faces now and then."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import numpy as np

from realtime.detection import Runnable, detect, detect_at_scales, sides_for
from realtime.frame import Face, Faces, Frame
from realtime.tracking import CutDetector, Tracker


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """smallest_px: least longer side of a face in the picture that is looked for.

    every: frames between looks while something is tracked. threshold: least score of a face; eager_threshold: of the
    first one, while nothing is tracked: the landmark network turns away what is no face.
    stills: every picture is a scene of its own, and is looked at in all sizes.
    """

    smallest_px: float = 40.0
    every: int = 12
    threshold: float = 0.45
    eager_threshold: float = 0.28
    stills: bool = False


class Locate:
    """Gives a face for every track, and starts tracks where the detector sees a face that none covers.

    Without an executor the detector runs inside the call, on frames fixed by their index: the same file always gives
    the same faces, and a piece of it is looked at on the same frames as the whole.
    With one it runs beside the loop, and what it found joins a later frame (live).
    """

    name = "locate"

    def __init__(
        self, detector: Runnable, tracker: Tracker, settings: DetectionSettings, executor: Executor | None = None
    ):
        self.detector, self.tracker, self.settings, self.executor = detector, tracker, settings, executor
        self._cut = CutDetector()
        self._looks = 0
        self._since_look = settings.every
        self._pending: Future[np.ndarray] | None = None

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        if self._cut(frame.image) or frame.cut or self.settings.stills:
            frame = frame.with_(cut=True)
            self.tracker.forget()
            self._pending = None  # it looked at the scene before
            self._since_look = self.settings.every
        self._since_look += 1
        if self.executor is None:
            self._look_now(frame)
        else:
            self._look_beside(frame, self.executor)
        return frame, tuple(_face(track.number, track.box, track.landmarks) for track in self.tracker.tracks.values())

    def recover(self, frame: Frame) -> Faces:
        """Faces of tracks started by looking again at this frame, for when one was just lost; () when run beside."""
        if self.executor is not None:
            return ()
        started = self.tracker.add(self._find(frame.image, frame.index // self._period), frame.time_s)
        return tuple(_face(track.number, track.box, None) for track in started)

    def close(self) -> None:
        if self._pending is not None:
            self._pending.cancel()

    def _look_now(self, frame: Frame) -> None:
        full = len(self.tracker.tracks) >= self.tracker.limit
        if not self.tracker.tracks or (frame.index % self._period == 0 and not full):
            self.tracker.add(self._find(frame.image, frame.index // self._period), frame.time_s)

    def _look_beside(self, frame: Frame, executor: Executor) -> None:
        if self._pending is not None and self._pending.done():
            self.tracker.add(self._pending.result(), frame.time_s)
            self._pending = None
        full = len(self.tracker.tracks) >= self.tracker.limit
        due = not self.tracker.tracks or (self._since_look > self.settings.every and not full)
        if self._pending is None and due:
            self._since_look = 0
            self._looks += 1
            self._pending = executor.submit(self._find, frame.image, self._looks)

    @property
    def _period(self) -> int:
        """Frames from one look at a file to the next."""
        return self.settings.every + 1

    def _find(self, image: np.ndarray, turn: int) -> np.ndarray:
        """(N, 4) boxes. turn: counts the looks, each of which begins with the next size."""
        sides = sides_for(image.shape, self.settings.smallest_px)
        if self.settings.stills:
            return detect_at_scales(self.detector, image, sides, self.settings.eager_threshold)[0]
        return self._in_turn(image, sides, turn)

    def _in_turn(self, image: np.ndarray, sides: Sequence[int], turn: int) -> np.ndarray:
        """One size a look while faces are tracked; the next sizes too while nothing has been found."""
        threshold = self.settings.threshold if self.tracker.tracks else self.settings.eager_threshold
        first = turn % len(sides)
        for side in (*sides[first:], *sides[:first]):
            boxes = detect(self.detector, image, side, threshold)[0]
            if len(boxes) or self.tracker.tracks:
                return boxes
        return boxes


def _face(number: int, box: np.ndarray, landmarks: np.ndarray | None) -> Face:
    unknown = np.full((68, 2), np.nan, np.float32)
    return Face(number, box, unknown if landmarks is None else landmarks, confidence=0.0)
