"""A batch from beginning to end: what is left to do goes to an executor, what comes back into the manifest."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from realtime.batch.inputs import Job, find_jobs
from realtime.batch.manifest import Entry, Manifest
from realtime.batch.place import Place, fingerprint_of
from realtime.batch.work import Ended, Executor, Join, Outcome, Piece, Plan, Progress, Segment, Unit, Whole
from realtime.errors import NakedeyeError
from realtime.interruption import check
from realtime.machine import usable_cores
from realtime.options import Options

POLL_S = 0.5
SEGMENT_S = 120.0  # on a cluster: a warm-up of 5 s costs 4 %, and a long file keeps many machines busy
WISHES = ("remove", "faces", "smooth", "view", "sound", "quality", "provider", "renderer", "models_dir")
Watch = Callable[[dict[str, int]], None]  # finished frames of every file so far


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a library. entries: of all its files, in order. skipped: how many an earlier run had done."""

    entries: tuple[Entry, ...]
    skipped: int
    manifest: Path

    @property
    def failed(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.state == "failed")


def run_batch(options: Options, watch: Callable[[Sequence[Job]], Watch] = lambda jobs: lambda frames: None) -> Summary:
    """Converts every video and picture of `options.input` that is not done yet, results below `options.output`.

    One bad file never stops the others: it fails, in the manifest. Files that failed before are tried again.
    workers, ray, segment_s: see `Options`. watch: given the files to do, returns what is called with their progress.
    From a program: below `if __name__ == "__main__":`, since workers import the program anew.
    Raises UsageError for an input without files, DependencyError without ray where it is asked for, SinkError where
    the output folder cannot be written, NakedeyeError where another run is writing there.
    """
    jobs = find_jobs(Path(options.input).expanduser(), Path(options.output).expanduser())
    place = Place(Path(options.output).expanduser())
    with place.locked(), closing(place):
        manifest = Manifest(place.folder)
        wish = _wish(options)
        wanted = [(job, fingerprint_of(job, wish)) for job in jobs]
        left = [(job, print_) for job, print_ in wanted if not _is_done(manifest.entries.get(job.name), print_, place)]
        place.forget_others(left)
        if left:
            with ExitStack() as stack:
                executor = _open_executor(options, len(left))
                stack.callback(executor.close)
                tell = watch([job for job, _ in left])
                _Batch(left, executor, place, manifest, _segment_s(options), tell).run()
        manifest.settle(jobs)
    entries = tuple(manifest.entries[job.name] for job in jobs)
    return Summary(entries, len(jobs) - len(left), manifest.path)


def _open_executor(options: Options, files: int) -> Executor:
    if options.ray is not None:
        from realtime.batch.ray_cluster import RayCluster

        return RayCluster(options, options.ray)
    from realtime.batch.workers import Workers

    count = options.workers or usable_cores()
    return Workers(options, count if _segment_s(options) else min(count, files))


def _segment_s(options: Options) -> float:
    if options.segment_s is not None:
        return options.segment_s
    return SEGMENT_S if options.ray is not None else 0.0


def _wish(options: Options) -> str:
    """A digest of everything that changes the results."""
    asked = [getattr(options, name) for name in WISHES] + [_segment_s(options)]
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:12]


def _is_done(entry: Entry | None, fingerprint: str, place: Place) -> bool:
    if entry is None or entry.state != "done" or entry.fingerprint != fingerprint:
        return False
    return all(os.path.exists(place.folder / output) for output in entry.outputs)


@dataclass
class _File:
    """A file in work. pieces: outcomes of its segments by number; None: it is done whole. over: in the manifest."""

    job: Job
    fingerprint: str
    folder: Path
    segments: tuple[Segment, ...] = ()
    pieces: dict[int, Outcome] | None = None
    over: bool = False


