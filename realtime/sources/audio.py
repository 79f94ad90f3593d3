"""Sound on its way past the networks: compressed packets, handed from a source to a sink as they are."""

from __future__ import annotations

import threading
from collections import deque

import av
from av.audio.stream import AudioStream


class AudioTap:
    """A queue of one sink's own copies of the audio packets. The source's thread fills it, the sink's empties it.

    streams: the source's audio streams, templates for the output's. Valid until the source is closed.
    """

    def __init__(self, streams: tuple[AudioStream, ...]):
        self.streams = streams
        self._packets: deque[av.Packet] = deque()
        self._lock = threading.Lock()
        self._closed = False

    def put(self, packet: av.Packet) -> None:
        copied = copy_packet(packet)
        with self._lock:
            if not self._closed:
                self._packets.append(copied)

    def take(self) -> list[av.Packet]:
        """Everything that has come since the last call, in the order of the file."""
        with self._lock:
            packets = list(self._packets)
            self._packets.clear()
        return packets

    def close(self) -> None:
        """Nobody takes any more: nothing is kept."""
        with self._lock:
            self._closed = True
            self._packets.clear()


def copy_packet(packet: av.Packet) -> av.Packet:
    """The same bytes, times, flags and side data, in memory of its own (a muxer changes what it is given)."""
    copied = av.Packet(bytes(packet))
    copied.time_base = packet.time_base
    copied.pts, copied.dts, copied.duration = packet.pts, packet.dts, packet.duration
    copied.is_keyframe = packet.is_keyframe
    copied.stream = packet.stream
    for side in packet.iter_sidedata():
        copied.set_sidedata(side)
    return copied
