"""The skeleton under every training: steps, learning rate, moving average, checkpoints, metrics and sheets.

A network's own file supplies a `Task`; `train` runs it. One thread computes, one data process prepares batches. Batch
number s is drawn from the random generator (seed, s) alone, so that a resumed run sees the data that an uninterrupted
one would have seen.
"""

from __future__ import annotations

import copy
import json
import logging
import math
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from lightning.fabric import Fabric
from torch import nn

from tools.train.feed import Feed, pictures
from tools.train.pieces import join, list_of
from tools.train.start import load_start
from tools.train.task import Batch, Models, Options, Recipe, Task

__all__ = ["Batch", "Models", "Options", "Recipe", "Run", "Task", "load_weights", "pictures", "train"]

log = logging.getLogger(__name__)


def train(task: Task, options: Options, clock: Callable[[], float] = time.monotonic, steps: int | None = None) -> Path:
    """Train for `options.minutes` (or until `steps`), resuming when asked. Returns the checkpoint's path.

    Writes checkpoint.pt, metrics.json (one entry per report, with the rates of `feed.Feed`) and sheet.png into
    `options.out`. Raises FileNotFoundError when there is nothing to resume.
    """
    return Run(task, options, clock).until(options.minutes * 60.0, steps)


class Run:
    """One training's state: models, their moving average, optimisers, step and elapsed time."""

    def __init__(self, task: Task, options: Options, clock: Callable[[], float]):
        torch.set_num_threads(options.threads)
        cv2.setNumThreads(0)
        for seed in (random.seed, torch.manual_seed):
            seed(options.seed)
        self.task, self.options, self.clock = task, options, clock
        precision: Any = "bf16-mixed" if torch.cuda.is_available() else task.recipe.cpu_precision
        self.fabric = Fabric(accelerator="auto", devices=1, precision=precision)
        bare = {name: model.to(memory_format=torch.channels_last) for name, model in task.models().items()}  # type: ignore[call-overload]
        if options.start is not None:
            self._start(bare, options.start)
        self.ema = copy.deepcopy(bare["model"]).eval().requires_grad_(False)
        self.models: dict[str, Any] = {name: self.fabric.setup_module(model) for name, model in bare.items()}
        self.ema.to(self.fabric.device)
        self.optimisers = {player: self._optimiser(player) for player in task.players}
        self.step, self.elapsed_s, self.history = 0, 0.0, []  # type: ignore[var-annotated]
        self.busy_s = 0.0  # in steps, waiting for their data included; measured by the machine's own clock
        self.checkpoint = options.out / "checkpoint.pt"
        options.out.mkdir(parents=True, exist_ok=True)
        if options.resume:
            self._load()

    def _start(self, bare: dict[str, Any], start: str) -> None:
        """Begin with known weights; a look at the first batch tells the norms what to expect."""

        def look() -> object:
            drawn = self.task.batch(np.random.default_rng((self.options.seed, 0)))
            batch: Batch = {key: torch.from_numpy(value) for key, value in drawn.items()}
            return self.task.loss(bare, {**batch, "progress": 0.0}, "model")

        load_start(bare["model"], self.task.name, self.options.quality, start, look)

    def until(self, total_s: float, steps: int | None) -> Path:
        started, before = self.clock(), self.elapsed_s
        saved = reported = self.elapsed_s
        terms: dict[str, float] = {}
        source = Feed(self.task, self.options.seed, self.step)
        self.busy_s = 0.0
        while self.elapsed_s < total_s and (steps is None or self.step < steps):
            begun = time.perf_counter()
            terms = self._step(next(source), self.elapsed_s / total_s, terms)
            self.busy_s += time.perf_counter() - begun
            self.elapsed_s = before + self.clock() - started
            if self.elapsed_s - saved >= self.task.recipe.checkpoint_s:
                self._save()
                saved = self.elapsed_s
            if self.elapsed_s - reported >= self.task.recipe.report_s:
                self._report(terms, source)
                reported = self.elapsed_s
        self._save()
        self._report(terms, source)
        return self.checkpoint

    def _optimiser(self, player: str) -> torch.optim.Optimizer:
        recipe = self.task.recipe
        learning = [p for p in self._parameters(player) if p.requires_grad]
        decayed, plain = [p for p in learning if p.ndim > 1], [p for p in learning if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=recipe.learning_rate[player], betas=recipe.betas)

    def _parameters(self, player: str) -> list[nn.Parameter]:
        """What learns when `player` does: its own network, and companions that only the training needs."""
        names = (player, *getattr(self.task, "companions", {}).get(player, ()))
        return [parameter for name in names for parameter in self.models[name].parameters()]

    def _step(self, batch: Batch, fraction: float, terms: dict[str, float]) -> dict[str, float]:
        recipe = self.task.recipe
        batch = {key: value.to(self.fabric.device, non_blocking=True) for key, value in batch.items()}
        batch["progress"] = fraction  # 0..1 of the time: some losses join late
        rate = rate_at(self.step, fraction, recipe)
        for model in self.models.values():
            model.train()
        for player in self.task.players:
            optimiser = self.optimisers[player]
            for group in optimiser.param_groups:
                group["lr"] = recipe.learning_rate[player] * rate * self.options.rate
            losses = self.task.loss(self.models, batch, player)
            optimiser.zero_grad(set_to_none=True)
            self.fabric.backward(losses["total"])
            norm = nn.utils.clip_grad_norm_(self._parameters(player), recipe.clip_norm)
            if torch.isfinite(norm):  # one bad batch must not ruin a night
                optimiser.step()
            if self.step % 10 == 0:
                terms = _averaged(terms, {f"{player}/{name}": float(term.detach()) for name, term in losses.items()})
        self.step += 1
        self._follow()
        return terms

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the model; young averages forget faster."""
        keep = min(0.5 ** (1.0 / self.task.recipe.ema_halflife_steps), (1 + self.step) / (10 + self.step))
        averages, values = self.ema.state_dict(), self.models["model"].module.state_dict()
        floats = [key for key, value in averages.items() if value.is_floating_point()]
        torch._foreach_lerp_([averages[key] for key in floats], [values[key] for key in floats], 1.0 - keep)
        for key in averages.keys() - set(floats):
            averages[key].copy_(values[key])

    def _report(self, terms: Mapping[str, float], source: Feed) -> None:
        self.ema.eval()
        with torch.no_grad():
            metrics = self.task.evaluate(self.ema)
            sheet = self.task.sheet(self.ema)
        rates = source.rates(self.task.recipe.batch, self.busy_s)
        entry = {"step": self.step, "elapsed_s": round(self.elapsed_s, 1), **_rounded(terms), **_rounded(metrics),
                 **_rounded(rates)}  # fmt: skip
        self.history.append(entry)
        log.info("%s", json.dumps(entry))
        write_atomically(self.options.out / "metrics.json", json.dumps(self.history, indent=1).encode())
        ok, encoded = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
        if ok:
            write_atomically(self.options.out / "sheet.png", encoded.tobytes())

    def _save(self) -> None:
        state = {
            "network": self.task.name, "quality": self.options.quality, "step": self.step, "elapsed_s": self.elapsed_s,
            "model": self.models["model"].module.state_dict(), "ema": self.ema.state_dict(),
            "partners": {name: m.module.state_dict() for name, m in self.models.items() if name != "model"},
            "optimisers": {player: optimiser.state_dict() for player, optimiser in self.optimisers.items()},
            "rng": {"torch": torch.get_rng_state(), "python": random.getstate()},
            "history": self.history, "seed": self.options.seed, "recipe": asdict(self.task.recipe),
        }  # fmt: skip
        partial = self.checkpoint.with_suffix(".partial")
        self.fabric.save(partial, state)
        os.replace(partial, self.checkpoint)

    def _load(self) -> None:
        if not self.checkpoint.exists() and list_of(self.checkpoint).exists():  # carried here in pieces
            join(self.checkpoint)
        if not self.checkpoint.exists():
            raise FileNotFoundError(f"nothing to resume: {self.checkpoint} does not exist; leave --resume out to begin")
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=False)
        self.models["model"].module.load_state_dict(state["model"])
        for name, partner in state["partners"].items():
            self.models[name].module.load_state_dict(partner)
        self.ema.load_state_dict(state["ema"])
        for player, optimiser in state["optimisers"].items():
            self.optimisers[player].load_state_dict(optimiser)
        torch.set_rng_state(state["rng"]["torch"])
        random.setstate(state["rng"]["python"])
        self.step, self.elapsed_s, self.history = state["step"], state["elapsed_s"], state["history"]


def rate_at(step: int, fraction: float, recipe: Recipe) -> float:
    """Factor on the learning rate: linear warm-up by steps, then a cosine over the elapsed fraction of the time."""
    warm = min(1.0, (step + 1) / max(recipe.warmup_steps, 1))
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(max(fraction, 0.0), 1.0)))
    return warm * (recipe.last_rate + (1.0 - recipe.last_rate) * cosine)


def write_atomically(path: Path, content: bytes) -> None:
    """A reader sees the old file or the whole new one."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def load_weights(model: nn.Module, checkpoint: Path) -> dict[str, Any]:
    """Fill `model` with the averaged weights of a checkpoint; returns the checkpoint's other entries."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=False)
    model.load_state_dict(state["ema"])
    return {key: value for key, value in state.items() if key not in ("model", "ema", "optimisers", "partners")}


def _averaged(old: Mapping[str, float], new: Mapping[str, float]) -> dict[str, float]:
    return {**old, **{key: 0.9 * old.get(key, value) + 0.1 * value for key, value in new.items()}}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {key: round(float(value), 6) for key, value in values.items()}
