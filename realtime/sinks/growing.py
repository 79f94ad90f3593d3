"""Files that grow while a run lasts: under a temporary name beside the final one, usable if the run is killed."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from realtime.errors import SinkError, reason


def part_path(path: Path) -> Path:
    """clip.mp4 -> clip.part.mp4: the ending stays, so that players know what it is."""
    return path.with_name(f"{path.stem}.part{path.suffix}")


class GrowingFile(io.FileIO):
    """A new file, unbuffered, whose writes are complete or raise: a full disk may otherwise swallow half of one."""

    def __init__(self, path: Path):
        super().__init__(path, "w+")

    def write(self, data) -> int:  # type: ignore[no-untyped-def, override]
        rest = memoryview(data).cast("B")
        total = len(rest)
        while rest:
            rest = rest[super().write(rest) :]
        return total


def make_folder(folder: Path) -> None:
    """With all folders above it. Raises SinkError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise SinkError(f"{folder}: cannot be made: a file stands where a folder is needed") from error
    except OSError as error:
        raise SinkError(f"{folder}: cannot be made: {reason(error)}") from error


def create(path: Path) -> GrowingFile:
    """Raises SinkError that says why the file cannot be made."""
    if path.is_dir():
        raise SinkError(f"{path}: cannot be written: a folder has this name")
    make_folder(path.parent)
    try:
        return GrowingFile(part_path(path))
    except OSError as error:
        raise SinkError(f"{path}: cannot be written: {reason(error)}") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path; what was written there takes the place of `path`, unless the body raised."""
    temporary = path.with_name(f"{path.stem}.new{path.suffix}")
    make_folder(path.parent)
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written: {reason(error)}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_together(path: Path) -> Iterator[Path]:
    """Like `replacing`, for a writer that puts further files beside `path` (an OBJ's material and texture).

    The temporary path has the final name, in a folder of its own, so that files can name each other.
    """
    make_folder(path.parent)
    try:
        with TemporaryDirectory(prefix=f".{path.stem}.", dir=path.parent) as folder:
            yield Path(folder) / path.name
            for written in sorted(Path(folder).iterdir()):
                os.replace(written, path.parent / written.name)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written: {reason(error)}") from error


def keep_whole_fragments(path: Path) -> bool:
    """Cuts a fragmented MP4 behind its last complete fragment. False where not even one is complete."""
    end = os.path.getsize(path)
    position = whole = 0
    with open(path, "r+b") as file:
        while position + 8 <= end:
            file.seek(position)
            size, kind = struct.unpack(">I4s", file.read(8))
            if size == 1:
                size = struct.unpack(">Q", file.read(8))[0]
            if size < 8 or position + size > end:
                break
            position += size
            if kind == b"mdat":
                whole = position
        file.truncate(whole)
    return whole > 0
