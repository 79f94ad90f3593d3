"""What there is to do, in units that any process on any machine can do, and what comes of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from realtime.batch.inputs import Job

RETRIES = 1  # of a unit whose worker died: it may have been the machine; twice, it is the file
Tell = Callable[[int], None]  # frames of the result that are finished since the last call


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a video between key frames, in ticks of its time base.

    key: decoding begins with this key frame. warm: the first frame that is looked at, so that tracks, filters and
    averages know the scene when first, the first frame that is kept, comes. end: the first frame of the next segment;
    None: the last goes to the end. warm_index, first_index: their places in the whole. frames: that are kept.
    """

    number: int
    key: int
    warm: int
    first: int
    end: int | None
    warm_index: int
    first_index: int
    frames: int


@dataclass(frozen=True, slots=True)
class Whole:
    """Convert a file. folder: of its own, for what is not finished."""

    job: Job
    folder: Path


@dataclass(frozen=True, slots=True)
class Plan:
    """Find where a video can be cut into segments of about so many seconds."""

    job: Job
    folder: Path
    seconds: float


@dataclass(frozen=True, slots=True)
class Piece:
    """Convert one segment of a video."""

    job: Job
    folder: Path
    segment: Segment


@dataclass(frozen=True, slots=True)
class Join:
    """Make the results of a file from those of its segments."""

    job: Job
    folder: Path
    segments: tuple[Segment, ...]


Unit = Whole | Plan | Piece | Join


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a unit.

    error: why it failed, in a line. uncuttable: the file can only be done in one piece. finished: the folder that holds
    the results. frames, faces, seconds, warnings, attempts: as in the manifest. segments: of a plan; () for one piece.
    """

    error: str | None = None
    uncuttable: bool = False
    finished: Path | None = None
    frames: int = 0
    faces: int = 0
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    attempts: int = 1
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """frames: of the unit's result that are finished so far; begins anew when a unit is tried again."""

    unit: Unit
    frames: int


@dataclass(frozen=True, slots=True)
class Ended:
    unit: Unit
    outcome: Outcome


class Executor(Protocol):
    """Where units are done. A unit that is submitted ends, with an outcome, whatever happens to who does it."""

    def room(self) -> bool:
        """Whether another unit may be submitted now."""
        ...

    def submit(self, unit: Unit) -> None: ...

    def events(self, timeout_s: float) -> list[Progress | Ended]:
        """What has happened since the last call; waits for something at most so long."""
        ...

    def close(self) -> None:
        """Ends everything that still runs."""
        ...
