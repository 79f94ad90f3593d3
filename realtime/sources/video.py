"""Video from files, pipes and URLs, through PyAV: every frame with its own time, damaged stretches stepped over."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import PurePath
from typing import Any, BinaryIO

import av
import numpy as np
from av.stream import Disposition

from realtime.errors import SourceError, reason
from realtime.frame import Frame
from realtime.sources.audio import AudioTap
from realtime.sources.base import Colour, Properties, Silent
from realtime.sources.orientation import display_matrix, turn_upright

logger = logging.getLogger(__name__)

MOST_FAILURES = 1000  # in a row, before the rest of a file is given up
LONGEST_GAP_S = 0.3  # between pictures, before we say so
URL_TIMEOUTS_S = (15.0, 15.0)  # opening, reading
LIVE_SCHEMES = ("rtsp", "rtsps", "rtp", "udp", "rtmp", "rtmps", "srt")


class VideoSource(Silent):
    """The first video stream of a container.

    file: a path, a URL or an open binary file (a pipe). name: what to call it in messages.
    Raises SourceError when there is no picture to be had at all.
    """

    def __init__(self, file: str | BinaryIO, name: str | None = None, threads: int = 1):
        self._name = name or str(file)
        scheme = file.partition("://")[0].lower() if isinstance(file, str) and "://" in file else ""
        self._container = _open(file, self._name, URL_TIMEOUTS_S if scheme else None)
        try:
            self._stream = self._find_stream()
            self._stream.codec_context.thread_count = threads
            self._audio = tuple(self._container.streams.audio)
            self._started = False
            self._early_audio: list[av.Packet] = []  # read while looking for the first picture
            self._taps: list[AudioTap] = []
            self._time = _Timeline(self._stream)
            self._pictures = self._decode()
            self._first = next(self._pictures, None)
            if self._first is None:
                raise SourceError(f"{self._name}: no picture can be decoded: the file is empty, cut short or damaged")
            self._properties = self._read_properties(self._first, scheme)
        except BaseException:
            self._container.close()
            raise

    @property
    def properties(self) -> Properties:
        return self._properties

    @property
    def stream_index(self) -> int:
        """Of the video in its container."""
        return self._stream.index

    def tap_audio(self) -> AudioTap | None:
        if not self._audio:
            return None
        tap = AudioTap(self._audio)
        for packet in self._early_audio:
            tap.put(packet)
        self._taps.append(tap)
        return tap

    def frames(self) -> Iterator[Frame]:
        self._started = True
        self._early_audio.clear()
        picture, self._first = self._first, None
        size = self._properties.size
        index = 0
        while picture is not None:
            before, pts = self._time.last, self._time.stamp(picture)
            self._warn_of_gap(before, pts)
            yield Frame(as_rgb(picture), index, pts, self._time.base, source_size=size)
            index += 1
            picture = next(self._pictures, None)
        self._warn_if_cut_short()

    def close(self) -> None:
        self._pictures.close()
        self._container.close()

    # --- reading ---------------------------------------------------------------------------------------------------

    def _decode(self) -> Generator[av.VideoFrame, None, None]:
        """Decoded pictures; audio packets go to the taps on the way."""
        damage = _Damage(self._name)
        for packet in self._packets(damage):
            if packet.stream.type == "audio":
                self._pass_audio(packet)
                continue
            try:
                pictures = packet.decode()
            except av.FFmpegError as error:
                damage.note(_packet_time(packet), error)
                continue
            for picture in pictures:
                if picture.is_corrupt:
                    damage.note(picture.time, None)
                else:
                    damage.past(picture.time)
                yield picture

    def _packets(self, damage: _Damage) -> Iterator[av.Packet]:
        """Packets of the picture and the sound, going on behind errors of the container."""
        while damage.failures < MOST_FAILURES:
            try:
                yield from self._container.demux((self._stream, *self._audio))
                return
            except av.InvalidDataError as error:
                damage.note(None, error)
            except (av.FFmpegError, OSError) as error:  # the medium, not the contents: it will not come back
                raise SourceError(f"{self._name}: reading stopped: {reason(error)}") from error

    def _pass_audio(self, packet: av.Packet) -> None:
        if packet.size == 0:  # the empty packet at the end, for decoders
            return
        if not self._started:
            self._early_audio.append(packet)
        for tap in self._taps:
            tap.put(packet)

    # --- what the container says -----------------------------------------------------------------------------------

    def _find_stream(self) -> av.VideoStream:
        for stream in self._container.streams.video:
            if not stream.disposition & Disposition.attached_pic:
                return stream
        raise SourceError(f"{self._name}: holds no video, only {_kinds(self._container)}")

    def _read_properties(self, first: av.VideoFrame, scheme: str) -> Properties:
        turned = display_matrix(first)[0] == 0
        size = (first.height, first.width) if turned else (first.width, first.height)
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        return Properties(
            name=self._name,
            stem=PurePath(self._name.partition("?")[0] if scheme else self._name).stem or "video",
            size=size,
            rate=self._time.rate,
            time_base=self._time.base,
            count=self._stream.frames or None,
            duration_s=self._duration_s(),
            live=scheme in LIVE_SCHEMES,
            colour=Colour(int(first.colorspace), int(first.color_primaries), int(first.color_trc)),
            pixel_aspect=1 / aspect if turned else aspect,
        )

    def _duration_s(self) -> float | None:
        if self._stream.duration:
            return float(self._stream.duration * self._time.base)
        return self._container.duration / av.time_base if self._container.duration else None

    def _warn_of_gap(self, before: int | None, pts: int) -> None:
        """A container steps over damage of its own without a word; only the times tell."""
        if before is None or self._properties.live:
            return
        start, end = float(before * self._time.base), float(pts * self._time.base)
        if end - start > max(LONGEST_GAP_S, 8 / float(self._time.rate)):
            logger.warning("%s: no pictures between %.2f s and %.2f s: damaged there?", self._name, start, end)

    def _warn_if_cut_short(self) -> None:
        expected, rate = self._properties.duration_s, self._properties.rate
        seen = self._time.seen_s
        if expected is not None and seen + 2 / rate + 0.5 < expected:
            logger.warning("%s: ends at %.2f s of %.2f s: the file is cut short", self._name, seen, expected)


class _Timeline:
    """Presentation times: the container's own, in its own base; counted on where it gives none."""

    def __init__(self, stream: av.VideoStream):
        self.rate = Fraction(stream.average_rate or stream.guessed_rate or 30)
        self.base = Fraction(stream.time_base or 1 / self.rate)
        self._step = max(1, round(1 / self.rate / self.base))
        self._first: int | None = None
        self.last: int | None = None

    def stamp(self, picture: av.VideoFrame) -> int:
        pts = picture.pts if picture.pts is not None else picture.dts
        if pts is None:
            pts = 0 if self.last is None else self.last + self._step
        if self._first is None:
            self._first = pts
        self.last = pts
        return pts

    @property
    def seen_s(self) -> float:
        """From the first picture to the end of the last."""
        if self._first is None or self.last is None:
            return 0.0
        return float((self.last - self._first + self._step) * self.base)


