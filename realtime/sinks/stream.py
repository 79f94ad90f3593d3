"""Pictures as a live stream: H.264 over UDP, RTP, TCP or RTMP, or Matroska on a pipe, with as little delay as can be.

Times are those of the source, in 90 kHz ticks, and so are those of its sound, which is passed on as it is.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import numpy as np

from realtime.errors import SinkError, UsageError, reason
from realtime.meter import Clock
from realtime.sinks.encoder import DATAGRAM, FAILURES, TICKS, Encoder
from realtime.sinks.fitting import even, fitted
from realtime.sinks.sender import ANSWER_S, Sender
from realtime.sinks.stream_sound import stream_sound
from realtime.sources.audio import AudioTap

logger = logging.getLogger(__name__)

RETRY_S = 2.0  # between attempts to reach a receiver that has gone


@dataclass(frozen=True, slots=True)
class Protocol:
    """container: libavformat's name. query: what the URL says unless the user does. port: where the URL names none."""

    container: str
    query: str = ""
    port: int = 0


PROTOCOLS = {
    "udp": Protocol("mpegts", f"pkt_size={DATAGRAM}"),
    "rtp": Protocol("rtp_mpegts", f"pkt_size={DATAGRAM + 12}"),
    "tcp": Protocol("mpegts"),
    "rtmp": Protocol("flv", port=1935),
    "rtmps": Protocol("flv", port=443),
}


def is_stream(output: str) -> bool:
    """Whether `-o OUTPUT` means a stream: `-` or a URL. Raises UsageError for URLs that nothing is sent to."""
    if output == "-":
        return True
    scheme, separator, _ = output.partition("://")
    if not separator:
        return False
    if scheme not in PROTOCOLS:
        known = ", ".join(f"{name}://" for name in PROTOCOLS)
        raise UsageError(f"-o {output}: streams go to {known} or - (a pipe), not to {scheme}://")
    if not urlsplit(output).hostname or (urlsplit(output).port is None and not PROTOCOLS[scheme].port):
        raise UsageError(f"-o {output}: needs a host and a port, like {scheme}://127.0.0.1:5000")
    return True


class StreamChannel:
    """A `Channel` to a URL of `PROTOCOLS`, or with `-` to a pipe.

    A receiver that goes away is told of once and tried again every RETRY_S; one that never was there is an error.
    A pipe that nobody reads any more is the end. pipe: sys.stdout.buffer. answer_s: patience with a server.
    sound: a tap of the source; None for silence, as where the stream's container cannot hold it.
    """

    def __init__(
        self, url: str, rate: Fraction, pipe: BinaryIO | None = None, clock: Clock = time.monotonic,
        answer_s: float = ANSWER_S, sound: AudioTap | None = None,
    ):  # fmt: skip
        is_stream(url)
        self._url, self._rate, self._clock, self._answer_s = url, rate, clock, answer_s
        self._protocol = Protocol("matroska") if url == "-" else PROTOCOLS[urlsplit(url).scheme]
        self._pipe = (pipe or sys.stdout.buffer) if url == "-" else None
        if self._pipe is not None and self._pipe.isatty():
            raise UsageError("-o -: stdout is a terminal; send it to a player: run_live.py live -o - | ffplay -")
        self._name = "stdout" if url == "-" else url
        self._encoder: Encoder | Sender | None = None
        self._size: tuple[int, int] | None = None
        self._retry_s = 0.0
        self._offset, self._last, self._last_sound = 0, -1, -1  # ticks
        self.sound = stream_sound(sound, self._protocol.container, self._name)  # what is passed on, None: nothing
        self.connections = 0

    def send(self, picture: np.ndarray, time_s: float) -> None:
        """Raises SinkError."""
        if self._size is None:
            self._size = even((picture.shape[1], picture.shape[0]))
        pts = self._rising(time_s)
        sound = self._due_sound(time_s)
        try:
            if self._encoder is None and not self._connect():
                return
            assert self._encoder is not None
            for packet in sound:
                self._encoder.send_sound(*packet)
            self._encoder.send(fitted(picture, self._size), pts)
        except FAILURES as error:
            self._lost(error)

    def close(self) -> None:
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            try:
                for packet in self._due_sound(None):
                    encoder.send_sound(*packet)
                encoder.close()
            except FAILURES as error:
                raise SinkError(f"{self._name}: the stream's end was not taken: {reason(error)}") from error

    def _connect(self) -> bool:
        if self._clock() < self._retry_s:
            return False
        assert self._size is not None
        described = self.sound.description if self.sound is not None else None
        if self._pipe is not None:
            self._encoder = Encoder(Pipe(self._pipe), "matroska", self._size, self._rate, described)  # type: ignore[arg-type]
        else:
            self._encoder = Sender(
                self._with_query(), self._protocol.container, self._size, self._rate, self._answer_s, described
            )
        self.connections += 1
        if self.connections > 1:
            logger.info("%s: receiving again", self._name)
        elif self._pipe is None:
            logger.info("sending to %s, %dx%d", self._name, *self._size)
        return True

    def _with_query(self) -> str:
        missing = self._protocol.query
        if not missing or missing.split("=")[0] in urlsplit(self._url).query:
            return self._url
        return self._url + ("&" if urlsplit(self._url).query else "?") + missing

    def _rising(self, time_s: float) -> int:
        """Ticks of a source's time; where the source begins anew they go on behind the last picture."""
        ticks = round(time_s / TICKS)
        if self._last < 0:
            self._offset = -ticks
        elif self._offset + ticks <= self._last:
            self._offset = self._last + round(1 / self._rate / TICKS) - ticks
        self._last = self._offset + ticks
        return self._last

    def _due_sound(self, until_s: float | None) -> list[tuple[bytes, int, int]]:
        """Packets, ticks and durations; what came before the first picture, or a second time, is left out."""
        due = []
        for packet in self.sound.take(until_s) if self.sound is not None else ():
            ticks = self._offset + round(packet.time_s / TICKS)
            if ticks > self._last_sound:
                self._last_sound = ticks
                due.append((packet.data, ticks, round(packet.duration_s / TICKS)))
        return due

    def _lost(self, error: Exception) -> None:
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            encoder.abandon()
        if self._pipe is not None:
            raise SinkError("stdout: the program that was reading has gone; nothing more can be sent") from error
        if not self.connections:
            raise SinkError(f"{self._name}: cannot be sent to: {reason(error)}; is a receiver listening?") from error
        if self._retry_s == 0 or self._clock() >= self._retry_s + RETRY_S:
            why = reason(error)
            logger.warning("%s: the receiver has gone (%s); trying again every %g s", self._name, why, RETRY_S)
        self._retry_s = self._clock() + RETRY_S


class Pipe(io.RawIOBase):
    """A pipe for a muxer: no seeking, and each write is passed on whole."""

    def __init__(self, pipe: BinaryIO):
        self._descriptor = pipe.fileno()

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        total = len(rest)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        return total

    def writable(self) -> bool:
        return True
