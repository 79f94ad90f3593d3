"""Video (H.264; VP9 or ProRes where it is transparent) with the source's own times and its sound untouched.

Grows as a fragmented MP4 under a temporary name: playable if the run is killed. Finished, it becomes a plain one.
"""

from __future__ import annotations

import logging
import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from realtime.errors import SinkError, UsageError, reason
from realtime.sinks.base import Shot
from realtime.sinks.encodings import encoding_of
from realtime.sinks.fitting import fitted
from realtime.sinks.growing import create, keep_whole_fragments, part_path, replacing
from realtime.sinks.sound import FORMATS, SoundCopy, codecs, holds_sound
from realtime.sinks.views import View, glasses_off
from realtime.sources.audio import AudioTap
from realtime.sources.base import Properties

logger = logging.getLogger(__name__)

FRAGMENT_US = 1_000_000  # a killed run loses about this much, and what the encoder holds back
GROWING = (".mkv", ".webm")  # are whole at any length; the others grow in fragments
FAILURES = (av.FFmpegError, OSError)


class VideoSink:
    """path: .mp4, .mov, .mkv or .webm. properties: of the source. view: which picture of a shot to write.

    audio: a tap of the source, None for silence. crf: x264's quality, 0 lossless .. 51. threads: its own (0: all).
    alpha: the view is (H, W, 4) RGBA, and stays transparent; .webm and .mov only.
    Raises SinkError, UsageError.
    A picture of another size than the first is fitted in; odd sizes are padded by one pixel (4:2:0 needs even ones).
    """

    def __init__(
        self,
        path: Path,
        properties: Properties,
        *,
        view: View = glasses_off,
        audio: AudioTap | None = None,
        crf: int = 18,
        preset: str = "veryfast",
        threads: int = 1,
        alpha: bool = False,
    ):
        _check_container(path, audio)
        self._encoding = encoding_of(path.suffix.lower(), alpha, crf, preset)
        self._path = path
        self._properties = properties
        self._view = view
        self._audio = audio
        self._threads = threads
        self._file = create(path)
        self._container: av.container.OutputContainer | None = None
        self._sound: SoundCopy | None = None
        self._failed = False
        self._last_pts: int | None = None
        self.paths: tuple[Path, ...] = ()

    def write(self, shot: Shot) -> None:
        """Raises SinkError; what was written until then stays."""
        image = self._view(shot)
        try:
            if self._container is None:
                self._start(image)
            self._encode(image, shot)
        except FAILURES as error:
            self._failed = True
            raise SinkError(self._broken(error)) from error

    def close(self) -> None:
        if self._container is None:
            self._file.close()
            part_path(self._path).unlink(missing_ok=True)
            return
        if self._failed:
            self._salvage()
            return
        try:
            self._container.mux(self._stream.encode(None))
            self._copy_sound()
            self._container.close()
        except FAILURES as error:
            self._salvage()
            raise SinkError(self._broken(error)) from error
        self._file.close()
        self._settle()

    # --- writing ---------------------------------------------------------------------------------------------------

    def _start(self, image: np.ndarray) -> None:
        """Opens the container with all its streams: a stream added behind the first packet would break it."""
        suffix = self._path.suffix.lower()
        options = {"movflags": "frag_keyframe+delay_moov+default_base_moof", "frag_duration": str(FRAGMENT_US)}
        base = self._properties.time_base
        self._container = av.open(
            self._file, "w", format=FORMATS[suffix],
            options={"fflags": "bitexact"} if suffix in GROWING else options | timescale(base),  # else: random numbers
        )  # fmt: skip
        height, width = image.shape[:2]
        how = self._encoding
        stream = self._container.add_stream(how.codec, rate=self._properties.rate, options=dict(how.options))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = how.pixel_format
        stream.codec_context.time_base = base
        stream.codec_context.gop_size = max(1, round(2 * self._properties.rate))
        stream.codec_context.thread_count = self._threads
        stream.codec_context.sample_aspect_ratio = self._properties.pixel_aspect
        colour = self._properties.colour
        stream.codec_context.colorspace = colour.space
        stream.codec_context.color_primaries = colour.primaries
        stream.codec_context.color_trc = colour.transfer
        self._stream = stream
        if self._audio is not None:
            self._sound = SoundCopy(self._audio, self._container, str(self._path))

    def _encode(self, image: np.ndarray, shot: Shot) -> None:
        assert self._container is not None
        size = (self._stream.width, self._stream.height)
        picture = av.VideoFrame.from_ndarray(_padded(image, size), format=self._encoding.source_format)
        space = self._properties.colour.space
        space_or_same = None if space == 2 else space
        form = self._encoding.pixel_format
        picture = picture.reformat(format=form, dst_colorspace=space_or_same, threads=1)  # by default: every core
        picture.pts = self._rising(shot)
        picture.time_base = self._properties.time_base
        self._container.mux(self._stream.encode(picture))
        self._copy_sound()

    def _rising(self, shot: Shot) -> int:
        """The frame's pts in the source's base; times that do not rise (damaged files) are moved by one tick."""
        frame = shot.original
        pts = frame.pts
        if frame.time_base != self._properties.time_base:
            pts = round(frame.pts * frame.time_base / self._properties.time_base)
        if self._last_pts is not None and pts <= self._last_pts:
            pts = self._last_pts + 1
        self._last_pts = pts
        return pts

    def _copy_sound(self) -> None:
        if self._sound is not None:
            self._sound.copy()

    # --- the end ---------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """The fragments become a plain file; where that fails (a full disk), they are the output themselves."""
        part = part_path(self._path)
        if self._path.suffix.lower() not in GROWING:
            try:
                with replacing(self._path) as plain:
                    _defragment(part, plain, self._path.suffix.lower())
                part.unlink()
            except (*FAILURES, SinkError) as error:
                logger.warning("%s: left in fragments: %s", self._path, reason(error))
        if part.exists():
            os.replace(part, self._path)
        self.paths = (self._path,)

    def _salvage(self) -> None:
        """Behind a failed write: everything up to the last complete fragment becomes the output."""
        assert self._container is not None
        try:
            self._container.close()
        except FAILURES:
            logger.debug("%s: could not be ended", self._path, exc_info=True)
        self._file.close()
        part = part_path(self._path)
        if self._path.suffix.lower() not in GROWING and not keep_whole_fragments(part):
            part.unlink()
            return
        os.replace(part, self._path)
        self.paths = (self._path,)

    def _broken(self, error: BaseException) -> str:
        until = float((self._last_pts or 0) * self._properties.time_base)
        return f"{self._path}: writing failed near {until:.1f} s: {reason(error)}; what was written before is kept"


