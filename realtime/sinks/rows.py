"""One row per face and frame, kept on disk while a run lasts, so that memory stays flat however long it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from realtime.errors import SinkError, reason
from realtime.frame import Face, Frame
from realtime.sinks.growing import create, part_path

ROW = np.dtype(
    [
        ("frame", "<i8"),
        ("time", "<f8"),  # seconds
        ("face", "<i4"),  # track
        ("coefficients", "<f4", (239,)),  # frame pixels
        ("landmarks", "<f4", (68, 2)),  # frame pixels
        ("confidence", "<f4"),
        ("glasses", "i1"),  # realtime.frame.Glasses
        ("glasses_confidence", "<f4"),
    ]
)


def row_of(frame: Frame, face: Face) -> np.ndarray:
    """() of dtype ROW. The face must have coefficients."""
    fields = (
        frame.index, frame.time_s, face.track, face.coefficients, face.landmarks,
        face.confidence, int(face.glasses), face.glasses_confidence,
    )  # fmt: skip
    return np.array(fields, ROW)


class Rows:
    """Rows on their way to `path`, in a temporary file beside it. Raises SinkError where it cannot be made or grow."""

    def __init__(self, path: Path):
        self._path = path
        self._file = create(path)
        self.count = 0

    def append(self, row: np.ndarray) -> None:
        try:
            self._file.write(row.tobytes())
        except OSError as error:
            raise SinkError(
                f"{self._path}: writing failed behind {self.count} rows: {reason(error)}; these are kept"
            ) from error
        self.count += 1

    def read(self) -> np.ndarray:
        """(count,) of dtype ROW, mapped from disk; valid until `discard`."""
        if self.count == 0:
            return np.empty(0, ROW)
        return np.memmap(part_path(self._path), ROW, "r", shape=(self.count,))

    def discard(self) -> None:
        self._file.close()
        part_path(self._path).unlink(missing_ok=True)
