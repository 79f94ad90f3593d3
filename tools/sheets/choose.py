"""Which photographs go on the sheets: those labelled as wearing glasses, then others where the deleter finds some."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tools.glasses_labels import labelled_glasses
from tools.photos import Photographs

SETS = ("aaf", "utkface", "celeba", "gan", "helen")
WORST = Path(__file__).with_name("worst.txt")


def labelled(data: Path) -> list[str]:
    """Names "set/file" of the photographs on which a person saw clear or dark glasses."""
    return [name for name, kind in labelled_glasses(data).items() if kind in ("clear", "dark")]


def others(photos: Photographs, known: set[str], seed: int) -> Iterator[str]:
    """Names of further photographs, one of each set in turn, always in the same order."""
    rng = np.random.default_rng(seed)
    orders = []
    for name in SETS:
        listed = [photo.name for photo in photos.of_set(name) if photo.name not in known]
        orders.append([listed[i] for i in rng.permutation(len(listed))])
    for i in range(max((len(order) for order in orders), default=0)):
        yield from (order[i] for order in orders if i < len(order))


def read_names(path: Path) -> list[str]:
    """The names of a list, a line each, "#" comments left out. Raises FileNotFoundError."""
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]
