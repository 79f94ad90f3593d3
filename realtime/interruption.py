"""Ctrl-C that cannot be lost: noted from the first line of the program on, whatever swallows its KeyboardInterrupt.

Python raises KeyboardInterrupt wherever the main thread happens to be. In a callback from C, in what a weak reference
calls when it ends (every import has some) or in a module that tries what it imports, it is dropped there.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """The handler of Ctrl-C and SIGTERM: raises KeyboardInterrupt, as Python's own does, and remembers that it did."""

    def __init__(self) -> None:
        self.noted = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.noted = True
        raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Notes interruptions while inside; the same ones as around it where that is done already."""
    present = signal.getsignal(signal.SIGINT)
    if isinstance(present, Interruption):
        yield present
        return
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():  # others hear no signals
        yield interruption
        return
    before = {number: signal.signal(number, interruption) for number in SIGNALS}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def interrupted() -> bool:
    """Whether Ctrl-C or SIGTERM has come since the program began, whatever became of its KeyboardInterrupt."""
    present = signal.getsignal(signal.SIGINT)
    return isinstance(present, Interruption) and present.noted


def check() -> None:
    """Raises KeyboardInterrupt again where something has swallowed it."""
    if interrupted():
        raise KeyboardInterrupt
