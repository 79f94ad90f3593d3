"""The cache of engines that were built for this machine: one file per network, rebuilt whenever anything differs.

A file is a line of JSON (what the plan was built for, its length and sha256) and the plan itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from engines.base import Unavailable

T = TypeVar("T")
MAGIC = "nakedeye plan 1"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """All that a plan depends on; it serves only where every field is equal.

    onnx_sha256: of the network's file. library: with version, "TensorRT 10.9.0". compute_capability: "8.9".
    shapes: {input: (smallest, usual, largest shape)}.
    """

    onnx_sha256: str
    library: str
    gpu: str
    compute_capability: str
    precision: str
    shapes: Mapping[str, tuple[tuple[int, ...], ...]]

    def as_json(self) -> dict[str, Any]:
        """As it is read back from a file: lists for tuples."""
        return json.loads(json.dumps(asdict(self), sort_keys=True))

    def slot(self) -> str:
        """Eight hex digits for what may live side by side: GPUs, precisions, shapes. The rest replaces one another."""
        beside = {key: self.as_json()[key] for key in ("gpu", "compute_capability", "precision", "shapes")}
        return hashlib.sha256(json.dumps(beside, sort_keys=True).encode()).hexdigest()[:8]


class Stale(Exception):
    """A plan cannot be used; the message says why, as the reason of a rebuild."""


def cache_dir(
    environ: Mapping[str, str] = os.environ, home: Path | None = None, system: str = platform.system()
) -> Path:
    """Where this user's plans lie; never the working folder."""
    home = home or Path.home()
    if environ.get("XDG_CACHE_HOME"):
        base = Path(environ["XDG_CACHE_HOME"])
    elif system == "Windows":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        base = home / "Library" / "Caches" if system == "Darwin" else home / ".cache"
    return base / "nakedeye" / "engines"


def cached(
    label: str,
    fingerprint: Fingerprint,
    build: Callable[[], bytes],
    load: Callable[[bytes], T],
    directory: Path,
    say: Callable[[str], None],
) -> T:
    """`load`(plan) of the cached plan, or of a newly built one where there is none that serves.

    label: name of the network and its file. load raises Stale for a plan that its library rejects.
    say: told why a plan is built, and if it cannot be kept. Raises Unavailable when a new plan is rejected too.
    """
    path = directory / f"{label}-{fingerprint.slot()}.plan"
    try:
        return load(read_plan(path, fingerprint))
    except Stale as why:
        say(f"building {label} for {fingerprint.gpu} ({why})")
    plan = build()
    try:
        write_plan(path, fingerprint, plan)
    except OSError as why:
        say(f"the plan cannot be kept in {directory} ({why.strerror}): it will be built again next time")
    try:
        return load(plan)
    except Stale as why:
        raise Unavailable(f"{fingerprint.library} rejects the plan that it has just built for {label}: {why}") from why


def read_plan(path: Path, fingerprint: Fingerprint) -> bytes:
    """The plan in `path`. Raises Stale when there is none, it is damaged, or it was built for something else."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise Stale("first use") from None
    except OSError as why:
        raise Stale(f"the cached plan cannot be read: {why.strerror}") from None
    head, _, plan = content.partition(b"\n")
    try:
        described = json.loads(head)
        magic, built_for, digest = described["magic"], described["fingerprint"], described["sha256"]
    except (ValueError, KeyError, TypeError):
        raise Stale("the cached plan is damaged") from None
    if magic != MAGIC or hashlib.sha256(plan).hexdigest() != digest:
        raise Stale("the cached plan is damaged")
    wanted = fingerprint.as_json()
    changed = sorted(key for key in wanted if built_for.get(key) != wanted[key])
    if changed:
        raise Stale(f"{', '.join(changed)} changed since the cached plan was built")
    return plan


def write_plan(path: Path, fingerprint: Fingerprint, plan: bytes) -> None:
    """Keep `plan`, all of it or nothing. Raises OSError."""
    described = {"magic": MAGIC, "fingerprint": fingerprint.as_json(), "sha256": hashlib.sha256(plan).hexdigest()}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(json.dumps(described, sort_keys=True).encode() + b"\n" + plan)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
