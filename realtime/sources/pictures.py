"""Photographs and folders of them: any bit depth and colour model becomes upright 8-bit RGB."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import SourceError, reason
from realtime.frame import Frame
from realtime.sources.base import Properties, Silent

logger = logging.getLogger(__name__)

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".bmp", ".pgm", ".ppm", ".pnm", ".jp2"}
RATE = Fraction(30)  # photographs have no times: each gets a thirtieth of a second, so that they can become a video


def is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def read_picture(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB, turned as EXIF says; transparent pixels over white. Raises SourceError."""
    try:
        encoded = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {reason(error)}") from error
    if encoded.size == 0:
        raise SourceError(f"{path}: is empty")
    try:
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise SourceError(f"{path}: cannot be decoded: {error.err}") from error
    if image is None:
        raise SourceError(f"{path}: is no picture that can be decoded: cut short, damaged, or of another kind")
    return _over_white(image, encoded) if path.suffix.lower() not in (".jpg", ".jpeg", ".jpe") else image


def _over_white(image: np.ndarray, encoded: np.ndarray) -> np.ndarray:
    """Pixels that the file's alpha hides show white instead of whatever colour lies under it."""
    raw = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    if raw is None or raw.ndim != 3 or raw.shape[2] != 4 or raw.shape[:2] != image.shape[:2]:
        return image
    opaque = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}.get(raw.dtype, 1.0)
    alpha = raw[..., 3:].astype(np.float32) / opaque
    if alpha.min() >= 1.0:
        return image
    return np.rint(image * alpha + 255.0 * (1.0 - alpha)).astype(np.uint8)


def natural_key(name: str) -> list[tuple[int, str | int]]:
    """Sorts `p2` before `p10`."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name.lower()) if part]


class PictureSource(Silent):
    """One picture, or all pictures of a folder in natural order; unreadable ones are left out with a warning.

    Raises SourceError when there is nothing to show.
    """

    def __init__(self, path: Path):
        self._paths = [path] if path.is_file() else _pictures_in(path)
        self._first = self._first_readable()
        height, width = self._first.shape[:2]
        self._names: list[str] = []
        self._properties = Properties(
            name=str(path),
            stem=path.stem if path.is_file() else path.resolve().name,
            size=(width, height),
            rate=RATE,
            time_base=1 / RATE,
            count=len(self._paths),
            stills=True,
        )

    @property
    def properties(self) -> Properties:
        return self._properties

    def frames(self) -> Iterator[Frame]:
        for number, path in enumerate(self._paths):
            try:
                image = self._first if number == 0 else read_picture(path)
            except SourceError as error:
                logger.warning("%s; left out", error)
                continue
            index = len(self._names)
            self._names.append(path.name)
            size = (image.shape[1], image.shape[0])
            yield Frame(image, index, index, 1 / RATE, source_size=size, cut=True)

    def file_name(self, index: int) -> str:
        return self._names[index]

    def close(self) -> None:
        self._paths = []

    def _first_readable(self) -> np.ndarray:
        """Reads the first picture that can be read; those before it are dropped from the list."""
        problem: SourceError | None = None
        for number, path in enumerate(self._paths):
            try:
                image = read_picture(path)
            except SourceError as error:
                problem = problem or error
                if len(self._paths) > 1:
                    logger.warning("%s; left out", error)
                continue
            self._paths = self._paths[number:]
            return image
        if problem is not None and len(self._paths) == 1:
            raise problem
        raise SourceError(f"none of the {len(self._paths)} pictures can be read; the first: {problem}")


def _pictures_in(folder: Path) -> list[Path]:
    try:
        paths = [path for path in folder.iterdir() if is_picture(path) and path.is_file()]
    except OSError as error:
        raise SourceError(f"{folder}: cannot be opened: {reason(error)}") from error
    if not paths:
        raise SourceError(f"{folder}: holds no pictures ({', '.join(sorted(SUFFIXES))})")
    return sorted(paths, key=lambda path: natural_key(path.name))
