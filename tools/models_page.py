"""MODELS.md: what every weight file is, what it was trained on, and under which terms; one table is generated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engines.base import EngineError
from engines.manifest import Entry

PAGE = Path(__file__).parents[1] / "MODELS.md"
START, END = "<!-- weights: written by `python -m tools.export --table` -->", "<!-- end of weights -->"
RESEARCH = "research, non-commercial"
LICENCES = {  # what a weight file may have learnt from, and the terms that follow for it
    "celeba": RESEARCH,
    "aaf": RESEARCH,
    "utkface": RESEARCH,
    "gan": RESEARCH,
    "helen": RESEARCH,
    "background": RESEARCH,
    "dlib68": RESEARCH,
    "ict_facekit": "MIT",
    "dlib_face_recognition": "CC0",
    "synthetic": "MIT",
}


def licence_of(trained_on: Sequence[str]) -> str:
    """The strictest terms among the sets. Raises EngineError for a set that is not listed, or none."""
    unknown = [name for name in trained_on if name not in LICENCES]
    if unknown or not trained_on:
        raise EngineError(f"--trained-on must name what it learnt from, of: {', '.join(LICENCES)}; not {unknown}")
    return RESEARCH if RESEARCH in {LICENCES[name] for name in trained_on} else "MIT"


def table_of(entries: Sequence[Entry]) -> str:
    """A Markdown table, one line per weight file."""
    lines = ["| network | quality | stored as | file | learnt from | terms | measured |", "|---" * 7 + "|"]
    for entry in entries:
        shown = ", ".join(
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in entry.metrics.items()
            if not name.startswith("from_torch")
        )
        lines.append(
            f"| {entry.name} | {entry.quality} | {entry.precision} | `{entry.file}` | {', '.join(entry.trained_on)} "
            f"| {entry.licence} | {shown} |"
        )
    return "\n".join(lines) if entries else "No weights are listed yet."


def write_table(page: Path, entries: Sequence[Entry]) -> None:
    """Replace the generated part of `page`. Raises EngineError when its markers are gone."""
    text = page.read_text(encoding="utf-8")
    if START not in text or END not in text:
        raise EngineError(f"{page} has lost its markers {START!r} and {END!r}")
    head, tail = text.split(START)[0], text.split(END)[1]
    page.write_text(f"{head}{START}\n\n{table_of(entries)}\n\n{END}{tail}", encoding="utf-8")
