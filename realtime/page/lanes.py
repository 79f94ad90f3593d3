"""Threads that several visitors share: one per group of stages, so that a network is used by one thread only.

A visitor has a seat: room for one item before each lane and one behind the last. Of those that have one waiting, who
has used a lane least is next: dear pictures of one visitor take turns from that visitor, not from others. A lane works
for a seat only when its result has somewhere to go: who takes no results is not worked for, and holds one item a lane.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from realtime.meter import Clock

logger = logging.getLogger(__name__)

Step = Callable[[Any], Any]
JOIN_S = 5.0


class Seat:
    """One visitor's place in every lane. Callbacks are called on a lane's thread, and must not block.

    steps: what each lane does with an item; the result is the next lane's item.
    on_taken: the first lane has begun with an item: there is room for the next. on_ready: `Lanes.take` has a result.
    on_failed: a step raised; the seat is not worked for any more. on_gone: has left, and no lane works for it.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        on_taken: Callable[[Any], None],
        on_ready: Callable[[], None],
        on_failed: Callable[[Exception], None],
        on_gone: Callable[[], None],
    ):
        self.steps = tuple(steps)
        self.on_taken, self.on_ready, self.on_failed, self.on_gone = on_taken, on_ready, on_failed, on_gone
        self.waiting: list[Any] = [None] * (len(self.steps) + 1)  # before each lane, and behind the last
        self.served_s = [0.0] * len(self.steps)  # of each lane, since this seat or the one served last began
        self.room_since_s = 0.0  # since when the first lane could have begun with a further item
        self.at_work = 0
        self.left = False


class Lanes:
    """The threads, one per name. at_end: called on a lane's own thread when it ends (what belongs to a thread)."""

    def __init__(self, names: Sequence[str], clock: Clock, at_end: Mapping[str, Callable[[], None]] | None = None):
        self._clock, self._at_end = clock, dict(at_end or {})
        self._changed = threading.Condition()
        self._seats: list[Seat] = []
        self._started_s = [0.0] * len(names)  # service that the seat served last had when it was its turn
        self._closed = False
        self.threads = tuple(
            threading.Thread(target=self._work, args=(lane, name), name=f"serve {name}", daemon=True)
            for lane, name in enumerate(names)
        )
        for thread in self.threads:
            thread.start()

    def enter(self, seat: Seat) -> None:
        if len(seat.steps) != len(self.threads):
            raise ValueError(f"{len(seat.steps)} steps for {len(self.threads)} lanes")
        with self._changed:
            self._seats.append(seat)

    def put(self, seat: Seat, item: Any) -> bool:
        """Hand in an item, never waiting: a newer one replaces one that was not begun. False: it replaced one."""
        with self._changed:
            free = seat.waiting[0] is None
            if seat in self._seats:
                self._place(seat, 0, item)
            return free

    def take(self, seat: Seat) -> Any:
        """The result behind the last lane, or None; makes room for the next one."""
        with self._changed:
            result, seat.waiting[-1] = seat.waiting[-1], None
            self._changed.notify_all()
            return result

    def leave(self, seat: Seat) -> None:
        """Drop what waits; `on_gone` follows, at once or when the lanes at work for this seat return."""
        with self._changed:
            if seat not in self._seats:
                return
            self._seats.remove(seat)
            seat.left = True
            seat.waiting = [None] * len(seat.waiting)
            gone = seat.at_work == 0
        if gone:
            seat.on_gone()

    def close(self) -> None:
        """After all seats have left. Waits for the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self.threads:
            thread.join(JOIN_S)

    # --- on the lanes' threads -------------------------------------------------------------------------------------

    def _work(self, lane: int, name: str) -> None:
        while self._serve_one(lane):  # in a call of its own, so that an idle thread holds nobody's picture
            pass
        if name in self._at_end:
            self._at_end[name]()

    def _serve_one(self, lane: int) -> bool:
        """Wait for a turn and do it. False at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._next(lane) is not None)
            seat = self._next(lane)
            if self._closed or seat is None:
                return False
            item, seat.waiting[lane] = seat.waiting[lane], None
            seat.at_work += 1
            self._started_s[lane] = seat.served_s[lane]
            if lane == 1:
                seat.room_since_s = self._clock()
            self._changed.notify_all()
        if lane == 0:
            seat.on_taken(item)
        start = self._clock()
        try:
            result, error = seat.steps[lane](item), None
        except Exception as problem:
            result, error = None, problem
        self._return(seat, lane, result, error, self._clock() - start)
        return True

    def _return(self, seat: Seat, lane: int, result: Any, error: Exception | None, seconds: float) -> None:
        with self._changed:
            seat.at_work -= 1
            seat.served_s[lane] += seconds
            if lane == 0 and result is None:
                seat.room_since_s = self._clock()
            gone = seat.left and seat.at_work == 0
            failed = error is not None and not seat.left
            if failed:
                seat.waiting = [None] * len(seat.waiting)
            elif not seat.left and result is not None:
                self._place(seat, lane + 1, result)
            ready = not seat.left and lane + 1 == len(seat.steps) and result is not None
            self._changed.notify_all()
        if gone:
            seat.on_gone()
        elif failed and error is not None:
            seat.on_failed(error)
        elif ready:
            seat.on_ready()

    def _place(self, seat: Seat, lane: int, item: Any) -> None:
        if lane < len(seat.steps) and seat.waiting[lane] is None:
            # who was idle has saved nothing up: it begins where the others are
            seat.served_s[lane] = max(seat.served_s[lane], self._started_s[lane])
        seat.waiting[lane] = item
        self._changed.notify_all()

    def _next(self, lane: int) -> Seat | None:
        ready = (s for s in self._seats if s.waiting[lane] is not None and s.waiting[lane + 1] is None)
        return min(ready, key=lambda seat: seat.served_s[lane], default=None)
