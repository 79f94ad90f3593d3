"""Pictures that leave the program while it runs: on a thread of their own, so that a slow receiver slows nobody."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Protocol

import numpy as np

from realtime.delay import DelayLine
from realtime.errors import NakedeyeError
from realtime.meter import Clock
from realtime.sinks.base import Shot
from realtime.sinks.views import View, rendered

logger = logging.getLogger(__name__)

MOST_WAITING = 4  # due pictures; where the receiver is slower than that the older ones are left out
END_S = 5.0  # for the last pictures to leave; a receiver that takes none is left behind then


class Channel(Protocol):
    """Where pictures go; used and closed on one thread.

    `send` takes (H, W, 3) uint8 RGB and its time in seconds; both raise NakedeyeError.
    """

    def send(self, picture: np.ndarray, time_s: float) -> None: ...

    def close(self) -> None: ...


class Outgoing:
    """A sink that hands every picture to a channel `delay_s` after its capture.

    clock: the loop's. view: which picture of a shot. target: what a person calls the receiver.
    An error of the channel is raised by the next `write`.
    """

    def __init__(
        self, channel: Channel, delay_s: float = 0.0, view: View = rendered, clock: Clock = time.perf_counter,
        target: str = "",
    ):  # fmt: skip
        self._channel, self._view, self._clock = channel, view, clock
        self._line: DelayLine[tuple[np.ndarray, float]] = DelayLine(delay_s)
        self._changed = threading.Condition()
        self.target = target
        self._ending = False
        self._error: NakedeyeError | None = None
        self.sent = self.dropped = 0
        self.paths: tuple[Path, ...] = ()
        self._thread = threading.Thread(target=self._send_all, name="outgoing", daemon=True)
        self._thread.start()

    def write(self, shot: Shot) -> None:
        """Never waits for the receiver."""
        with self._changed:
            if self._error is not None:
                raise self._error
            self._line.put(shot.captured_s, (self._view(shot), shot.original.time_s))
            self._changed.notify()

    def close(self) -> None:
        """What still waits leaves at once. Raises the channel's error unless `write` has."""
        with self._changed:
            known = self._error
            self._ending = True
            self._changed.notify()
        self._thread.join(END_S)
        if self._error is not None and known is None:
            raise self._error

    def _send_all(self) -> None:
        try:
            while (due := self._next_due()) is not None:
                self.dropped += max(0, len(due) - MOST_WAITING)
                for picture, time_s in due[-MOST_WAITING:]:
                    self._channel.send(picture, time_s)
                    self.sent += 1
        except Exception as error:
            self._fail(error)
        try:
            self._channel.close()
        except Exception as error:
            self._fail(error)

    def _next_due(self) -> list[tuple[np.ndarray, float]] | None:
        """Waits until something is due; None at the end."""
        with self._changed:
            while True:
                if self._ending:
                    return self._line.take_all() or None
                due = self._line.take(self._clock())
                if due:
                    return due
                self._changed.wait(self._line.wait_s(self._clock()))

    def _fail(self, error: Exception) -> None:
        logger.debug("outgoing pictures ended", exc_info=error)
        if not isinstance(error, NakedeyeError):
            error = NakedeyeError(f"sending pictures failed: {type(error).__name__}: {error}")
        self._error = self._error or error
