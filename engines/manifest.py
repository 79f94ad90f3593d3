"""The list of weight files, `models.toml`, and the loading of a file that proves to be the one listed.

An entry: name, quality, file, sha256, precision, inputs, outputs, trained_on, licence, metrics.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.base import WeightsError

ENGINES_DIR = Path(__file__).parent
MANIFEST = "models.toml"
PRECISIONS = ("fp32", "fp16", "int8w", "int8")
REQUIRED = ("name", "quality", "file", "sha256", "precision", "inputs", "outputs", "trained_on", "licence")


@dataclass(frozen=True)
class Entry:
    """One weight file.

    precision: how the file stores weights and computes: fp32; fp16 and int8w store weights small and compute in fp32;
        int8 computes in integers (static QDQ quantisation).
    inputs, outputs: {name: shape}, a str is a dimension that varies.
    metrics: {measure: value}, of this very file.
    """

    name: str
    quality: str
    file: str
    sha256: str
    precision: str
    inputs: Mapping[str, tuple[int | str, ...]]
    outputs: Mapping[str, tuple[int | str, ...]]
    trained_on: tuple[str, ...]
    licence: str
    metrics: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.name} ({self.quality}, {self.precision})"


@dataclass(frozen=True)
class Weights:
    """A weight file, read and checked against its entry. `onnx`: its bytes."""

    entry: Entry
    path: Path
    onnx: bytes = field(repr=False)


def read_manifest(models_dir: Path | None = None) -> tuple[Entry, ...]:
    """Entries of `models_dir`/models.toml (ours by default). Raises WeightsError saying what is wrong and where."""
    path = (models_dir or ENGINES_DIR) / MANIFEST
    try:
        listed = tomllib.loads(path.read_text(encoding="utf-8")).get("model", [])
    except FileNotFoundError:
        raise WeightsError(f"no list of weights at {path}: reinstall, or point to a folder with a {MANIFEST}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as why:
        raise WeightsError(f"cannot read the list of weights {path}: {why}") from why
    return tuple(_entry(table, path) for table in listed)


def _entry(table: dict[str, Any], path: Path) -> Entry:
    label = f"{path}: model {table.get('name', '?')!r}"
    missing = [key for key in REQUIRED if key not in table]
    if missing:
        raise WeightsError(f"{label} lacks {', '.join(missing)}")
    unknown = set(table) - set(Entry.__dataclass_fields__)
    if unknown:
        raise WeightsError(f"{label} has unknown keys {', '.join(sorted(unknown))}")
    if table["precision"] not in PRECISIONS:
        raise WeightsError(f"{label}: precision {table['precision']!r} is none of {', '.join(PRECISIONS)}")
    shapes = {side: {name: tuple(shape) for name, shape in table[side].items()} for side in ("inputs", "outputs")}
    return Entry(**{**table, **shapes, "trained_on": tuple(table["trained_on"])})


def entries_of(name: str, entries: tuple[Entry, ...], quality: str = "auto") -> tuple[Entry, ...]:
    """The entries of network `name`, of one quality unless "auto". Raises WeightsError naming what there is."""
    of_name = tuple(entry for entry in entries if entry.name == name)
    if not of_name:
        known = ", ".join(sorted({entry.name for entry in entries})) or "nothing"
        raise WeightsError(f"no weights for a network named {name!r}; the list of weights has {known}")
    chosen = of_name if quality == "auto" else tuple(entry for entry in of_name if entry.quality == quality)
    if not chosen:
        known = ", ".join(sorted({entry.quality for entry in of_name}))
        raise WeightsError(f"no {quality!r} weights for {name}; there is {known}")
    return chosen


def load_weights(entry: Entry, models_dir: Path | None = None) -> Weights:
    """Read the file of `entry` (from `models_dir`/weights or ours) and check its sha256.

    Raises WeightsError, saying the path and what to do, when the file is missing, unreadable or not the one listed.
    """
    path = (models_dir or ENGINES_DIR) / "weights" / entry.file
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise WeightsError(f"weights of {entry.label} are missing: {path} does not exist; reinstall Nakedeye") from None
    except OSError as why:
        raise WeightsError(f"cannot read the weights of {entry.label}: {path}: {why.strerror}") from why
    found = hashlib.sha256(content).hexdigest()
    if found != entry.sha256:
        raise WeightsError(
            f"weights of {entry.label} are damaged: {path} ({len(content)} bytes) has sha256 {found[:12]}…, "
            f"{MANIFEST} expects {entry.sha256[:12]}…; reinstall Nakedeye, or export the file again"
        )
    return Weights(entry, path, content)


def dump_manifest(entries: tuple[Entry, ...]) -> str:
    """The text of a models.toml with these entries, sorted by name, quality and precision."""
    head = "# Weight files in weights/. Written by `python -m tools.export`; sha256 is checked when a file is opened.\n"
    ordered = sorted(entries, key=lambda entry: (entry.name, entry.quality, entry.precision))
    return head + "".join("\n" + _dump_entry(entry) for entry in ordered)


def _dump_entry(entry: Entry) -> str:
    lines = ["[[model]]"]
    for key in ("name", "quality", "file", "sha256", "precision"):
        lines.append(f"{key} = {_dump(getattr(entry, key))}")
    for key in ("inputs", "outputs"):
        pairs = ", ".join(f"{name} = {_dump(shape)}" for name, shape in getattr(entry, key).items())
        lines.append(f"{key} = {{ {pairs} }}")
    lines += [f"trained_on = {_dump(entry.trained_on)}", f"licence = {_dump(entry.licence)}"]
    if entry.metrics:
        lines.append("[model.metrics]")
        lines += [f"{_dump(name)} = {_dump(value)}" for name, value in entry.metrics.items()]
    return "\n".join(lines) + "\n"


def _dump(value: object) -> str:
    """A TOML value: text, number, or a list of them."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML basic string
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_dump(item) for item in value) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
