"""The stages of the program: each takes a picture and its faces, and gives them back with one thing more known."""

from __future__ import annotations

from typing import Protocol

from realtime.frame import Faces, Frame


class Stage(Protocol):
    """One step, `(Frame, Faces) -> (Frame, Faces)`. Knows nothing of threads: one call at a time, frames in order.

    name: short lower-case name, under which its time is shown.
    """

    name: str

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]: ...

    def close(self) -> None: ...
