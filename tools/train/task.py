"""What a training is made of: the options a person chooses, the recipe, the protocol that a network fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor, nn

Batch = dict[str, Any]
Models = Mapping[str, nn.Module]


@dataclass(frozen=True)
class Options:
    """What a person chooses. `points`: files of weak landmarks (npz: names 'set/file', points, score).

    start: "shipped", or a checkpoint of an earlier training, to begin with instead of random weights.
    identities: file of `tools.identity_labels`. recogniser: "shipped" or a checkpoint of G, for eq. 9.
    rate: factor on the recipe's learning rates.
    """

    data: Path
    out: Path
    minutes: float
    points: tuple[Path, ...] = ()
    shards: Path | None = None
    resume: bool = False
    start: str | None = None
    identities: Path | None = None
    recogniser: str | None = None
    rate: float = 1.0
    threads: int = 1
    seed: int = 0
    quality: str = "light"


@dataclass(frozen=True)
class Recipe:
    """What a task needs from the skeleton. Learning rates are those after the warm-up, by player."""

    batch: int = 32
    learning_rate: Mapping[str, float] = field(default_factory=lambda: {"model": 1e-3})
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 1e-4
    warmup_steps: int = 200
    last_rate: float = 0.01  # of the full rate, at the end of the cosine
    ema_halflife_steps: float = 400.0
    clip_norm: float = 5.0
    cpu_precision: str = "32-true"  # "bf16-mixed" pays for plain convolutions, not for depthwise ones
    checkpoint_s: float = 120.0
    report_s: float = 360.0
    workers: int = 1


class Task(Protocol):
    """One network's training. `models()` has the network itself under "model", and its partners by other names.

    `players`: the models that are optimised, in the order of their turns in a step. `batch` runs in the data process
    and returns numpy arrays; `loss` returns named terms, of which "total" is minimised for `player`.
    """

    name: str
    recipe: Recipe
    players: tuple[str, ...]

    def models(self) -> dict[str, nn.Module]: ...
    def batch(self, rng: np.random.Generator) -> dict[str, np.ndarray]: ...
    def loss(self, models: Models, batch: Batch, player: str) -> dict[str, Tensor]: ...
    def evaluate(self, model: nn.Module) -> dict[str, float]: ...
    def sheet(self, model: nn.Module) -> np.ndarray: ...
