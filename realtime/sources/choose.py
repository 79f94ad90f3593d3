"""From what the user typed after `-i` to an open source."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from realtime.errors import SourceError, reason
from realtime.sources.base import Source
from realtime.sources.cameras import Camera, find_camera, list_cameras
from realtime.sources.pictures import PictureSource, is_picture
from realtime.sources.video import VideoSource

PATTERN = re.compile(r"pattern(?::(\d+))?")  # pattern, or pattern:FRAMES


def open_source(
    text: str,
    *,
    size: tuple[int, int] = (640, 480),
    rate: Fraction = Fraction(30),
    stdin: BinaryIO | None = None,
    cameras: Callable[[], Sequence[Camera]] = list_cameras,
    threads: int = 1,
    seed: int = 7,
) -> Source:
    """A camera number or name, a file, a folder, a URL, `-` for a pipe on stdin, `pattern` or `pattern:FRAMES`.

    size, rate: what a camera or the pattern is asked for; recorded input keeps its own. stdin: sys.stdin.buffer.
    threads: for decoding video. seed: whom the pattern shows.
    Raises SourceError that says what was tried and why nothing came of it.
    """
    pattern = PATTERN.fullmatch(text)
    if pattern is not None:
        from realtime.sources.pattern import PatternSource

        return PatternSource(size=size, rate=rate, count=int(pattern[1]) if pattern[1] else None, seed=seed)
    if text == "-":
        return VideoSource(stdin or sys.stdin.buffer, name="stdin", threads=threads)
    if "://" in text:
        return VideoSource(text, threads=threads)
    path = Path(text).expanduser()
    if _exists(path) and not str(path).startswith("/dev/video"):
        return _open_path(path, threads)
    try:
        camera = find_camera(text, cameras())
    except SourceError as no_camera:
        if text.isdigit():
            raise
        raise SourceError(
            f"cannot open {text!r}: as a file or folder, {path.absolute()} does not exist; as a camera, {no_camera}"
        ) from None
    return open_camera(camera, size, rate)


def open_camera(camera: Camera, size: tuple[int, int], rate: Fraction) -> Source:
    """Raises SourceError."""
    if sys.platform == "linux":
        from realtime.sources.camera import CameraSource

        return CameraSource(camera, size, rate)
    from realtime.sources.camera_opencv import OpenCvCameraSource

    return OpenCvCameraSource(camera.number, size, rate)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # a folder on the way may not be entered, or the name is too long
        raise SourceError(f"{path}: cannot be opened: {reason(error)}") from error


def _open_path(path: Path, threads: int) -> Source:
    if path.is_dir() or is_picture(path):
        return PictureSource(path)
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"{path}: is empty")
    return VideoSource(str(path), threads=threads)
