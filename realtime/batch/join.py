"""One video from its segments: pictures end to end without decoding them, the sound copied once from the source."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import av

from realtime.batch.segments import Uncuttable
from realtime.sinks.sound import FORMATS, SoundCopy
from realtime.sinks.video import timescale
from realtime.sources.audio import AudioTap
from realtime.sources.base import Properties


def join_videos(parts: Sequence[Path], target: Path, properties: Properties, sound_of: Path | None) -> list[int]:
    """The times of all frames, in ticks of the source's time base.

    parts: made by VideoSink with the same settings, in order. sound_of: the source whose sound goes along.
    Raises Uncuttable where the parts do not fit together.
    """
    stamps = [stamp for part in parts for stamp in _stamps(part, properties)]
    rising = sorted(stamps)
    if len(set(stamps)) != len(stamps):
        raise Uncuttable(f"{target.name}: two segments hold the same frame")
    times = iter(_decoding_times(stamps, rising))
    with ExitStack() as stack:
        container = stack.enter_context(
            av.open(str(target), "w", format=FORMATS[target.suffix], options=_options(target, properties))
        )
        first = stack.enter_context(av.open(str(parts[0])))
        stream = container.add_stream_from_template(first.streams.video[0])
        stream.time_base = properties.time_base
        sound = _Sound(stack.enter_context(av.open(str(sound_of))), container, target) if sound_of else None
        for packet in _packets(parts):
            packet.pts = _stamp(packet, properties)
            packet.dts, packet.time_base = next(times), properties.time_base
            packet.stream = stream
            if sound is not None:
                sound.copy_until(float(packet.dts * properties.time_base))
            container.mux(packet)
        if sound is not None:
            sound.copy_until(float("inf"))
    return rising


def _options(target: Path, properties: Properties) -> dict[str, str]:
    if target.suffix == ".mkv":
        return {"fflags": "bitexact"}  # else the file has random numbers in it
    return {"movflags": "faststart"} | timescale(properties.time_base)


def _packets(parts: Sequence[Path]) -> Iterator[av.Packet]:
    """Of all parts, in decoding order. Raises Uncuttable where one was encoded in another way."""
    header: bytes | None = None
    for part in parts:
        with av.open(str(part)) as container:
            video = container.streams.video[0]
            header = header if header is not None else video.codec_context.extradata
            if video.codec_context.extradata != header:
                raise Uncuttable(f"{part.name}: was encoded differently from the segment before it")
            yield from (packet for packet in container.demux(video) if packet.size)


def _stamps(part: Path, properties: Properties) -> list[int]:
    return [_stamp(packet, properties) for packet in _packets([part])]


def _stamp(packet: av.Packet, properties: Properties) -> int:
    """When the packet's frame is shown, in ticks of the source's time base."""
    assert packet.pts is not None and packet.time_base is not None, "VideoSink gives every frame a time"
    return round(packet.pts * packet.time_base / properties.time_base)


def _decoding_times(stamps: list[int], rising: list[int]) -> list[int]:
    """When each frame is decoded: the rising times, as much later as frames are out of order, none after its showing.

    The encoder counts from the start of each segment, where times of two may cross; so they are counted anew.
    """
    delay = max((number - bisect_left(rising, stamp) for number, stamp in enumerate(stamps)), default=0)
    step = max(1, rising[1] - rising[0]) if len(rising) > 1 else 1
    return [rising[0] - step * number for number in range(delay, 0, -1)] + rising[: len(rising) - delay]


class _Sound:
    """The audio packets of a file, copied as the pictures go along so that little waits in memory."""

    def __init__(self, source: av.container.InputContainer, target: av.container.OutputContainer, path: Path):
        streams = tuple(source.streams.audio)
        self._tap = AudioTap(streams)
        self._copy = SoundCopy(self._tap, target, str(path))
        self._packets = (packet for packet in source.demux(streams) if packet.size)
        self._next = next(self._packets, None)

    def copy_until(self, seconds: float) -> None:
        while self._next is not None and _seconds(self._next) <= seconds:
            self._tap.put(self._next)
            self._next = next(self._packets, None)
        self._copy.copy()


def _seconds(packet: av.Packet) -> float:
    stamp = packet.dts if packet.dts is not None else packet.pts
    return 0.0 if stamp is None else float(stamp * packet.time_base)
