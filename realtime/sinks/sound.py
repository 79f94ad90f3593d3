"""Sound into the output video: packets copied as they are, in a container that can hold them."""

from __future__ import annotations

import io
import logging
from functools import cache
from pathlib import Path

import av

from realtime.sources.audio import AudioTap

logger = logging.getLogger(__name__)

FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}  # in order of preference
# Said to be possible, but a growing MP4 with raw samples cannot be read, and MOV refuses the others while muxing.
REFUSED = {".mp4": ("pcm_",), ".mov": ("flac", "opus", "vorbis"), ".mkv": ("-",), ".webm": ("-",)}


@cache
def _holds(suffix: str) -> frozenset[str]:
    """Codec names that a container of this ending can hold."""
    with av.open(io.BytesIO(), "w", format=FORMATS[suffix]) as container:
        return frozenset(name for name in container.supported_codecs if not name.startswith(REFUSED[suffix]))


def codecs(tap: AudioTap) -> list[str]:
    """Names of the tap's codecs, one per stream."""
    return [stream.codec_context.name for stream in tap.streams]


def holds_sound(suffix: str, tap: AudioTap) -> bool:
    """Whether every stream of `tap` may be copied into a file of this ending."""
    return set(codecs(tap)) <= _holds(suffix)


def suffix_for(tap: AudioTap | None) -> str | None:
    """The first of FORMATS that can hold the sound as it is; None where none can."""
    if tap is None:
        return ".mp4"
    return next((suffix for suffix in FORMATS if holds_sound(suffix, tap)), None)


def fit_sound(path: Path, tap: AudioTap | None) -> tuple[Path, AudioTap | None]:
    """`path` with an ending that can hold the sound as it is; without the sound, and a warning, where none can."""
    suffix = suffix_for(tap)
    if tap is None or suffix is None:
        if tap is not None:
            logger.warning("%s: no container holds %s sound unchanged: left out", path, ", ".join(codecs(tap)))
        return path, None
    return (path if holds_sound(path.suffix.lower(), tap) else path.with_suffix(suffix)), tap


class SoundCopy:
    """The audio streams of one output, fed from a tap. Made before anything is muxed."""

    def __init__(self, tap: AudioTap, container: av.container.OutputContainer, name: str):
        self._tap = tap
        self._container = container
        self._name = name
        self._streams = {stream.index: container.add_stream_from_template(stream) for stream in tap.streams}
        self._last_dts: dict[int, int] = {}

    def copy(self) -> None:
        """Everything that has come since the last call. Raises what the muxer raises."""
        for packet in self._tap.take():
            index = packet.stream.index
            dts = packet.dts if packet.dts is not None else packet.pts
            last = self._last_dts.get(index)
            if dts is None or (last is not None and dts <= last):
                logger.warning("%s: a sound packet without a proper time was left out", self._name)
                continue
            packet.dts = self._last_dts[index] = dts
            packet.stream = self._streams[index]
            self._container.mux(packet)
