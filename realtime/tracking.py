"""Which box is whose: overlap of boxes, suppression of doubles, tracks of faces, scene cuts, states per track.

Boxes are (4,) float32 x0, y0, x1, y1 in frame pixels, around the 68 points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import cv2
import numpy as np

from realtime.align import box_of
from realtime.frame import Faces, Frame

State = TypeVar("State")


def overlap(boxes_a: np.ndarray, boxes_b: np.ndarray) -> np.ndarray:
    """Intersection over union of (A, 4) and (B, 4) boxes -> (A, B)."""
    a, b = np.reshape(boxes_a, (-1, 1, 4)), np.reshape(boxes_b, (1, -1, 4))
    shared = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(-1)
    total = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared
    return shared / np.maximum(total, 1e-9)


def containment(boxes: np.ndarray) -> np.ndarray:
    """(N, 4) boxes -> (N, N): shared area over the smaller box's; 1 for a box within another."""
    a, b = np.reshape(boxes, (-1, 1, 4)), np.reshape(boxes, (1, -1, 4))
    shared = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(-1)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return shared / np.maximum(np.minimum(area[:, None], area[None]), 1e-9)


def suppress_doubles(boxes: np.ndarray, scores: np.ndarray, iou: float = 0.4) -> np.ndarray:
    """Indices of the (N, 4) boxes that stay, best score first: each removes the worse ones that overlap it by `iou`."""
    order = np.argsort(-scores, kind="stable")
    ious = overlap(boxes, boxes)
    kept: list[int] = []
    for candidate in order:
        if all(ious[candidate, other] < iou for other in kept):
            kept.append(int(candidate))
    return np.array(kept, int)


@dataclass(frozen=True, slots=True)
class Track:
    """A face that is followed. landmarks: (68, 2) of the last frame, None before they were found for the first time."""

    number: int
    box: np.ndarray
    landmarks: np.ndarray | None = None


class Tracker:
    """The tracks that are alive, at most `limit`. A face found again soon near its old place gets its number back."""

    def __init__(self, limit: int, same: float = 0.3, remembered_s: float = 2.0):
        self.limit, self.same, self.remembered_s = limit, same, remembered_s
        self.tracks: dict[int, Track] = {}
        self._lost: dict[int, tuple[np.ndarray, float]] = {}  # number -> last box, when lost
        self._next = 0

    def add(self, boxes: np.ndarray, time_s: float) -> list[Track]:
        """Start tracks for those of the (N, 4) boxes that no living track covers; best box first."""
        started = []
        for box in np.asarray(boxes, np.float32).reshape(-1, 4):
            if len(self.tracks) >= self.limit:
                break
            living = [track.box for track in self.tracks.values()]
            if living and overlap(box, np.stack(living)).max() >= self.same:
                continue
            track = Track(self._number_for(box, time_s), box)
            self.tracks[track.number] = track
            started.append(track)
        return started

    def moved(self, number: int, landmarks: np.ndarray) -> None:
        """The track's face is at these (68, 2) landmarks now."""
        self.tracks[number] = replace(self.tracks[number], box=box_of(landmarks), landmarks=landmarks)

    def lose(self, number: int, time_s: float) -> None:
        track = self.tracks.pop(number)
        if track.landmarks is not None:
            self._lost[number] = (track.box, time_s)

    def forget(self) -> None:
        """Nothing continues: a scene cut."""
        self.tracks.clear()
        self._lost.clear()

    def doubles(self) -> list[int]:
        """Numbers of tracks that lie on the face of an older one, or on a part of it."""
        numbers = sorted(self.tracks)
        if len(numbers) < 2:
            return []
        within = containment(np.stack([self.tracks[n].box for n in numbers]))
        return [numbers[j] for j in range(1, len(numbers)) if (within[:j, j] > 0.6).any()]

    def _number_for(self, box: np.ndarray, time_s: float) -> int:
        self._lost = {n: (b, t) for n, (b, t) in self._lost.items() if abs(time_s - t) <= self.remembered_s}
        near = [(float(overlap(box, old)[0, 0]), number) for number, (old, _) in self._lost.items()]
        best = max(near, default=(0.0, -1))
        if best[0] >= self.same:
            del self._lost[best[1]]
            return best[1]
        self._next += 1
        return self._next - 1


class CutDetector:
    """Notices that a picture does not continue the one before, from two thumbnails; 0.1 ms at 640x480."""

    SIZE = (32, 24)

    def __init__(self, least_change: float = 18.0, least_likeness: float = 0.5):
        # tuned on spliced clips of talking people (tests/realtime/test_tracking.py): both must say so
        self.least_change, self.least_likeness = least_change, least_likeness
        self._before: np.ndarray | None = None

    def __call__(self, image: np.ndarray) -> bool:
        """(H, W, 3) uint8 -> True where a new scene begins (not at the very first picture)."""
        step = max(1, min(image.shape[0] // 120, image.shape[1] // 160))
        small = cv2.resize(np.ascontiguousarray(image[::step, ::step]), self.SIZE, interpolation=cv2.INTER_AREA)
        thumbnail = small.astype(np.float32) - small.mean()  # a change of exposure is not a cut
        before, self._before = self._before, thumbnail
        if before is None or before.shape != thumbnail.shape:
            return before is not None
        change = float(np.abs(thumbnail - before).mean())
        energy = float(np.sqrt((thumbnail**2).sum() * (before**2).sum()))
        likeness = float((thumbnail * before).sum()) / energy if energy > 0 else 1.0
        return change > self.least_change and likeness < self.least_likeness


class TrackStates(Generic[State]):
    """One state per track for a stage: made when a track appears, dropped when it is absent or the scene is cut."""

    def __init__(self, create: Callable[[], State]):
        self._create = create
        self._states: dict[int, State] = {}

    def of(self, frame: Frame, faces: Faces) -> list[State]:
        """The states of the faces, in their order."""
        known = {} if frame.cut else self._states
        self._states = {face.track: known.get(face.track) or self._create() for face in faces}
        return [self._states[face.track] for face in faces]
