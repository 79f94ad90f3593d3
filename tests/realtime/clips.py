"""Small real clips for tests, made by PyAV: any times, codec, container, rotation, sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

UNEVEN = tuple(int(step) for step in np.cumsum([0] + [3000, 1500, 4500, 3003, 2997, 6000] * 8))  # 90 kHz ticks


QUICK = {
    "libx264": {"preset": "superfast"},  # still with B-frames
    "libx265": {"preset": "superfast", "x265-params": "log-level=none"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}


@dataclass(frozen=True)
class Sound:
    codec: str = "aac"
    rate: int = 48000
    layout: str = "stereo"


def picture(index: int, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8: a grey ramp that brightens with the index, its top left quarter red."""
    width, height = size
    image = np.full((height, width, 3), 40 + 3 * (index % 60), np.uint8)
    image[: height // 2, : width // 2] = (200, 30, 30)
    return image


def write_clip(
    path: Path,
    pts: Sequence[int] = UNEVEN,
    *,
    time_base: Fraction = Fraction(1, 90000),
    size: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rotation: int | None = None,
    sound: Sound | None = None,
    gop: int = 12,
    options: dict[str, str] | None = None,
    colorspace: int = 2,
) -> Path:
    """rotation: degrees counter-clockwise in the display matrix."""
    with av.open(str(path), "w", options=options or {}) as container:
        video = container.add_stream(codec, rate=30, options=QUICK.get(codec, {}))
        video.codec_context.thread_count = 1
        video.width, video.height, video.pix_fmt = *size, pix_fmt
        video.codec_context.time_base = time_base
        video.codec_context.gop_size = gop
        video.codec_context.colorspace = colorspace
        if rotation is not None:
            video.set_display_rotation(rotation)
        audio = None
        if sound is not None:
            audio = container.add_stream(sound.codec, rate=sound.rate, layout=sound.layout)
        for index, stamp in enumerate(pts):
            frame = av.VideoFrame.from_ndarray(picture(index, size), format="rgb24")
            frame = frame.reformat(format=pix_fmt, dst_colorspace=None if colorspace == 2 else colorspace)
            frame.pts, frame.time_base = stamp, time_base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None and sound is not None:
            _write_sound(container, audio, sound, float(pts[-1] * time_base))
    return path


def _write_sound(container: av.container.OutputContainer, stream, sound: Sound, seconds: float) -> None:
    random = np.random.default_rng(0)
    frame_size = stream.codec_context.frame_size or 1024
    planar = stream.codec_context.format.is_planar
    kind = stream.codec_context.format.name
    channels = len(stream.codec_context.layout.channels)
    for start in range(0, int(seconds * sound.rate), frame_size):
        samples = random.standard_normal((channels, frame_size)) * 0.1
        dtype, scale = {"s16": (np.int16, 2**14), "s32": (np.int32, 2**30), "flt": (np.float32, 1)}[kind.rstrip("p")]
        samples = (samples.clip(-1, 1) * scale).astype(dtype)
        block = samples if planar else np.ascontiguousarray(samples.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, format=kind, layout=sound.layout)
        frame.sample_rate, frame.pts, frame.time_base = sound.rate, start, Fraction(1, sound.rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def video_times(path: Path) -> list[Fraction]:
    """Seconds of every decoded picture, exact."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def sound_packets(path: Path) -> list[tuple[Fraction, int, bytes]]:
    """(seconds, duration in ticks, bytes) of every packet of the first audio stream."""
    with av.open(str(path)) as container:
        return [
            (packet.pts * packet.time_base, packet.duration, bytes(packet))
            for packet in container.demux(audio=0)
            if packet.size
        ]
