"""Faces with landmarks out of the data factory's shards (layout: docs/architecture.md), for the landmark network."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from tools.photos import decode


class RenderedFaces:
    """Draws aligned 256x256 crops that wear rendered glasses; only encoded pictures and points stay in memory."""

    def __init__(self, folder: Path):
        files = sorted(Path(folder).glob("*.npz"))
        if not files:
            raise FileNotFoundError(f"no shards: {folder} holds no .npz file; make some with python -m tools.factory")
        self._images: list[np.ndarray] = []
        points, weights = [], []
        for path in files:
            shard = np.load(path)
            if "image_offsets" not in shard.files:  # what lies beside the shards: worn.npz, removed.npz
                continue
            ends = shard["image_offsets"]
            self._images += [shard["image"][a:b].copy() for a, b in pairwise(ends)]
            points.append(shard["points"])
            weights.append(shard["points_weight"])
        self._points = np.concatenate(points).astype(np.float32)  # (N, 68, 2)
        self._weights = np.concatenate(weights).astype(np.float32)  # (N, 68)
        self._usable = np.flatnonzero(self._weights.sum(1) > 0)

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(256, 256, 3) uint8 RGB, (68, 2) pixels, (68,) weights."""
        i = int(rng.choice(self._usable))
        return decode(self._images[i]), self._points[i], self._weights[i]
