"""The output folder of a batch: who works in it, what is unfinished, and how finished results get their names."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from realtime.batch.inputs import Job
from realtime.errors import NakedeyeError, SinkError, reason
from realtime.sinks.growing import make_folder

UNFINISHED = ".unfinished"
FINISHED_PIECE = re.compile(r"piece-\d{4}")


class Place:
    """Results below `folder`, as in the library; what is not finished below `folder/.unfinished`."""

    def __init__(self, folder: Path):
        self.folder = folder.absolute()
        self._unfinished = self.folder / UNFINISHED
        make_folder(self._unfinished)

    def room_for(self, job: Job, fingerprint: str) -> Path:
        """A folder for the unfinished work on a file; it keeps the segments that an earlier run has finished."""
        folder = self._room(job, fingerprint)
        make_folder(folder)
        for entry in folder.iterdir():
            if not FINISHED_PIECE.fullmatch(entry.name):
                shutil.rmtree(entry, ignore_errors=True)
        return folder

    def forget_others(self, wanted: list[tuple[Job, str]]) -> None:
        """Removes what stopped runs have left of files that are done, changed, or no longer asked for."""
        names = {self._room(job, fingerprint).name for job, fingerprint in wanted}
        for entry in self._unfinished.iterdir():
            if entry.is_dir() and entry.name not in names:
                shutil.rmtree(entry, ignore_errors=True)

    def publish(self, job: Job, finished: Path) -> tuple[str, ...]:
        """Moves results to their places, each whole; their paths below the folder. Raises SinkError."""
        target = self.folder / job.folder
        make_folder(target)
        names = []
        try:
            for path in sorted(finished.iterdir()):
                name = job.stem + path.name.removeprefix(job.path.stem)
                os.replace(path, target / name)
                names.append((job.folder / name).as_posix())
        except OSError as error:
            raise SinkError(f"{target}: results cannot be put there: {reason(error)}") from error
        return tuple(names)

    def clear(self, job: Job, fingerprint: str) -> None:
        shutil.rmtree(self._room(job, fingerprint), ignore_errors=True)

    def close(self) -> None:
        """Leaves no empty folder behind."""
        try:
            self._unfinished.rmdir()
        except OSError:
            pass

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Raises NakedeyeError while another run works here; the lock of a killed one is void."""
        try:
            import fcntl
        except ImportError:  # Windows: two runs in one folder are up to the user
            yield
            return
        with open(self.folder / f"{UNFINISHED}.lock", "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise NakedeyeError(f"{self.folder}: another run is writing there; wait for it or stop it") from error
            yield

    def _room(self, job: Job, fingerprint: str) -> Path:
        return self._unfinished / hashlib.sha256(f"{job.name}\0{fingerprint}".encode()).hexdigest()[:20]


def fingerprint_of(job: Job, wish: str) -> str:
    """Changes when the file changes, or the `wish`; a file that cannot be looked at has one of its own."""
    try:
        found = job.path.stat()
    except OSError:
        return f"absent {wish}"
    return f"{found.st_size} {found.st_mtime_ns} {wish}"
