"""Where results go: what every sink is given and promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from realtime.frame import Faces, Frame


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One frame at the end of the loop.

    original: as captured. frame: after the stages, glasses off. rendered: (H, W, 3) uint8 RGB with the view drawn,
    (H, W, 4) RGBA with straight alpha where its background is transparent, or None where nothing renders.
    timings_s: seconds each stage took for this frame. captured_s: when it came, on the loop's clock. All pictures are
    read-only.
    """

    original: Frame
    frame: Frame
    faces: Faces
    rendered: np.ndarray | None = None
    timings_s: dict[str, float] = field(default_factory=dict)
    captured_s: float = 0.0


class Sink(Protocol):
    """Called on one thread, `close` exactly once, also when the run failed: what was written is made usable.

    An output that cannot be created raises SinkError in the constructor, before any work is done for it.
    `paths` are the files that exist after `close`.
    """

    def write(self, shot: Shot) -> None: ...

    def close(self) -> None: ...

    @property
    def paths(self) -> tuple[Path, ...]: ...


class NullSink:
    """Takes everything, keeps nothing but the number of frames: for measuring."""

    paths: tuple[Path, ...] = ()

    def __init__(self) -> None:
        self.frames = 0

    def write(self, shot: Shot) -> None:
        self.frames += 1

    def close(self) -> None:
        pass
