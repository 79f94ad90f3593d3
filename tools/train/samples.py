"""Labelled crops out of the data factory's shards (layout: docs/architecture.md), with every label.

Shards stay in memory as they are on disk; a picture is decoded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

VALUES = ("kind", "points", "points_weight", "coefficients", "source", "synthetic", "lens_scale")


@dataclass(frozen=True, eq=False)
class Sample:
    """One labelled crop. kind: 0 none, 1 clear, 2 dark; coefficients (239,) crop pixels, NaN where unknown."""

    shard: dict[str, np.ndarray]
    row: int

    def picture(self, name: str) -> np.ndarray:
        """`image`, `clean`: (256, 256, 3) uint8 RGB; `labels`, `shadow`: (256, 256) uint8.

        Raises ValueError when the stored bytes are damaged.
        """
        start, end = self.shard[f"{name}_offsets"][self.row : self.row + 2]
        grey = name in ("labels", "shadow")
        decoded = cv2.imdecode(self.shard[name][start:end], cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB)
        if decoded is None:
            raise ValueError(f"damaged shard: `{name}` of {self.value('source')} cannot be decoded")
        return decoded

    def value(self, name: str) -> np.ndarray:
        """One of VALUES."""
        return self.shard[name][self.row]


class Samples:
    """The crops of one folder of .npz shards, in the order of the files' names.

    Raises FileNotFoundError when the folder holds none.
    """

    def __init__(self, folder: Path):
        files = sorted(
            file for file in Path(folder).glob("*.npz") if not file.name.startswith(".")
        )  # hidden: being written
        self.shards: list[dict[str, np.ndarray]] = []
        for file in files:
            with np.load(file, allow_pickle=False) as arrays:
                if "image_offsets" in arrays:  # not `worn.npz`
                    self.shards.append({name: arrays[name] for name in arrays.files})
        if not self.shards:
            raise FileNotFoundError(
                f"no training shards: {folder} holds no .npz; make some with python -m tools.factory"
            )
        self.starts = np.cumsum([0] + [len(shard["kind"]) for shard in self.shards])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        k = int(np.searchsorted(self.starts, index, "right")) - 1
        return Sample(self.shards[k], int(index - self.starts[k]))

    def __iter__(self) -> Iterator[Sample]:
        return (self[k] for k in range(len(self)))

    def values(self, name: str) -> np.ndarray:
        """One of VALUES for all crops."""
        return np.concatenate([shard[name] for shard in self.shards])

    def photographs(self) -> list[str]:
        """Each crop's photograph as set/file ("synthetic" for a rendered head), without the family of its glasses."""
        return [str(source).split("+")[0] for source in self.values("source")]
