"""The 239 coefficients of every face and frame, as NumPy's .npz."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from realtime.face.coefficients import POSE_NAMES, SLICES
from realtime.sinks.base import Shot
from realtime.sinks.growing import replacing
from realtime.sinks.rows import Rows, row_of


class CoefficientsSink:
    """Arrays with a row per face and frame, in the order of the frames:

    frame (n,) i8, time (n,) f8 seconds, face (n,) i4 track, coefficients (n, 239) f4 in frame pixels, pose (n, 6) f4
    (their last part: pitch, yaw, roll in radians, scale in px per mm, x, y in px), landmarks (n, 68, 2) f4 pixels,
    confidence (n,) f4, glasses (n,) i1 (0 none, 1 clear, 2 dark), glasses_confidence (n,) f4; and pose_names (6,).
    Faces without coefficients leave no row.
    """

    def __init__(self, path: Path):
        self._path = path
        self._rows = Rows(path)
        self.paths: tuple[Path, ...] = ()

    def write(self, shot: Shot) -> None:
        for face in shot.faces:
            if face.coefficients is not None:
                self._rows.append(row_of(shot.original, face))

    def close(self) -> None:
        """Raises SinkError; the rows stay in the temporary file then."""
        rows = self._rows.read()
        columns: dict[str, Any] = {name: rows[name] for name in rows.dtype.names or ()}
        columns["pose"] = rows["coefficients"][:, SLICES["pose"]]
        columns["pose_names"] = np.array(POSE_NAMES)
        with replacing(self._path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **columns)
        del rows, columns
        self._rows.discard()
        self.paths = (self._path,)
