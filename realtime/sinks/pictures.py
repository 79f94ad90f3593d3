"""Pictures to a folder, under the names they had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import SinkError, UsageError
from realtime.sinks.base import Shot
from realtime.sinks.growing import make_folder, replacing
from realtime.sinks.views import View, glasses_off

QUALITY = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 95],
    ".tif": [],
    ".tiff": [],
    ".bmp": [],
}


ALPHA_FORMATS = (".png", ".webp", ".tif", ".tiff")


class PicturesSink:
    """folder: made if need be. file_name: of the picture at an index; its ending decides the format (others: PNG)."""

    def __init__(self, folder: Path, file_name: Callable[[int], str], view: View = glasses_off):
        make_folder(folder)
        self._folder = folder
        self._file_name = file_name
        self._view = view
        self._last: Path | None = None
        self._count = 0

    @property
    def paths(self) -> tuple[Path, ...]:
        """The picture where there is one only, else the folder."""
        if self._last is None:
            return ()
        return (self._last if self._count == 1 else self._folder,)

    def write(self, shot: Shot) -> None:
        path = self._folder / self._file_name(shot.original.index)
        picture = self._view(shot)
        if path.suffix.lower() not in (ALPHA_FORMATS if picture.shape[2] == 4 else QUALITY):
            path = path.with_suffix(".png")
        write_picture(path, picture)
        self._last = path
        self._count += 1

    def close(self) -> None:
        pass


def write_picture(path: Path, image: np.ndarray) -> None:
    """(H, W, 3) uint8 RGB or (H, W, 4) RGBA in the format of the path's ending; whole or not at all.

    Raises SinkError, UsageError.
    """
    suffix = path.suffix.lower()
    if suffix not in QUALITY:
        raise UsageError(f"{path}: pictures are written as {', '.join(QUALITY)}")
    alpha = image.shape[2] == 4
    if alpha and suffix not in ALPHA_FORMATS:
        raise UsageError(f"{path}: {suffix} cannot be transparent; write {', '.join(ALPHA_FORMATS)}")
    turned = cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA if alpha else cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(suffix, turned, QUALITY[suffix])
    if not done:
        raise SinkError(f"{path}: a picture of {image.shape[1]}x{image.shape[0]} cannot be written as {suffix}")
    with replacing(path) as temporary:
        temporary.write_bytes(encoded.tobytes())
