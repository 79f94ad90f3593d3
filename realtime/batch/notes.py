"""Warnings about a file, kept with it: many processes that print at once cannot be read."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

ROOMS = ("realtime", "engines", "shaders")


@contextmanager
def noted(limit: int = 20) -> Iterator[list[str]]:
    """The first `limit` warnings that are logged in the body, and not printed."""
    notes: list[str] = []
    handler = _Notes(notes, limit)
    rooms = [logging.getLogger(name) for name in ROOMS]
    before = [(room.handlers, room.propagate) for room in rooms]
    for room in rooms:
        room.handlers, room.propagate = [handler], False
    try:
        yield notes
    finally:
        for room, (handlers, propagate) in zip(rooms, before, strict=True):
            room.handlers, room.propagate = handlers, propagate


class _Notes(logging.Handler):
    def __init__(self, notes: list[str], limit: int):
        super().__init__(logging.WARNING)
        self._notes, self._limit = notes, limit

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._notes) < self._limit:
            self._notes.append(record.getMessage())
