"""Sound for a stream: the packets of one track as they are, in the stream's ticks, and what a process that sends needs.

What a container cannot hold is left out with a warning; nothing is encoded anew.
"""

from __future__ import annotations

import io
import logging
from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import av
from av.audio.stream import AudioStream

from realtime.sources.audio import AudioTap

logger = logging.getLogger(__name__)

AHEAD_S = 0.1  # sound leaves a little before its picture, so that no muxer holds the picture back for it
MOST_WAITING = 4096  # packets, about a minute and a half
_TRANSPORT = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus"})
HOLDS: dict[str, frozenset[str] | None] = {  # None: everything
    "mpegts": _TRANSPORT, "rtp_mpegts": _TRANSPORT, "flv": frozenset({"aac", "mp3"}), "matroska": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SoundPacket:
    """A compressed packet. time_s, duration_s: of the source."""

    data: bytes
    time_s: Fraction
    duration_s: Fraction


class StreamSound:
    """The first track of a tap. description: of its codec, for `add_described`."""

    def __init__(self, tap: AudioTap):
        self._tap = tap
        self._index = tap.streams[0].index
        self._waiting: deque[SoundPacket] = deque(maxlen=MOST_WAITING)
        self.description = described(tap.streams[0])

    def take(self, until_s: float | None) -> list[SoundPacket]:
        """What is due before `until_s` of the source, and `AHEAD_S` more; None: everything that has come."""
        for packet in self._tap.take():
            stamp = packet.pts if packet.pts is not None else packet.dts
            if packet.stream.index == self._index and stamp is not None and packet.time_base is not None:
                duration = (packet.duration or 0) * packet.time_base
                self._waiting.append(SoundPacket(bytes(packet), stamp * packet.time_base, duration))
        due = []
        while self._waiting and (until_s is None or self._waiting[0].time_s < until_s + AHEAD_S):
            due.append(self._waiting.popleft())
        return due


def stream_sound(tap: AudioTap | None, container: str, name: str) -> StreamSound | None:
    """The sound of `tap` for a stream called `name`; None where there is none, or none that `container` can hold."""
    if tap is None:
        return None
    codec, known = tap.streams[0].codec_context.name, HOLDS[container]
    if known is not None and codec not in known:
        able = ", ".join(sorted(known))
        logger.warning("%s: the sound is left out: %s is not among %s", name, codec, able)
        tap.close()
        return None
    return StreamSound(tap)


def described(stream: AudioStream) -> bytes:
    """The codec of a stream and what its decoder must know, as a file without sound."""
    file = io.BytesIO()
    with av.open(file, "w", format="nut") as container:
        copy = container.add_stream_from_template(stream)
        packet = av.Packet(b"\0")  # a file without any packet is none
        packet.stream, packet.pts, packet.dts, packet.time_base = copy, 0, 0, Fraction(1, 1000)
        container.mux(packet)
    return file.getvalue()


def add_described(container: av.container.OutputContainer, description: bytes) -> AudioStream:
    """A stream of `container` for packets of the codec that `described` wrote down."""
    with av.open(io.BytesIO(description), format="nut") as file:
        stream = container.add_stream_from_template(file.streams.audio[0])
    assert isinstance(stream, AudioStream)
    return stream
