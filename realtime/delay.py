"""A constant time from capture to output, so that sound which is delayed by the same number stays with the picture.

Seconds on the loop's clock.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

LONGEST_S = 2.0  # of delay: pictures wait in memory, 60 of them at 30 fps


class DelayLine(Generic[T]):
    """Items that come out `delay_s` after their capture, in their order; one that took longer comes out at once.

    Not safe for several threads.
    """

    def __init__(self, delay_s: float = 0.0):
        if not 0 <= delay_s <= LONGEST_S:
            raise ValueError(f"a delay is 0 to {LONGEST_S:g} s, not {delay_s:g}")
        self._delay_s = delay_s
        self._waiting: deque[tuple[float, T]] = deque()

    def put(self, captured_s: float, item: T) -> None:
        self._waiting.append((captured_s + self._delay_s, item))

    def take(self, now_s: float) -> list[T]:
        """All that are due, the oldest first. None overtakes another: a late one holds those behind it back."""
        due = []
        while self._waiting and self._waiting[0][0] <= now_s:
            due.append(self._waiting.popleft()[1])
        return due

    def take_all(self) -> list[T]:
        """All that wait, due or not: at the end."""
        rest = [item for _, item in self._waiting]
        self._waiting.clear()
        return rest

    def wait_s(self, now_s: float) -> float | None:
        """Until the next one is due, 0 where it is; None where nothing waits."""
        return max(0.0, self._waiting[0][0] - now_s) if self._waiting else None

    def __len__(self) -> int:
        return len(self._waiting)
