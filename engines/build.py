"""Build ahead of time what opening a network would build on first use: the TensorRT plans of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engines import open_network
from engines.base import Unavailable
from engines.cache import cache_dir
from engines.manifest import read_manifest
from engines.providers import PROVIDERS


@dataclass(frozen=True, slots=True)
class Built:
    """A network that is ready on this machine, and how long that took."""

    name: str
    seconds: float


def build_all(
    quality: str = "auto",
    models_dir: Path | None = None,
    say: Callable[[str], None] = print,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Built, ...]:
    """Have a plan for every listed network in this user's cache. Those that are there already take no time.

    Raises Unavailable without TensorRT or a GPU (other providers need no building), EngineError when one fails.
    """
    try:
        say(PROVIDERS["tensorrt"].describe())
    except Unavailable as why:
        raise Unavailable(f"nothing to build: only TensorRT engines are built ahead, and {why}") from why
    built = []
    for name in dict.fromkeys(entry.name for entry in read_manifest(models_dir)):
        start = clock()
        open_network(name, quality, "tensorrt", models_dir=models_dir).close()
        built.append(Built(name, clock() - start))
        say(f"{name}: ready after {built[-1].seconds:.1f} s")
    say(f"plans are kept in {cache_dir()}")
    return tuple(built)
