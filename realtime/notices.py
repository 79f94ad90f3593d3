"""What the program tells a person at the window: the newest words, for as long as they take to read."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from realtime.meter import Clock

logger = logging.getLogger(__name__)

NEWS_S, BAD_NEWS_S = 4.0, 12.0


@dataclass(frozen=True, slots=True)
class Notice:
    text: str
    bad: bool
    until_s: float


class Notices:
    """Told from any thread; the terminal gets the same words."""

    def __init__(self, clock: Clock = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._notice: Notice | None = None

    def tell(self, text: str, bad: bool = False) -> None:
        """Bad news is not covered by good news before it was seen."""
        logger.log(logging.WARNING if bad else logging.INFO, "%s", text)
        notice = Notice(text, bad, self._clock() + (BAD_NEWS_S if bad else NEWS_S))
        with self._lock:
            if bad or not (self._current() and self._notice and self._notice.bad):
                self._notice = notice

    @property
    def current(self) -> Notice | None:
        with self._lock:
            return self._current()

    def dismiss(self) -> None:
        with self._lock:
            self._notice = None

    def _current(self) -> Notice | None:
        return self._notice if self._notice is not None and self._clock() < self._notice.until_s else None
