"""ARKit blendshapes of every face and frame, as a table that spreadsheets and animation programs read."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from realtime.errors import SinkError, reason
from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.drive import shapes_of
from realtime.sinks.base import Shot
from realtime.sinks.growing import create, part_path


class BlendshapesSink:
    """Columns time (seconds), frame, face, then the 52 ARKit weights 0..1 by name.

    Faces without coefficients leave no row. Readable while it grows, under its temporary name.
    """

    def __init__(self, path: Path):
        self._path = path
        self._file = create(path)
        self.paths: tuple[Path, ...] = ()
        self._append(["time", "frame", "face", *ARKIT_NAMES])

    def write(self, shot: Shot) -> None:
        for face in shot.faces:
            shapes = shapes_of(face)
            if shapes is None:
                continue
            weights = (f"{shapes[name]:.5f}" for name in ARKIT_NAMES)
            self._append([f"{shot.original.time_s:.6f}", shot.original.index, face.track, *weights])

    def close(self) -> None:
        self._file.close()
        os.replace(part_path(self._path), self._path)
        self.paths = (self._path,)

    def _append(self, cells: Sequence[object]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        try:
            self._file.write(line.getvalue().encode())
        except OSError as error:
            raise SinkError(f"{self._path}: writing failed: {reason(error)}; the lines before are kept") from error
