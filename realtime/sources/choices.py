"""What can be chosen as a source while the program runs: cameras by name, the test person, what the run began with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from realtime.errors import NakedeyeError
from realtime.meter import Clock
from realtime.sources.cameras import Camera, list_cameras

FRESH_S = 3.0  # a list of cameras is asked for again after this


class SourceChoices:
    """Pairs (what `-i` takes, what a person reads). Listing may take seconds: it happens on a thread of its own."""

    def __init__(
        self, first: tuple[str, str], cameras: Callable[[], Sequence[Camera]] = list_cameras,
        clock: Clock = time.monotonic,
    ):  # fmt: skip
        self._first, self._cameras, self._clock = first, cameras, clock
        self._found: tuple[tuple[str, str], ...] = ()
        self._asked_s: float | None = None

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        pairs = dict([*self._found, ("pattern", "Test person")])
        pairs.setdefault(*self._first)
        return tuple(pairs.items())

    def refresh(self) -> None:
        """Returns at once; `choices` changes when the answer is there."""
        now = self._clock()
        if self._asked_s is None or now - self._asked_s > FRESH_S:
            self._asked_s = now
            threading.Thread(target=self._list, name="list cameras", daemon=True).start()

    def _list(self) -> None:
        try:
            self._found = tuple((str(camera.number), f"{camera.name} ({camera.number})") for camera in self._cameras())
        except (NakedeyeError, OSError):
            self._found = ()
