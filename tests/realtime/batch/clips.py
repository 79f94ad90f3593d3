"""Short films of the test pattern, and what is in files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from realtime.sources.pattern import PatternSource


def film(
    path: Path, count: int, *, seed: int = 7, rate: int = 30, gop: int = 10, size: tuple[int, int] = (320, 240),
    sound: bool = True, first_pts: int = 0,
) -> Path:  # fmt: skip
    """The pattern's first `count` frames, with noise to hear."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = PatternSource(size=size, rate=Fraction(rate), count=count, seed=seed)
    options = {"crf": "18", "preset": "veryfast", "x264-params": "scenecut=0"}
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=rate, options=options)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.gop_size, video.codec_context.time_base = gop, Fraction(1, 15360)
        audio = container.add_stream("aac", rate=48000, layout="mono") if sound else None
        for frame in source.frames():
            picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
            picture.pts, picture.time_base = first_pts + frame.index * 15360 // rate, Fraction(1, 15360)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        if audio is not None:
            _add_noise(container, audio, count * 48000 // rate)
    source.close()
    return path


def _add_noise(container: av.container.OutputContainer, audio, samples: int) -> None:
    random = np.random.default_rng(0)
    for start in range(0, samples, 1024):
        block = (0.1 * random.standard_normal((1, 1024))).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        container.mux(audio.encode(frame))
    container.mux(audio.encode(None))


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the manifest and what is hidden."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith((".", "manifest")) and ".unfinished" not in path.parts
    }
