"""Have every network ready before it is needed: opening one on TensorRT builds its plan and keeps it for this user."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engines import open_network
from engines.manifest import read_manifest


@dataclass(frozen=True, slots=True)
class Built:
    """A network that is ready on this machine: with which provider, and how long that took."""

    name: str
    provider: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.name:14} ready on {self.provider} after {self.seconds:.1f} s"


def build_all(
    names: Sequence[str] = (),
    quality: str = "auto",
    provider: str = "auto",
    models_dir: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Built]:
    """Open each network once (all listed ones unless `names`) and say when it is ready, one by one.

    Raises EngineError for the first that cannot be opened. Plans that are in the cache already take no time.
    """
    for name in names or dict.fromkeys(entry.name for entry in read_manifest(models_dir)):
        start = clock()
        with open_network(name, quality, provider, models_dir=models_dir) as engine:
            yield Built(name, engine.provider, clock() - start)
