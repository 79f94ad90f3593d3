"""The live loop: capture -> infer -> render, a thread each, order kept, every end a clean one.

The caller's thread (main, where the GL context and the window live) renders and feeds the sinks.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from realtime.errors import Interrupted
from realtime.frame import Faces, Frame
from realtime.handover import Closed, LatestSlot, OrderedQueue
from realtime.interruption import interrupted
from realtime.meter import Clock, Meter, Timing
from realtime.sinks.base import Shot, Sink
from realtime.sources.base import Source
from realtime.workers import Group, Item, Workers

logger = logging.getLogger(__name__)

Render = Callable[[Frame, Faces], np.ndarray]
POLL_S = 0.05  # how often the main thread looks up while it waits, so that Ctrl-C is heard
JOIN_S = 2.0  # a thread that waits for a camera may not end sooner; it is left behind then


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did.

    frames_with_faces: 0 means that nobody was found. dropped: live frames that were too old. stopped: ended by `stop`.
    """

    timing: Timing
    frames: int
    frames_with_faces: int
    dropped: int
    stopped: bool


class Loop:
    """source: read on its own thread, and closed. groups: one thread (or `workers`) each, in this order.

    render: draws the view of a frame, on the calling thread. sinks: written in order, all closed whatever happens.
    depth: frames waiting before each group of a recorded source; live ones wait nowhere. limit: frames to end after.
    idle: called on the calling thread whenever no frame is ready, every `poll_s` (a window's events).
    """

    def __init__(
        self,
        source: Source,
        groups: Sequence[Group],
        sinks: Sequence[Sink],
        *,
        render: Render | None = None,
        idle: Callable[[], None] | None = None,
        depth: int = 2,
        limit: int | None = None,
        poll_s: float = POLL_S,
        clock: Clock = time.perf_counter,
    ):
        self.meter = Meter(clock)
        self._source = source
        self._sinks = tuple(sinks)
        self._render = render
        self._idle = idle
        self._limit = limit
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._signal: int | None = None
        self._with_faces = 0
        live = source.properties.live
        self._slot: OrderedQueue[Item] = LatestSlot() if live else OrderedQueue(depth)
        self._output, self._workers = self._chain(groups, 1 if live else depth)
        self._capture = threading.Thread(target=self._capture_frames, name="capture", daemon=True)

    @property
    def dropped(self) -> int:
        """Live frames that were too old to be worked on, until now."""
        return self._slot.dropped

    def stop(self) -> None:
        """From any thread: end soon, in good order. Frames on their way are dropped."""
        self._stop.set()

    def run(self) -> Report:
        """Until the source ends, `limit`, or `stop`. Called once.

        Raises the first error of any thread, or Interrupted on Ctrl-C, after everything was closed.
        """
        with self._signals():
            try:
                for thread in (self._capture, *(worker for group in self._workers for worker in group.threads)):
                    thread.start()
                self._consume()
                stopped = self._stop.is_set()
            except BaseException as error:
                self._finish(error)
                raise
            self._finish(None)
        if self._signal is not None:
            raise Interrupted(f"interrupted after {self.meter.frames} frames")
        return Report(
            timing=self.meter.timing(),
            frames=self.meter.frames,
            frames_with_faces=self._with_faces,
            dropped=self._slot.dropped,
            stopped=stopped,
        )

    # --- capture thread --------------------------------------------------------------------------------------------

    def _capture_frames(self) -> None:
        try:
            frames = self._source.frames()
            count = 0
            most = None if self._source.properties.live else self._limit  # of live frames some are dropped
            while count != most and not self._stop.is_set():
                start = self.meter.clock()
                frame = next(frames, None)
                if frame is None:
                    break
                captured = self.meter.clock()
                self.meter.record("capture", captured - start)
                frame.image.flags.writeable = False  # stages and sinks share it
                self._slot.put(Item(frame, frame, (), captured))
                count += 1
            self._slot.close()
        except Closed:
            pass
        except BaseException as error:
            self._slot.fail(error)

    # --- the caller's thread ---------------------------------------------------------------------------------------

    def _consume(self) -> None:
        while not self._stop.is_set():
            try:
                item = self._output.get(self._poll_s)
            except TimeoutError:
                if self._idle is not None:
                    self._idle()
                continue
            except Closed:
                return
            self._deliver(item)
            if self.meter.frames == self._limit:
                return

    def _deliver(self, item: Item) -> None:
        timings = dict(item.timings_s)
        rendered = None
        if self._render is not None:
            with self._timed("render", timings):
                rendered = self._render(item.frame, item.faces)
        shot = Shot(item.original, item.frame, item.faces, rendered, timings, item.captured_s)
        with self._timed("sinks", timings):
            for sink in self._sinks:
                sink.write(shot)
        self._with_faces += bool(item.faces)
        self.meter.finish_frame(item.captured_s)

    @contextmanager
    def _timed(self, name: str, timings: dict[str, float]) -> Iterator[None]:
        start = self.meter.clock()
        yield
        timings[name] = self.meter.clock() - start
        self.meter.record(name, timings[name])

    # --- the end ---------------------------------------------------------------------------------------------------

    def _finish(self, error: BaseException | None) -> None:
        """Stops the threads, closes sinks and source. Raises the first closing error if there was none before."""
        self._stop.set()
        self._slot.cancel()
        for group in self._workers:
            group.cancel()
        self._output.cancel()
        problems = [problem for sink in self._sinks if (problem := _closing_error(sink.close)) is not None]
        threads = [thread for group in self._workers for thread in group.threads] + [self._capture]
        for thread in threads:
            if thread.ident is not None:
                thread.join(JOIN_S)
        if not self._capture.is_alive():  # a source may not be closed under its reader
            problems += [problem] if (problem := _closing_error(self._source.close)) is not None else []
        for problem in problems if error is not None else problems[1:]:
            logger.error("%s", problem)
        if problems and error is None:
            raise problems[0]

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """The first Ctrl-C or SIGTERM ends the run in good order, a second one at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def note(number: int, _: object) -> None:
            self._signal = number
            self._stop.set()
            for one, handler in before.items():
                signal.signal(one, handler)

        earlier = interrupted()
        for number in before:
            signal.signal(number, note)
        if earlier:
            note(signal.SIGINT, None)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _chain(self, groups: Sequence[Group], depth: int) -> tuple[OrderedQueue[Item], tuple[Workers, ...]]:
        """The groups' workers, each between two queues; returns the last queue and the workers."""
        queue = self._slot
        workers = []
        for group in groups:
            following: OrderedQueue[Item] = OrderedQueue(depth)
            workers.append(Workers(group, queue, following, self.meter))
            queue = following
        return queue, tuple(workers)


def _closing_error(close: Callable[[], None]) -> Exception | None:
    try:
        close()
    except Exception as problem:
        return problem
    return None
