"""Batches for a task, prepared by a data process: batch number s depends on the seed and s alone."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tools.train.task import Batch, Task


class Batches(Dataset[dict[str, np.ndarray]]):
    """Batch number s of a task, for any s: what the data process runs."""

    def __init__(self, task: Task, seed: int):
        self.task, self.seed = task, seed

    def __getitem__(self, step: int) -> dict[str, np.ndarray]:
        return self.task.batch(np.random.default_rng((self.seed, step)))


def batches(task: Task, seed: int, first: int) -> Iterator[Batch]:
    """Batches first, first + 1, … as torch tensors (images stay as the task made them, (B, H, W, C) uint8)."""
    loader = DataLoader(
        Batches(task, seed), batch_size=None, sampler=range(first, 1 << 40), num_workers=task.recipe.workers,
        prefetch_factor=4 if task.recipe.workers else None, worker_init_fn=_quiet_worker,
        generator=torch.Generator(),  # else the loader takes its seed out of the training's random state
    )  # fmt: skip
    return iter(loader)


def _quiet_worker(_: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def pictures(images: Tensor, device: torch.device | str | None = None) -> Tensor:
    """(B, H, W, C) uint8 -> (B, C, H, W) float32 0..1, channels-last in memory."""
    return images.to(device).permute(0, 3, 1, 2).float().div_(255.0)