def _check_container(path: Path, audio: AudioTap | None) -> None:
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(f"{path}: video is written as {', '.join(FORMATS)}, not as {suffix or 'a bare name'}")
    if audio is not None and not holds_sound(suffix, audio):
        others = " or ".join(other for other in FORMATS if holds_sound(other, audio))
        choice = f"call it {others}, or leave the sound out" if others else "leave the sound out"
        raise UsageError(f"{path}: {suffix} cannot hold {', '.join(codecs(audio))} sound unchanged; {choice}")


def timescale(base: Fraction) -> dict[str, str]:
    """Edit lists in the video's own ticks: in the default milliseconds they would shift the first frame."""
    return {"movie_timescale": str(base.denominator)}


def _padded(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, C) in `size` (width, height): padded where it lacks the pixel of an odd size, fitted in otherwise."""
    height, width = image.shape[:2]
    right, bottom = size[0] - width, size[1] - height
    if (right, bottom) == (0, 0):
        return np.ascontiguousarray(image)
    if right in (0, 1) and bottom in (0, 1):
        return cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    return fitted(image, size)


def _defragment(part: Path, plain: Path, suffix: str) -> None:
    """Copies all packets into a file with its index in front."""
    with av.open(str(part)) as source:
        base = source.streams.video[0].time_base or Fraction(1, 1000)
        options = {"movflags": "faststart"} | timescale(base)
        with av.open(str(plain), "w", format=FORMATS[suffix], options=options) as target:
            streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
            for packet in source.demux():
                if packet.dts is None:
                    continue
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
