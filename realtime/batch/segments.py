"""Cutting a long video at its key frames, and reading one of the segments."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from realtime.batch.work import Segment
from realtime.errors import NakedeyeError
from realtime.frame import Frame
from realtime.sources.video import VideoSource, as_rgb

WARM_UP_S = 5.0  # after it, filters have forgotten how they began; averages of a person's shape nearly
SEEK_BACK_S = (0.0, 10.0, 1e9)  # how far before a key frame to look for it, where a container's index is coarse


class Uncuttable(NakedeyeError):
    """A file that can only be converted in one piece."""


def plan_segments(path: Path, seconds: float) -> tuple[Segment, ...]:
    """Segments of about `seconds`, or () for a file that is too short for two, or cannot be cut.

    Reads the packets, decodes nothing but the first picture. Raises SourceError where there is no picture at all.
    """
    source = VideoSource(str(path))
    try:
        base, duration_s = source.properties.time_base, source.properties.duration_s
        if duration_s is not None and duration_s < 1.5 * seconds:
            return ()
        stream_index = source.stream_index
    finally:
        source.close()
    stamps, keys = _index(path, stream_index)
    return cut(stamps, keys, seconds, base)


def cut(stamps: list[int], keys: list[int], seconds: float, base: Fraction) -> tuple[Segment, ...]:
    """stamps: times of all frames; keys: those where decoding can begin; rising, in ticks of `base`, seconds."""
    if len(stamps) < 2 or not keys or keys[0] != stamps[0]:
        return ()
    length, warm_up = round(seconds / base), round(WARM_UP_S / base)
    firsts = [stamps[0]]
    for key in keys:
        if key - firsts[-1] >= length and stamps[-1] - key >= length / 2:
            firsts.append(key)
    if len(firsts) < 2:
        return ()
    segments = []
    for number, (first, end) in enumerate(zip(firsts, [*firsts[1:], None], strict=True)):
        first_index = bisect_left(stamps, first)
        warm_index = bisect_left(stamps, first - warm_up)
        warm = stamps[warm_index]
        key = keys[bisect_right(keys, warm) - 1]
        count = (len(stamps) if end is None else bisect_left(stamps, end)) - first_index
        segments.append(Segment(number, key, warm, first, end, warm_index, first_index, count))
    return tuple(segments)


def _index(path: Path, stream_index: int) -> tuple[list[int], list[int]]:
    """Times of all frames and of the key frames, in order; two empty lists where they cannot be relied on."""
    stamps, keys = [], []
    with av.open(str(path), metadata_errors="replace") as container:
        try:
            for packet in container.demux(container.streams[stream_index]):
                if packet.size == 0 or packet.is_discard:
                    continue
                if packet.pts is None or packet.is_corrupt:
                    return [], []
                stamps.append(packet.pts)
                if packet.is_keyframe:
                    keys.append(packet.pts)
        except (av.FFmpegError, OSError):
            return [], []
    if len(set(stamps)) != len(stamps):
        return [], []
    return sorted(stamps), sorted(keys)


class SegmentSource(VideoSource):
    """The frames of a segment, from `warm` on, numbered as in the whole. Silent: the sound is copied when joining."""

    def __init__(self, path: Path, segment: Segment):
        self._segment = segment
        self._sought = False  # until then the packets are those of the file's beginning
        super().__init__(str(path))

    def frames(self) -> Iterator[Frame]:
        """Raises Uncuttable where the segment cannot be reached, SourceError where reading fails."""
        segment, size = self._segment, self._properties.size
        self._started, self._first = True, None
        self._early_audio.clear()
        self._pictures.close()
        self._pictures, self._sought = self._decode(), True
        index = segment.warm_index
        for picture in self._pictures:
            pts = self._time.stamp(picture)
            if pts < segment.warm:
                continue
            if segment.end is not None and pts >= segment.end:
                return
            yield Frame(as_rgb(picture), index, pts, self._time.base, source_size=size)
            index += 1

    def _packets(self, damage) -> Iterator[av.Packet]:  # type: ignore[no-untyped-def, override]
        if not self._sought:
            yield from super()._packets(damage)
            return
        for back_s in SEEK_BACK_S:
            packets = self._packets_from(back_s, damage)
            found = self._start_in(packets)
            if found is not None:
                yield found
                yield from packets
                return
        raise Uncuttable(f"{self._name}: the key frame at {float(self._segment.key * self._time.base):.2f} s is gone")

    def _packets_from(self, back_s: float, damage) -> Iterator[av.Packet]:  # type: ignore[no-untyped-def]
        key = self._segment.key
        try:
            self._container.seek(max(key - round(back_s / self._time.base), min(key, 0)), stream=self._stream)
        except av.FFmpegError:
            return
        yield from super()._packets(damage)

    def _start_in(self, packets: Iterator[av.Packet]) -> av.Packet | None:
        """The segment's key frame; None as soon as one behind it has come."""
        for packet in packets:
            if packet.stream.index == self._stream.index and packet.is_keyframe and packet.pts is not None:
                if packet.pts >= self._segment.key:
                    return packet if packet.pts == self._segment.key else None
        return None
