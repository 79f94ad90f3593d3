"""How long things take: medians and 95th percentiles per stage, the rate of finished frames, their latency.

Seconds everywhere. The clock is a parameter; memory is bounded (the newest `window` values of each name).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile of `count` durations, seconds."""

    count: int
    median_s: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class Timing:
    """What a run took. fps is (frames - 1) / (last - first finished frame), 0 with fewer than two frames.

    interval: between finished frames. latency: from a frame's capture to its end. stages: in order of first use.
    """

    frames: int
    fps: float
    interval: Spread
    latency: Spread
    stages: dict[str, Spread]


class Meter:
    """Collects durations from any thread. window: how many of the newest values each spread is taken over."""

    def __init__(self, clock: Clock, window: int = 8192):
        self.clock = clock
        self._window = window
        self._lock = threading.Lock()
        self._stages: dict[str, deque[float]] = {}
        self._latencies: deque[float] = deque(maxlen=window)
        self._intervals: deque[float] = deque(maxlen=window)
        self._first_s = self._last_s = 0.0
        self._frames = 0

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Times the body; a body that raises is not counted."""
        start = self.clock()
        yield
        self.record(stage, self.clock() - start)

    def record(self, stage: str, seconds: float) -> None:
        with self._lock:
            self._stages.setdefault(stage, deque(maxlen=self._window)).append(seconds)

    def finish_frame(self, captured_s: float) -> None:
        """A frame captured at `captured_s` on our clock has passed its last stage now."""
        with self._lock:
            now = self.clock()
            if self._frames == 0:
                self._first_s = now
            else:
                self._intervals.append(now - self._last_s)
            self._latencies.append(now - captured_s)
            self._last_s = now
            self._frames += 1

    @property
    def frames(self) -> int:
        return self._frames

    def timing(self) -> Timing:
        """Over the whole run for frames and fps, over the newest `window` values for the spreads."""
        with self._lock:
            elapsed = self._last_s - self._first_s
            return Timing(
                frames=self._frames,
                fps=(self._frames - 1) / elapsed if self._frames > 1 and elapsed > 0 else 0.0,
                interval=_spread(self._intervals),
                latency=_spread(self._latencies),
                stages={name: _spread(values) for name, values in self._stages.items()},
            )


def _spread(values: deque[float]) -> Spread:
    if not values:
        return Spread(0, 0.0, 0.0)
    median, p95 = np.percentile(np.fromiter(values, float, len(values)), [50, 95])
    return Spread(len(values), float(median), float(p95))
