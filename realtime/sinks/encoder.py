"""Pictures of one size into a container that is read while it is written: every one leaves at once."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Any, BinaryIO

import av
import numpy as np

from realtime.sinks.stream_sound import add_described

TICKS = Fraction(1, 90000)
DATAGRAM = 1316  # bytes: seven transport packets, what fits into one Ethernet frame
H264 = {"preset": "superfast", "tune": "zerolatency", "crf": "21", "maxrate": "8M", "bufsize": "2M"}
MUXER = {"flush_packets": "1", "max_delay": "0", "max_interleave_delta": "200000"}  # microseconds to wait for sound
FAILURES = (av.FFmpegError, OSError)


class Encoder:
    """H.264; in Matroska, for pipes on this machine, raw pictures, which cost neither time nor quality.

    target: a URL or a binary file. container: libavformat's name. size: (width, height), even. pts: 90 kHz ticks.
    sound: what `stream_sound.described` says of its track; None without.
    Raises av.FFmpegError, OSError.
    """

    def __init__(
        self, target: str | BinaryIO, container: str, size: tuple[int, int], rate: Fraction, sound: bytes | None = None
    ):
        options = MUXER | ({"flvflags": "no_duration_filesize"} if container == "flv" else {})
        self._container = av.open(target, "w", format=container, options=options, buffer_size=DATAGRAM)
        raw = container == "matroska"
        self._stream: Any = self._container.add_stream("rawvideo" if raw else "libx264", rate=rate)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = TICKS
        if not raw:
            self._stream.codec_context.options = H264
            self._stream.codec_context.thread_count = 1
            self._stream.codec_context.gop_size = max(1, round(rate))  # a late receiver sees a picture within a second
            self._stream.codec_context.max_b_frames = 0
        self._sound = add_described(self._container, sound) if sound else None
        self._container.start_encoding()

    def send(self, picture: np.ndarray, pts: int) -> None:
        """(H, W, 3) uint8 RGB."""
        self._encode(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p"), pts)

    def send_planes(self, planes: np.ndarray, pts: int) -> None:
        """(3 H / 2, W) uint8, yuv420p."""
        self._encode(av.VideoFrame.from_ndarray(planes, format="yuv420p"), pts)

    def send_sound(self, data: bytes, pts: int, duration: int) -> None:
        """A compressed packet of the sound's track. pts, duration: 90 kHz ticks."""
        assert self._sound is not None
        packet = av.Packet(data)
        packet.stream, packet.time_base = self._sound, TICKS
        packet.pts = packet.dts = pts
        packet.duration, packet.is_keyframe = duration, True
        self._container.mux(packet)

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Behind a failure: whatever else fails has been told already."""
        with suppress(*FAILURES):
            self._container.close()

    def _encode(self, frame: av.VideoFrame, pts: int) -> None:
        frame.pts, frame.time_base = pts, TICKS
        self._container.mux(self._stream.encode(frame))
