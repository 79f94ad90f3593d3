"""Drives the faces of a joined file anew: a segment knows a person only from its own beginning, the file from its."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime.face.drive import Drive, Look, Looks
from realtime.frame import Face, Faces, Frame
from realtime.stages.drive import DriveState
from realtime.tracking import TrackStates


class DriveAgain:
    """What `stages.drive.DriveAvatar` does, from looks that were recorded. Frames come in order, from the first one on.

    smooth, adapt: as in the run that recorded them.
    """

    def __init__(self, smooth: float, adapt: bool):
        self._smooth, self._adapt = smooth, adapt
        self._tracks: TrackStates[DriveState] = TrackStates(lambda: DriveState(0))

    def __call__(self, frame: Frame, faces: Faces, looks: Sequence[Looks | None]) -> Faces:
        states = self._tracks.of(frame, faces)
        return tuple(self._driven(frame, *one) for one in zip(faces, looks, states, strict=True))

    def _driven(self, frame: Frame, face: Face, looks: Looks | None, state: DriveState) -> Face:
        if looks is None:
            return face
        return state.take(face, looks, state.clock.tick(frame.time_s), self._smooth, self._adapt)


def table_of(drive: Drive | None) -> np.ndarray:
    """(2, 6) float64: yaw, pitch, strength, visible, gap, shut of left and right eye; NaN where not measured."""
    if drive is None or drive.looks is None:
        return np.full((2, 6), np.nan)
    rows = [[*look.direction, look.strength, look.visible, look.gap, look.shut] for look in drive.looks]
    return np.array(rows, np.float64)


def looks_of(table: np.ndarray) -> Looks | None:
    """The inverse of `table_of`."""
    if np.isnan(table[:, :4]).any():
        return None
    left, right = (Look(row[:2], *(float(value) for value in row[2:])) for row in table)
    return left, right
