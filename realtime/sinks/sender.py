"""Encodes and sends a stream in a process of its own (`python -m realtime.sinks.sender`).

FFmpeg holds Python's lock while it connects: a server that never answers would stop the whole program.
Towards the process, big-endian, times in 90 kHz ticks: the length of the sound's description (4 bytes, 0 without) and
it; then again and again a picture (kind 0, 8 bytes of pts, the planes of yuv420p) or a packet of sound (kind 1, 8 bytes
of pts, 4 of duration, 4 of length, the packet).
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
PICTURE, SOUND = struct.Struct(">Bq"), struct.Struct(">BqII")


class Sender:
    """The process, as an `Encoder`. Raises OSError with the process's own words."""

    def __init__(
        self, url: str, container: str, size: tuple[int, int], rate: Fraction, answer_s: float = ANSWER_S,
        sound: bytes | None = None,
    ):  # fmt: skip
        words = [url, container, *map(str, size), str(rate)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        self._answer_s, self._late = answer_s, False
        assert self._process.stdin is not None and self._process.stdout is not None
        self._pipe: BinaryIO = self._process.stdin  # type: ignore[assignment]
        description, answer = sound or b"", b""
        with self._deadline(), suppress(OSError):
            self._write(struct.pack(">I", len(description)), description)
            answer = self._process.stdout.readline()
        if answer != READY:
            raise self._ended()

    def send(self, picture: np.ndarray, pts: int) -> None:
        planes = av.VideoFrame.from_ndarray(picture, format="rgb24").to_ndarray(format="yuv420p")
        self._say(PICTURE.pack(0, pts), planes.tobytes())

    def send_sound(self, data: bytes, pts: int, duration: int) -> None:
        self._say(SOUND.pack(1, pts, duration, len(data)), data)

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

    def _say(self, *parts: bytes) -> None:
        try:
            with self._deadline():
                self._write(*parts)
        except OSError:
            raise self._ended() from None

    def _write(self, *parts: bytes) -> None:
        for part in parts:
            self._pipe.write(part)
        self._pipe.flush()

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
        (length,) = struct.unpack(">I", sys.stdin.buffer.read(4))
        encoder = Encoder(url, container, size, Fraction(rate), sys.stdin.buffer.read(length))
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        while _pass_on(sys.stdin.buffer, size, encoder):
            pass
        encoder.close()
    except FAILURES as error:
        print(reason(error), file=sys.stderr)
        return 1
    return 0


def _pass_on(pipe: BinaryIO, size: tuple[int, int], encoder: Encoder) -> bool:
    """One message to the encoder; False at the end."""
    kind = pipe.read(1)
    if kind == b"\0":
        (pts,), (width, height) = _read(pipe, ">q"), size
        planes = pipe.read(width * height * 3 // 2)
        if len(planes) == width * height * 3 // 2:
            encoder.send_planes(np.frombuffer(planes, np.uint8).reshape(-1, width), pts)
    elif kind == b"\1":
        pts, duration, length = _read(pipe, ">qII")
        encoder.send_sound(pipe.read(length), pts, duration)
    return bool(kind)


def _read(pipe: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(form, pipe.read(struct.calcsize(form)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
