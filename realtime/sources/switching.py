"""A live source that can be changed while it runs: the next one is opened beside it and takes over when there."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from realtime.errors import NakedeyeError, SourceError
from realtime.frame import Frame
from realtime.handover import Closed, LatestSlot
from realtime.meter import Clock
from realtime.sources.base import Properties, Silent, Source
from realtime.sources.camera import MICROSECOND

logger = logging.getLogger(__name__)

Tell = Callable[[str, bool], None]  # (words for the person, whether they are bad news); from any thread
LOOK_UP_S = 0.05  # how soon a change is noticed
RETRY_S = 2.0  # between looks for a camera that was unplugged
JOIN_S = 2.0


class SwitchingSource(Silent):
    """Frames of one source after another; times and numbers go on, a change is a `cut`.

    source, choice: what runs first, and what the user calls it. open_choice: opens another one by its name.
    A choice that cannot be opened leaves the old one running. One that fails on the way is looked for again until it
    is back or another is chosen; one that ends, ends this.
    """

    def __init__(
        self, source: Source, choice: str, open_choice: Callable[[str], Source], tell: Tell,
        clock: Clock = time.monotonic,
    ):  # fmt: skip
        self.choice = choice
        self._open_choice, self._tell, self._clock = open_choice, tell, clock
        self._lock = threading.Lock()
        self._wanted = choice
        self._opened: tuple[str, Source] | None = None
        self._opening = False
        self._stop = threading.Event()
        self._first: Source | None = source
        self._properties = replace(source.properties, live=True, time_base=MICROSECOND)
        self._reader: _Reader | None = None
        self._last_us: int | None = None
        self._offset_us = 0

    @property
    def properties(self) -> Properties:
        return self._properties

    @property
    def changing(self) -> bool:
        """Whether another source is being opened, or about to take over."""
        with self._lock:
            return self._opening or self._opened is not None

    def choose(self, choice: str, quiet: bool = False) -> None:
        """From any thread; returns at once. quiet: a failure is not told."""
        with self._lock:
            self._wanted, self._opening = choice, True
        threading.Thread(target=self._open, args=(choice, quiet), name="open source", daemon=True).start()

    def frames(self) -> Iterator[Frame]:
        assert self._first is not None
        self._reader, self._first = _Reader(self._first), None
        index, cut, lost_s = 0, False, None
        while not self._stop.is_set():
            if self._take_over():
                cut, lost_s = True, None
            if lost_s is not None:
                lost_s = self._look_again(lost_s)
                continue
            try:
                frame = self._reader.slot.get(LOOK_UP_S)
            except TimeoutError:
                continue
            except Closed:
                return
            except SourceError as error:
                self._tell(f"{error}; choose another, or plug it in again", True)
                lost_s = self._clock()
                continue
            yield frame.with_(index=index, pts=self._rising(frame, cut), time_base=MICROSECOND, cut=frame.cut or cut)
            index, cut = index + 1, False

    def stop(self) -> None:
        """From any thread: `frames` ends soon, also while nothing comes."""
        self._stop.set()

    def close(self) -> None:
        self.stop()
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened[1].close()
        if self._first is not None:
            self._first.close()
        if self._reader is not None:
            self._reader.end()

    def _open(self, choice: str, quiet: bool) -> None:
        try:
            source = self._open_choice(choice)
        except NakedeyeError as error:
            with self._lock:
                self._opening = False
                still_wanted = self._wanted == choice
            if not quiet and still_wanted:
                self._tell(f"{error}; {self._properties.name} goes on", True)
            return
        with self._lock:
            self._opening = False
            late = self._stop.is_set() or self._wanted != choice
            if not late:
                before, self._opened = self._opened, (choice, source)
        if late:
            source.close()
        elif before is not None:
            before[1].close()

    def _take_over(self) -> bool:
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is None:
            return False
        assert self._reader is not None
        self._reader.slot.cancel()
        self.choice, source = opened
        self._properties = replace(self._properties, name=source.properties.name, stem=source.properties.stem)
        self._reader = _Reader(source)
        self._tell(f"now from {source.properties.name}", False)
        return True

    def _look_again(self, lost_s: float) -> float:
        """Asks for the lost source every RETRY_S. Returns when that was done last."""
        self._stop.wait(LOOK_UP_S)
        now = self._clock()
        if now - lost_s < RETRY_S or self._opening:
            return lost_s
        self.choose(self.choice, quiet=True)
        return now

    def _rising(self, frame: Frame, cut: bool) -> int:
        """Microseconds; behind a change they go on from the last frame, one frame's time later."""
        time_us = round(frame.pts * frame.time_base / MICROSECOND)
        if self._last_us is not None and (cut or time_us + self._offset_us <= self._last_us):
            self._offset_us = self._last_us + round(1_000_000 / self._properties.rate) - time_us
        self._last_us = time_us + self._offset_us
        return self._last_us


class _Reader:
    """Reads a source on a thread of its own, which also closes it: it may wait for a picture for long."""

    def __init__(self, source: Source):
        self.slot: LatestSlot[Frame] = LatestSlot()
        self._source = source
        self._thread = threading.Thread(target=self._read, name="read source", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self.slot.cancel()
        self._thread.join(JOIN_S)

    def _read(self) -> None:
        try:
            for frame in self._source.frames():
                self.slot.put(frame)
            self.slot.close()
        except Closed:
            pass
        except BaseException as error:
            self.slot.fail(error)
        finally:
            try:
                self._source.close()
            except Exception:
                logger.debug("a source could not be closed", exc_info=True)
