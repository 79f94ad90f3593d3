"""3D faces as mesh files: one moment, or a whole run as an animation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from realtime.frame import Face
from realtime.sinks.base import Shot
from realtime.sinks.growing import replacing_together
from realtime.sinks.rows import Rows, row_of

WriteMesh = Callable[[Path, np.ndarray, np.ndarray | None], None]
WriteAnimation = Callable[[Path, np.ndarray, np.ndarray, np.ndarray | None], None]


class MeshSink:
    """The largest face of one frame. frame: its index; None takes the first that shows a face.

    write_mesh: writes (path, coefficients (239,), texture (T, T, 4) uint8 RGBA or None).
    """

    def __init__(self, path: Path, write_mesh: WriteMesh, frame: int | None = None):
        self._path = path
        self._write_mesh = write_mesh
        self._frame = frame
        self.paths: tuple[Path, ...] = ()

    def write(self, shot: Shot) -> None:
        face = largest(shot.faces)
        if self.paths or face is None or face.coefficients is None or self._frame not in (None, shot.original.index):
            return
        with replacing_together(self._path) as temporary:
            self._write_mesh(temporary, face.coefficients, face.texture)
        self.paths = (self._path,)

    def close(self) -> None:
        pass


class AnimationSink:
    """One face over the whole run: the largest of the first frame that shows any; its newest texture.

    write_animation: writes (path, times (n,) s, coefficients (n, 239), texture (T, T, 4) uint8 RGBA or None).
    """

    def __init__(self, path: Path, write_animation: WriteAnimation):
        self._path = path
        self._write_animation = write_animation
        self._rows = Rows(path)
        self._track: int | None = None
        self._texture: np.ndarray | None = None
        self.paths: tuple[Path, ...] = ()

    def write(self, shot: Shot) -> None:
        face = largest([face for face in shot.faces if self._track in (None, face.track)])
        if face is None:
            return
        self._track = face.track
        self._texture = face.texture if face.texture is not None else self._texture
        self._rows.append(row_of(shot.original, face))

    def close(self) -> None:
        """No file where no face was seen. Raises SinkError."""
        if self._rows.count:
            rows = self._rows.read()
            with replacing_together(self._path) as temporary:
                self._write_animation(
                    temporary, np.array(rows["time"]), np.array(rows["coefficients"]), self._texture
                )
            del rows
            self.paths = (self._path,)
        self._rows.discard()


def largest(faces: Iterable[Face]) -> Face | None:
    """The face with the largest box among those with coefficients."""
    known = [face for face in faces if face.coefficients is not None]
    return max(known, key=lambda face: float(np.prod(face.box[2:] - face.box[:2])), default=None)
