"""Run as a program: a step of every training where no package can be imported but those of a bare GPU machine.

usage: python -m tests.tools.train.bare_machine DATA SHARDS IDENTITIES OUT
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import Any

GIVEN = ("torch", "numpy", "opencv-python-headless", "lightning")
OURS = ("realtime", "engines", "shaders", "tools", "tests")


def brought(names: Sequence[str]) -> set[str]:
    """Distributions that pip installs with `names`: what they require without extras, and so on."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = plain(waiting.pop())
        if name in found:
            continue
        try:
            wanted = requires(name) or []
        except PackageNotFoundError:
            continue
        found.add(name)
        waiting += [re.split(r"[\s;<>=!~\[(]", one, maxsplit=1)[0] for one in wanted if "extra ==" not in one]
    return found


def plain(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Bare(PathFinder):
    """Finds modules as ever, but of installed packages only those that come with the given ones."""

    def __init__(self) -> None:
        self.here = brought(GIVEN)
        self.absent = {
            module for module, owners in packages_distributions().items()
            if module not in OURS and not any(plain(owner) in self.here for owner in owners)
        }  # fmt: skip

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # type: ignore[override]
        return None if fullname.partition(".")[0] in self.absent else PathFinder.find_spec(fullname, path, target)

    def find_distributions(self, *arguments: Any, **named: Any) -> Iterator[Distribution]:  # type: ignore[override]
        """Their metadata is hidden too: some packages ask it what they may import."""
        for one in PathFinder.find_distributions(*arguments, **named):
            if plain(one.metadata["Name"]) in self.here:
                yield one


def main(data: Path, shards: Path, identities: Path, out: Path) -> None:
    sys.meta_path[sys.meta_path.index(PathFinder)] = Bare()
    for missing in ("numba", "onnxruntime", "matplotlib"):
        assert importlib.util.find_spec(missing) is None, missing
    from dataclasses import replace

    import numpy as np

    from tools.train.__main__ import FURTHER, NAMES
    from tools.train.task import Options
    from tools.train.trainer import train

    for name in (name for name in NAMES if name not in FURTHER):
        options = Options(data=data, out=out / name, minutes=10, shards=shards, identities=identities)
        task = importlib.import_module(f"tools.train.{name}").create_task(options)
        task.evaluate, task.sheet = (lambda model: {}), (lambda model: np.zeros((8, 8, 3), np.uint8))  # slow ones
        task.recipe = replace(task.recipe, batch=2, workers=0, warmup_steps=1)
        if hasattr(task.recipe, "negatives"):
            task.recipe = replace(task.recipe, negatives=1)
        print(train(task, options, steps=1), flush=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))
