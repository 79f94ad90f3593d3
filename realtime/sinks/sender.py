"""Encodes and sends a stream in a process of its own (`python -m realtime.sinks.sender`).

FFmpeg holds Python's lock while it connects: a server that never answers would stop the whole program.
Towards the process: 8 bytes of pts (big-endian, 90 kHz ticks) and the planes of a yuv420p picture, again and again.
"""

from __future__ import annotations

import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import BinaryIO

import av
import numpy as np

from realtime.errors import reason
from realtime.sinks.encoder import FAILURES, Encoder

ANSWER_S = 10.0  # within which a receiver must answer, and take a picture
READY = b"sending\n"


class Sender:
    """The process, as an `Encoder`. Raises OSError with the process's own words."""

    def __init__(self, url: str, container: str, size: tuple[int, int], rate: Fraction, answer_s: float = ANSWER_S):
        words = [url, container, *map(str, size), str(rate)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        self._answer_s, self._late = answer_s, False
        assert self._process.stdin is not None and self._process.stdout is not None
        self._pipe: BinaryIO = self._process.stdin  # type: ignore[assignment]
        with self._deadline():
            answer = self._process.stdout.readline()
        if answer != READY:
            raise self._ended()

    def send(self, picture: np.ndarray, pts: int) -> None:
        planes = av.VideoFrame.from_ndarray(picture, format="rgb24").to_ndarray(format="yuv420p")
        try:
            with self._deadline():
                self._pipe.write(struct.pack(">q", pts))
                self._pipe.write(planes.tobytes())
                self._pipe.flush()
        except OSError:
            raise self._ended() from None

    def close(self) -> None:
        with self._deadline():
            with suppress(OSError):
                self._pipe.close()
            failed = self._process.wait() != 0
        if failed:
            raise self._ended()
        self._close_pipes()

    def abandon(self) -> None:
        self._process.kill()
        self._process.wait()
        self._close_pipes()

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        def end() -> None:
            self._late = True
            self._process.kill()

        timer = threading.Timer(self._answer_s, end)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _ended(self) -> OSError:
        """What the process said of its end."""
        assert self._process.stderr is not None
        with suppress(OSError):
            self._pipe.close()
        said = self._process.stderr.read().decode(errors="replace").strip().splitlines()
        self._process.wait()
        self._close_pipes()
        if self._late:
            return TimeoutError(f"no answer within {self._answer_s:g} s")
        return OSError(said[-1] if said else f"the sending process ended ({self._process.returncode})")

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()


def main(arguments: list[str]) -> int:
    """Until the pipe ends. Ctrl-C is for the program, which then closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    url, container, width, height, rate = arguments
    size = (int(width), int(height))
    try:
        encoder = Encoder(url, container, size, Fraction(rate))
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        for pts, planes in _pictures(sys.stdin.buffer, size):
            encoder.send_planes(planes, pts)
        encoder.close()
    except FAILURES as error:
        print(reason(error), file=sys.stderr)
        return 1
    return 0


def _pictures(pipe: BinaryIO, size: tuple[int, int]) -> Iterator[tuple[int, np.ndarray]]:
    """(pts, (3 H / 2, W) uint8 planes)."""
    width, height = size
    length = 8 + width * height * 3 // 2
    while len(message := pipe.read(length)) == length:
        yield struct.unpack(">q", message[:8])[0], np.frombuffer(message, np.uint8, offset=8).reshape(-1, width)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
