"""Which files a library holds, and what their results are called."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from realtime.errors import UsageError, reason
from realtime.sources.pictures import is_picture, natural_key

VIDEO_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".3gp",
    ".ogv", ".mxf", ".vob", ".gif", ".y4m",
}  # fmt: skip
COMMENT = "#"


@dataclass(frozen=True, slots=True)
class Job:
    """One file of a library.

    name: its path within the library with forward slashes; also the folder of its results below the output folder.
    stem: what its results are called; the file's own, unless another file of the folder has the same.
    """

    name: str
    path: Path
    stem: str

    @property
    def folder(self) -> PurePosixPath:
        return PurePosixPath(self.name).parent

    @property
    def is_picture(self) -> bool:
        return is_picture(self.path)


def find_jobs(given: Path, output: Path) -> tuple[Job, ...]:
    """The videos and pictures below a folder, of a text file with a path a line, or the one file; in natural order.

    output: left out where it lies in the folder. Lines of a list may be relative to the working folder; empty ones and
    those after # are passed over; what they name need not exist. Raises UsageError where there is nothing to do.
    """
    if given.is_dir():
        if output.resolve() == given.resolve():
            raise UsageError(f"-o {output}: is the library itself; results need a folder of their own")
        paths = list(_files_below(given, output))
        if not paths:
            raise UsageError(f"{given}: holds no videos and no pictures, nor do the folders in it")
        return _jobs(paths, given)
    if not given.is_file():
        raise UsageError(f"{given}: is no folder and no file; -i takes a folder, or a text file with a path a line")
    if is_picture(given) or given.suffix.lower() in VIDEO_SUFFIXES:
        return _jobs([given], given.parent)
    paths = _listed(given)
    if not paths:
        raise UsageError(f"{given}: lists no files; it is read as text with a path a line")
    return _jobs(paths, Path(os.path.commonpath([path.parent for path in paths])))


def _files_below(folder: Path, output: Path) -> Iterator[Path]:
    """Hidden files and folders are left out, and links to folders are not followed."""
    skipped = output.resolve()
    for parent, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if not one.startswith(".") and Path(parent, one).resolve() != skipped]
        for name in names:
            path = Path(parent, name)
            if not name.startswith(".") and (is_picture(path) or path.suffix.lower() in VIDEO_SUFFIXES):
                yield path


def _listed(listing: Path) -> list[Path]:
    """Absolute paths, each once."""
    try:
        text = listing.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{listing}: cannot be read: {reason(error)}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{listing}: is neither a video, a picture, nor a text file with a path a line") from error
    lines = (line.strip() for line in text.splitlines())
    return list(dict.fromkeys(Path(line).expanduser().absolute() for line in lines if line and line[0] != COMMENT))


def _jobs(paths: Sequence[Path], root: Path) -> tuple[Job, ...]:
    names = sorted((path.relative_to(root).as_posix() for path in paths), key=_order)
    alike = Counter(_stem_key(name) for name in names)
    taken: set[str] = set()
    return tuple(Job(name, (root / name).absolute(), _free_stem(name, alike, taken)) for name in names)


def _order(name: str) -> list[list[tuple[int, str | int]]]:
    return [natural_key(part) for part in name.split("/")]


def _stem_key(name: str) -> str:
    """The same for files whose results would have the same names, also where case does not count."""
    return str(PurePosixPath(name).with_suffix("")).casefold()


def _free_stem(name: str, alike: Counter[str], taken: set[str]) -> str:
    """a.jpg and a.png in one folder: a_jpg and a_png."""
    path = PurePosixPath(name)
    stem = path.stem if alike[_stem_key(name)] == 1 else f"{path.stem}_{path.suffix[1:]}"
    base, number = stem, 2
    while (key := str(path.parent / stem).casefold()) in taken:
        stem, number = f"{base}_{number}", number + 1
    taken.add(key)
    return stem
