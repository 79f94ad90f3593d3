"""Batches for a task, prepared by a data process: batch number s depends on the seed and s alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tools.train.task import Batch, Task

MAKING_S = "making_s"  # of a batch on its way from the data process: how long it took there


class Batches(Dataset[dict[str, np.ndarray]]):
    """Batch number s of a task, for any s: what the data process runs."""

    def __init__(self, task: Task, seed: int):
        self.task, self.seed = task, seed

    def __getitem__(self, step: int) -> dict[str, np.ndarray]:
        start = time.perf_counter()
        drawn = self.task.batch(np.random.default_rng((self.seed, step)))
        return {**drawn, MAKING_S: np.array(time.perf_counter() - start)}


class Feed:
    """Iterates over batches first, first + 1, … as torch tensors (images stay as the task made them, (B, H, W, C)
    uint8), and knows how long it took to make them."""

    def __init__(self, task: Task, seed: int, first: int):
        self.workers = task.recipe.workers
        self.count, self.making_s, self.waiting_s = 0, 0.0, 0.0
        loader = DataLoader(
            Batches(task, seed), batch_size=None, sampler=range(first, 1 << 40), num_workers=self.workers,
            prefetch_factor=4 if self.workers else None, worker_init_fn=_quiet_worker,
            generator=torch.Generator(),  # else the loader takes its seed out of the training's random state
        )  # fmt: skip
        self._loader: Iterator[Batch] = iter(loader)

    def __iter__(self) -> Feed:
        return self

    def __next__(self) -> Batch:
        start = time.perf_counter()
        batch = next(self._loader)
        self.making_s += float(batch.pop(MAKING_S))
        self.waiting_s += time.perf_counter() - start
        self.count += 1
        return batch

    def rates(self, pictures_a_batch: int, passed_s: float) -> dict[str, float]:
        """Since the start, with what else the machine did: pictures a second that the data processes make, and that
        the training takes when it need not wait; waiting: share of the `passed_s` seconds spent waiting for data."""
        pictures = self.count * pictures_a_batch
        return {
            "loading_per_s": pictures * max(self.workers, 1) / max(self.making_s, 1e-9),
            "training_per_s": pictures / max(passed_s - self.waiting_s, 1e-9),
            "waiting": self.waiting_s / max(passed_s, 1e-9),
        }


def _quiet_worker(_: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def pictures(images: Tensor, device: torch.device | str | None = None) -> Tensor:
    """(B, H, W, C) uint8 -> (B, C, H, W) float32 0..1, channels-last in memory."""
    return images.to(device).permute(0, 3, 1, 2).float().div_(255.0)
