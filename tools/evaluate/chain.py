"""Networks to measure: those that ship, through their engine, or a trainer's checkpoint, through torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engines import open_network
from engines.export import EXPORTS, inference_module


class CheckpointNetwork:
    """A trainer's checkpoint behind `run` and `close`, as stages want it."""

    def __init__(self, name: str, checkpoint: Path, quality: str):
        self.module: Any = inference_module(name, "light" if quality == "auto" else quality, checkpoint)
        self.inputs, self.outputs = tuple(EXPORTS[name].inputs), tuple(EXPORTS[name].outputs)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        import torch

        with torch.inference_mode():
            answers = self.module(*(torch.from_numpy(np.ascontiguousarray(inputs[name])) for name in self.inputs))
        answers = answers if isinstance(answers, tuple | list) else (answers,)
        return {name: answer.numpy() for name, answer in zip(self.outputs, answers, strict=True)}

    def close(self) -> None:
        self.module = None


def network(name: str, quality: str = "auto", provider: str = "auto", checkpoint: Path | None = None) -> Any:
    """Something with `run` and `close`. Raises EngineError when nothing that was asked for can be had."""
    if checkpoint is not None:
        return CheckpointNetwork(name, checkpoint, quality)
    return open_network(name, quality, provider)