class _Batch:
    """Feeds the executor, and follows each file from its first unit to its line in the manifest."""

    def __init__(
        self, left: Sequence[tuple[Job, str]], executor: Executor, place: Place, manifest: Manifest, segment_s: float,
        tell: Watch,
    ):  # fmt: skip
        self._executor, self._place, self._manifest = executor, place, manifest
        self._segment_s, self._tell = segment_s, tell
        self._waiting = deque(left)
        self._ready: deque[Unit] = deque()
        self._files: dict[str, _File] = {}
        self._out: set[Unit] = set()
        self._frames: dict[str, dict[Unit, int]] = {}

    def run(self) -> None:
        while self._waiting or self._ready or self._out:
            while self._executor.room() and (unit := self._next()) is not None:
                self._out.add(unit)
                self._executor.submit(unit)
            check()
            for event in self._executor.events(POLL_S):
                if isinstance(event, Progress):
                    self._count(event.unit, event.frames)
                else:
                    self._out.discard(event.unit)
                    self._end(event)
            self._tell({name: sum(units.values()) for name, units in self._frames.items()})

    def _next(self) -> Unit | None:
        """What files in work need first, so that few are open at a time."""
        while self._ready:
            unit = self._ready.popleft()
            if not self._files[unit.job.name].over:
                return unit
        if not self._waiting:
            return None
        job, fingerprint = self._waiting.popleft()
        file = _File(job, fingerprint, self._place.room_for(job, fingerprint))
        self._files[job.name] = file
        if self._segment_s and not job.is_picture:
            return Plan(job, file.folder, self._segment_s)
        return Whole(job, file.folder)

    def _count(self, unit: Unit, frames: int) -> None:
        file = self._files[unit.job.name]
        if not file.over and (file.pieces is not None or isinstance(unit, Whole)):
            self._frames.setdefault(unit.job.name, {})[unit] = frames

    def _end(self, event: Ended) -> None:
        unit, outcome = event.unit, event.outcome
        file = self._files[unit.job.name]
        if file.over:  # a segment of a file that has failed already
            self._clear(file)
        elif isinstance(unit, Piece) and file.pieces is None:
            pass  # of a file that is done whole by now
        elif outcome.uncuttable:
            self._do_whole(file)
        elif outcome.error is not None:
            self._fail(file, outcome.error, outcome)
        elif isinstance(unit, Plan):
            self._begin(file, outcome.segments)
        elif isinstance(unit, Piece):
            assert file.pieces is not None
            file.pieces[unit.segment.number] = outcome
            self._count(unit, unit.segment.frames)
            if len(file.pieces) == len(file.segments):
                self._ready.appendleft(Join(file.job, file.folder, file.segments))
        else:
            self._publish(file, unit, outcome)

    def _begin(self, file: _File, segments: tuple[Segment, ...]) -> None:
        if not segments:
            self._do_whole(file)
            return
        file.segments, file.pieces = segments, {}
        self._ready.extendleft(Piece(file.job, file.folder, segment) for segment in reversed(segments))

    def _do_whole(self, file: _File) -> None:
        """It cannot be cut, or its segments came to nothing."""
        file.segments, file.pieces = (), None
        self._frames.pop(file.job.name, None)
        self._ready = deque(one for one in self._ready if one.job != file.job)
        self._ready.appendleft(Whole(file.job, file.folder))

    def _publish(self, file: _File, unit: Unit, outcome: Outcome) -> None:
        assert outcome.finished is not None
        try:
            outputs = self._place.publish(file.job, outcome.finished)
        except NakedeyeError as error:
            self._fail(file, str(error), outcome)
            return
        if isinstance(unit, Whole):
            self._count(unit, outcome.frames)
        self._record(file, outcome, state="done", outputs=outputs)

    def _fail(self, file: _File, error: str, outcome: Outcome) -> None:
        self._record(file, outcome, state="failed", error=error)

    def _record(self, file: _File, outcome: Outcome, **more) -> None:  # type: ignore[no-untyped-def]
        done = [*(file.pieces or {}).values(), outcome]
        entry = Entry(
            file=file.job.name, frames=outcome.frames, faces=outcome.faces, fingerprint=file.fingerprint,
            seconds=round(sum(one.seconds for one in done), 3), attempts=max(one.attempts for one in done),
            warnings=tuple(dict.fromkeys(text for one in done for text in one.warnings)), **more,
        )  # fmt: skip
        self._manifest.add(entry)
        file.over = True
        self._clear(file)

    def _clear(self, file: _File) -> None:
        """Nobody may still be writing there."""
        if not any(unit.job == file.job for unit in self._out):
            self._place.clear(file.job, file.fingerprint)
