"""How one thread hands pictures to the next.

Live input: `LatestSlot` keeps only the newest (latency bounded). Files: `OrderedQueue` drops nothing (memory bounded).
Either ends in one of three ways: `close` (the end: what is inside is still handed out), `fail` (an error takes the
place of the end) or `cancel` (the reader has gone: what is inside is dropped and the writer is told).
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """Nothing more will come out of, or may go into, this handover."""


class OrderedQueue(Generic[T]):
    """First in, first out, at most `depth` items: `put` waits for room, so nothing is dropped."""

    def __init__(self, depth: int):
        if depth < 1:
            raise ValueError(f"a queue needs room for one item at least, not {depth}")
        self._items: deque[T] = deque()
        self._depth = depth
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None
        self.dropped = 0

    def put(self, item: T) -> None:
        """Waits for room. Raises Closed after `close`, `fail` or `cancel`."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room())
            if self._closed:
                raise Closed
            self._items.append(item)
            self._changed.notify_all()

    def get(self, timeout_s: float | None = None) -> T:
        """The oldest item. Raises Closed at the end, the error given to `fail`, TimeoutError after `timeout_s`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._items or self._closed, timeout_s):
                raise TimeoutError
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            if self._error is not None:
                raise self._error
            raise Closed

    def close(self) -> None:
        """The writer has no more; the reader still gets what is inside."""
        self._end(None, drop=False)

    def fail(self, error: BaseException) -> None:
        """Like `close`, but behind the last item the reader meets `error`."""
        self._end(error, drop=False)

    def cancel(self) -> None:
        """The reader wants no more: items are dropped, the writer's `put` raises Closed."""
        self._end(None, drop=True)

    def __len__(self) -> int:
        return len(self._items)

    def _has_room(self) -> bool:
        return len(self._items) < self._depth

    def _end(self, error: BaseException | None, drop: bool) -> None:
        with self._changed:
            if drop:
                self._items.clear()
            if not self._closed:
                self._closed, self._error = True, error
            self._changed.notify_all()


class LatestSlot(OrderedQueue[T]):
    """Room for one item: `put` never waits, a newer item replaces one that nobody took (counted in `dropped`)."""

    def __init__(self) -> None:
        super().__init__(depth=1)

    def _has_room(self) -> bool:
        if self._items and not self._closed:
            self._items.popleft()
            self.dropped += 1
        return True
