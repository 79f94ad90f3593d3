"""How far the tasks on a cluster are. Imports nothing: its process starts at once."""

from __future__ import annotations


class Counter:
    """An actor that knows how far the running tasks are. {number of the task: frames}"""

    def __init__(self) -> None:
        self._frames: dict[int, int] = {}
        self._attempts: dict[int, int] = {}

    def begin(self, number: int) -> int:
        """How often the task has begun, this time included."""
        self._attempts[number] = self._attempts.get(number, 0) + 1
        self._frames[number] = 0
        return self._attempts[number]

    def tell(self, number: int, frames: int) -> None:
        self._frames[number] = frames

    def end(self, number: int) -> None:
        self._frames.pop(number, None)
        self._attempts.pop(number, None)

    def told(self) -> dict[int, int]:
        return dict(self._frames)
