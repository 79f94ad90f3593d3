"""A recording in the columns of Live Link Face's CSV, which Blender, Maya and Unreal importers read."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

from realtime.errors import SinkError, reason
from realtime.sinks.base import Shot
from realtime.sinks.growing import create, part_path
from realtime.sinks.mesh import largest
from realtime.sinks.senders.livelink import VALUE_NAMES, values

# the app's file has two pairs of columns the other way round than its packets
SWAPPED = {"JawLeft": "JawRight", "JawRight": "JawLeft", "MouthLeft": "MouthRight", "MouthRight": "MouthLeft"}
COLUMNS = tuple(SWAPPED.get(name, name) for name in VALUE_NAMES)
ORDER = tuple(VALUE_NAMES.index(name) for name in COLUMNS)


class LiveLinkCsvSink:
    """A row per frame in which the face that is followed was seen: the largest at first, then the same while it lasts.

    Columns Timecode, BlendShapeCount, then 61 values by name: weights 0..1, angles in half turns. rate: of the source,
    frames a second, for the time code. Readable while it grows, under its temporary name. Raises SinkError.
    """

    def __init__(self, path: Path, rate: Fraction):
        self._path, self._rate = path, rate
        self._file = create(path)
        self._track: int | None = None
        self.paths: tuple[Path, ...] = ()
        self._append(",".join(("Timecode", "BlendShapeCount", *COLUMNS)))

    def write(self, shot: Shot) -> None:
        driven = tuple(face for face in shot.faces if face.drive is not None)
        face = next((face for face in driven if face.track == self._track), None) or largest(driven)
        if face is None or face.drive is None:
            return
        self._track = face.track
        found = values(face.drive)
        numbers = ",".join(f"{found[index] + 0.0:.8f}" for index in ORDER)
        self._append(f"{timecode(shot.original.time_s, self._rate)},{len(found)},{numbers}")

    def close(self) -> None:
        self._file.close()
        os.replace(part_path(self._path), self._path)
        self.paths = (self._path,)

    def _append(self, line: str) -> None:
        try:
            self._file.write(f"{line}\n".encode())
        except OSError as error:
            raise SinkError(f"{self._path}: writing failed: {reason(error)}; the lines before are kept") from error


def timecode(time_s: float, rate: Fraction) -> str:
    """HH:MM:SS:FF.fff at `rate` frames a second; the fraction is of a frame."""
    thousandths = round((time_s % 1.0) * float(rate) * 1000)
    whole = int(time_s)
    if thousandths >= round(float(rate) * 1000):  # rounded up to the next second
        whole, thousandths = whole + 1, 0
    frames, part = divmod(thousandths, 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}:{frames:02d}.{part:03d}"