class _Damage:
    """Says once per damaged stretch where it begins."""

    def __init__(self, name: str):
        self._name = name
        self._inside = False
        self._last_s = 0.0
        self.failures = 0  # in a row

    def note(self, time_s: float | None, error: Exception | None) -> None:
        self.failures += 1
        self._last_s = self._last_s if time_s is None else time_s
        if not self._inside:
            what = reason(error) if error else "the picture is incomplete"
            logger.warning("%s: damaged at %.2f s (%s); going on behind it", self._name, self._last_s, what)
        self._inside = True

    def past(self, time_s: float | None) -> None:
        """A good picture."""
        self._last_s = self._last_s if time_s is None else time_s
        self._inside = False
        self.failures = 0


def _open(file: str | BinaryIO, name: str, timeout: Any) -> av.container.InputContainer:
    try:
        return av.open(file, mode="r", timeout=timeout, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{name}: {_why_not(error)}") from error


def _why_not(error: Exception) -> str:
    if isinstance(error, av.InvalidDataError):
        return "is no video that can be read: empty, cut short, or of another kind"
    return f"cannot be opened: {reason(error)}"


def _kinds(container: av.container.InputContainer) -> str:
    return ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"


def _packet_time(packet: av.Packet) -> float | None:
    stamp = packet.pts if packet.pts is not None else packet.dts
    return None if stamp is None or packet.time_base is None else float(stamp * packet.time_base)


def as_rgb(picture: av.VideoFrame) -> np.ndarray:
    """(H, W, 3) uint8 upright RGB of a decoded picture."""
    return turn_upright(picture.to_ndarray(format="rgb24", threads=1), display_matrix(picture))
