"""One visitor: stages with tracks, filters and textures of their own, on engines and threads that all share."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from realtime.drawing import FaceDrawer
from realtime.frame import Faces, Frame
from realtime.page.lanes import Lanes, Seat, Step
from realtime.page.wire import Wishes, describe_faces
from realtime.pipeline import Switches
from realtime.views import show
from realtime.workers import Group, stage_name

logger = logging.getLogger(__name__)

MICROSECOND = Fraction(1, 1_000_000)
Encode = Callable[[np.ndarray], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A picture that has come in, not decoded yet. captured_s: on the visitor's clock; arrived_s: on ours.

    decode: () -> (H, W, 3) uint8 RGB; called on a lane's thread, raises WireError.
    """

    sequence: int
    captured_s: float
    arrived_s: float
    decode: Callable[[], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Underway:
    """A frame between two lanes."""

    arrival: Arrival
    frame: Frame
    faces: Faces
    timings_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What goes back. report: JSON values; picture: what the visitor's `encode` made of the shown view."""

    sequence: int
    report: dict[str, Any]
    picture: Any


class Visitor:
    """`offer` pictures, `take` results; nothing here waits. Callbacks as of `lanes.Seat`, on the lanes' threads.

    on_taken: (sequence, seconds from its arrival until there was room for it, negative if there had been); the next
    picture may come.
    encode: what is done with the shown picture on the last lane: JPEG for the one transport, nothing for the other.
    """

    def __init__(
        self,
        lanes: Lanes,
        groups: Sequence[Group],
        switches: Switches,
        drawer: FaceDrawer,
        encode: Encode,
        wishes: Wishes,
        *,
        on_taken: Callable[[int, float], None] = lambda sequence, early_s: None,
        on_ready: Callable[[], None] = lambda: None,
        on_failed: Callable[[Exception], None] = lambda error: None,
        on_gone: Callable[[Visitor], None] = lambda visitor: None,
    ):
        self.wishes, self._switches = wishes, switches
        self._lanes, self._groups, self._drawer, self._encode = lanes, tuple(groups), drawer, encode
        self._on_gone = on_gone
        self._frames = 0
        self._first_s: float | None = None
        self._size: tuple[int, ...] | None = None
        first, *others = self._groups
        steps: list[Step] = [lambda arrival: self._begin(arrival, first)]
        steps += [*(self._step(group) for group in others), self._finish]
        self._seat = Seat(
            steps,
            on_taken=lambda arrival: on_taken(arrival.sequence, self._seat.room_since_s - arrival.arrived_s),
            on_ready=on_ready,
            on_failed=on_failed,
            on_gone=self._release,
        )
        lanes.enter(self._seat)

    def offer(self, sequence: int, captured_s: float, decode: Callable[[], np.ndarray]) -> bool:
        """A picture. False: it took the place of one whose turn had not come."""
        return self._lanes.put(self._seat, Arrival(sequence, captured_s, time.perf_counter(), decode))

    def take(self) -> Result | None:
        return self._lanes.take(self._seat)

    def wish(self, wishes: Wishes) -> None:
        """Takes effect with the next picture."""
        self.wishes = wishes
        self._switches.remove, self._switches.smooth = wishes.remove, wishes.smooth
        self._switches.calibrations = wishes.calibrations

    def leave(self) -> None:
        """What is under way is dropped, everything of this visitor is given back. May be called twice."""
        self._lanes.leave(self._seat)

    # --- on the lanes' threads -------------------------------------------------------------------------------------

    def _begin(self, arrival: Arrival, group: Group) -> Underway:
        start = time.perf_counter()
        image = arrival.decode()
        image.flags.writeable = False  # stages share it
        timings = {"wait": start - arrival.arrived_s, "decode": time.perf_counter() - start}
        if self._first_s is None:
            self._first_s = arrival.captured_s
        pts = round((arrival.captured_s - self._first_s) / MICROSECOND)
        resized = self._size not in (None, image.shape)  # tracks are in pixels of the pictures before
        self._size = image.shape
        size = (image.shape[1], image.shape[0])
        frame = Frame(image, self._frames, pts, MICROSECOND, source_size=size, cut=resized)
        self._frames += 1
        return _through(group, Underway(arrival, frame, (), timings))

    def _step(self, group: Group) -> Callable[[Underway], Underway]:
        return lambda underway: _through(group, underway)

    def _finish(self, underway: Underway) -> Result:
        wishes, frame, faces, timings = self.wishes, underway.frame, underway.faces, dict(underway.timings_s)
        start = time.perf_counter()
        shown = show(frame, faces, wishes.view, self._drawer, landmarks=wishes.landmarks)
        drawn = time.perf_counter()
        picture = self._encode(shown)
        done = time.perf_counter()
        timings |= {"render": drawn - start, "encode": done - drawn}
        report = {
            "size": [shown.shape[1], shown.shape[0]],
            "faces": describe_faces(faces),
            "server_ms": round(1000 * (done - underway.arrival.arrived_s), 1),
            "stages_ms": {name: round(1000 * seconds, 1) for name, seconds in timings.items()},
        }
        return Result(underway.arrival.sequence, report, picture)

    def _release(self) -> None:
        for group in self._groups:
            for stage in group.stages:
                stage.close()  # type: ignore[attr-defined]
        self._groups = ()
        self._on_gone(self)


def _through(group: Group, underway: Underway) -> Underway:
    frame, faces, timings = underway.frame, underway.faces, dict(underway.timings_s)
    for stage in group.stages:
        start = time.perf_counter()
        frame, faces = stage(frame, faces)
        timings[stage_name(stage)] = time.perf_counter() - start
    return Underway(underway.arrival, frame, faces, timings)
