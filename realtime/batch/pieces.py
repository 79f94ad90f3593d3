"""What is known of a segment beside its pictures, on its way from who converted it to who joins the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from realtime.align import box_of
from realtime.batch.driving import DriveAgain, looks_of, table_of
from realtime.frame import Face, Frame, Glasses
from realtime.sinks.base import Shot, Sink
from realtime.sinks.growing import replacing
from realtime.sinks.rows import ROW, row_of

NOGLASSES, SIDEBYSIDE, RECORD = "noglasses.mp4", "sidebyside.mp4", "record.npz"  # files of a segment


@dataclass(frozen=True, slots=True)
class Record:
    """index, pts, cut: (n,) of every frame, those of the warm-up too. rows: (m,) of dtype ROW, a row a face and frame.

    looks: (m, 2, 5) float64 of the same rows, see `driving.table_of`.
    textures: the last (T, T, 4) uint8 of every track that has one.
    """

    index: np.ndarray
    pts: np.ndarray
    cut: np.ndarray
    rows: np.ndarray
    looks: np.ndarray
    textures: dict[int, np.ndarray]

    def renumbered(self, numbers: dict[int, int]) -> Record:
        """With the tracks called what `numbers` says."""
        rows = self.rows.copy()
        rows["face"] = [numbers[int(track)] for track in self.rows["face"]]
        return replace(self, rows=rows, textures={numbers[track]: one for track, one in self.textures.items()})

    def shots(self, first_index: int, time_base: Fraction, drive: DriveAgain) -> Iterator[Shot]:
        """From `first_index` on, without pictures: what sinks that write no pictures need."""
        starts = np.searchsorted(self.rows["frame"], self.index, "left")
        ends = np.searchsorted(self.rows["frame"], self.index, "right")
        for index, pts, cut, start, end in zip(self.index, self.pts, self.cut, starts, ends, strict=True):
            if index >= first_index:
                frame = Frame(NO_PICTURE, int(index), int(pts), time_base, cut=bool(cut))
                faces = tuple(self._face(row) for row in self.rows[start:end])
                yield Shot(frame, frame, drive(frame, faces, [looks_of(one) for one in self.looks[start:end]]))

    def _face(self, row: np.void) -> Face:
        track, landmarks = int(row["face"]), np.array(row["landmarks"])
        return Face(
            track, box_of(landmarks), landmarks, float(row["confidence"]), Glasses(int(row["glasses"])),
            float(row["glasses_confidence"]), coefficients=np.array(row["coefficients"]),
            texture=self.textures.get(track),
        )  # fmt: skip


NO_PICTURE = np.zeros((0, 0, 3), np.uint8)


class RecordSink:
    """Writes the Record of what passes. path: of the file."""

    def __init__(self, path: Path):
        self._path = path
        self._index: list[int] = []
        self._pts: list[int] = []
        self._cut: list[bool] = []
        self._looks: list[np.ndarray] = []
        self._rows: list[np.ndarray] = []
        self._textures: dict[int, np.ndarray] = {}
        self.paths: tuple[Path, ...] = ()

    def write(self, shot: Shot) -> None:
        self._index.append(shot.original.index)
        self._pts.append(shot.original.pts)
        self._cut.append(shot.frame.cut)
        for face in shot.faces:
            if face.coefficients is not None:
                self._rows.append(row_of(shot.original, face))
                self._looks.append(table_of(face.drive))
            if face.texture is not None:
                self._textures[face.track] = face.texture

    def close(self) -> None:
        arrays = {f"texture_{track}": texture for track, texture in self._textures.items()}
        arrays |= {"index": np.array(self._index, np.int64), "pts": np.array(self._pts, np.int64)}
        arrays |= {"cut": np.array(self._cut, bool), "looks": np.array(self._looks, np.float64).reshape(-1, 2, 6)}
        arrays["rows"] = np.array(self._rows, ROW).reshape(-1)
        with replacing(self._path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        self.paths = (self._path,)


def read_record(path: Path) -> Record:
    with np.load(path) as found:
        textures = {int(name.removeprefix("texture_")): found[name] for name in found if name.startswith("texture_")}
        return Record(found["index"], found["pts"], found["cut"], found["rows"], found["looks"], textures)


class From:
    """A sink that is given the frames from `first_index` on, and not the warm-up."""

    def __init__(self, sink: Sink, first_index: int):
        self._sink, self._first = sink, first_index

    @property
    def paths(self) -> tuple[Path, ...]:
        return self._sink.paths

    def write(self, shot: Shot) -> None:
        if shot.original.index >= self._first:
            self._sink.write(shot)

    def close(self) -> None:
        self._sink.close()
