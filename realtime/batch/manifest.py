"""What became of every file: a line of JSON each, appended when it is known, and read again to go on after a stop."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from realtime.batch.inputs import Job
from realtime.errors import SinkError, reason
from realtime.sinks.growing import replacing

NAME = "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. file: path within the library. frames: of the result. faces: different faces that were followed.

    seconds: that the work took, on the one core it ran on, all pieces together. attempts: 2 where a worker had died.
    outputs: paths below the output folder. fingerprint: size and time of change of the file, and a digest of what was
    asked for: another one means that the work has to be done again.
    """

    file: str
    state: Literal["done", "failed"]
    frames: int = 0
    faces: int = 0
    seconds: float = 0.0
    error: str | None = None
    warnings: tuple[str, ...] = ()
    attempts: int = 1
    outputs: tuple[str, ...] = ()
    fingerprint: str = ""


class Manifest:
    """The file `manifest.jsonl` in a folder. One writer at a time; a reader sees whole lines."""

    def __init__(self, folder: Path):
        self.path = folder / NAME
        self.entries = {entry.file: entry for entry in _read(self.path)}
        self._rewrite()  # what a killed run left behind a half line would be lost with it

    def add(self, entry: Entry) -> None:
        """On disk when this returns. Raises SinkError."""
        self.entries[entry.file] = entry
        try:
            with open(self.path, "ab", buffering=0) as file:
                file.write(_line(entry))
                os.fsync(file.fileno())
        except OSError as error:
            raise SinkError(f"{self.path}: cannot be written: {reason(error)}") from error

    def settle(self, order: Iterable[Job]) -> None:
        """One line a file, in the order of the library; files that are no part of it any more keep theirs, behind."""
        first = [job.name for job in order]
        rest = [name for name in self.entries if name not in set(first)]
        self.entries = {name: self.entries[name] for name in [*first, *rest] if name in self.entries}
        self._rewrite()

    def _rewrite(self) -> None:
        with replacing(self.path) as temporary, open(temporary, "wb") as file:
            file.writelines(_line(entry) for entry in self.entries.values())
            file.flush()
            os.fsync(file.fileno())


def _line(entry: Entry) -> bytes:
    return (json.dumps(asdict(entry), ensure_ascii=False) + "\n").encode()


def _read(path: Path) -> list[Entry]:
    """Lines that cannot be understood, such as the half one of a killed run, are passed over. Raises SinkError."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SinkError(f"{path}: cannot be read: {reason(error)}") from error
    return [entry for line in lines if (entry := _entry(line)) is not None]


def _entry(line: bytes) -> Entry | None:
    try:
        values: dict[str, Any] = json.loads(line)
        values |= {name: tuple(values[name]) for name in ("warnings", "outputs") if name in values}
        return Entry(**values)
    except (ValueError, TypeError):
        return None
