"""A recorded source played at its own speed, as if it were a camera."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from realtime.frame import Frame
from realtime.meter import Clock
from realtime.sources.audio import AudioTap
from realtime.sources.base import Properties, Source


class Paced:
    """Holds each frame of `source` back until its time has come; whoever is too slow misses frames."""

    def __init__(
        self, source: Source, clock: Clock = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ):
        self._source = source
        self._clock = clock
        self._sleep = sleep

    @property
    def properties(self) -> Properties:
        return replace(self._source.properties, live=True)

    def frames(self) -> Iterator[Frame]:
        start: float | None = None
        for frame in self._source.frames():
            start = self._clock() - frame.time_s if start is None else start
            wait = start + frame.time_s - self._clock()
            if wait > 0:
                self._sleep(wait)
            yield frame

    def tap_audio(self) -> AudioTap | None:
        return self._source.tap_audio()

    def file_name(self, index: int) -> str:
        return self._source.file_name(index)

    def close(self) -> None:
        self._source.close()
