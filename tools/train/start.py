"""Weights to start a training from, small enough to keep: `python -m tools.train.start CHECKPOINT OUT.safetensors`.

A checkpoint holds the optimisers and a network twice; a start holds its averaged weights once, in half precision.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn

STARTS = Path(__file__).parent / "starts"


def write_start(checkpoint: Path, out: Path) -> None:
    """The averaged weights of a checkpoint as a safetensors file, floats in fp16."""
    from safetensors.torch import save_file

    averaged = torch.load(checkpoint, map_location="cpu", weights_only=False)["ema"]
    small = {name: value.half() if value.is_floating_point() else value for name, value in averaged.items()}
    save_file({name: value.contiguous() for name, value in small.items()}, out)


def load_start(model: nn.Module, start: Path) -> None:
    """Fill `model` with the weights of a start. Raises FileNotFoundError when there is none."""
    from safetensors.torch import load_file

    if not start.exists():
        raise FileNotFoundError(f"nothing to start from: {start} does not exist; leave --start out to begin anew")
    model.load_state_dict(load_file(start))


if __name__ == "__main__":
    write_start(Path(sys.argv[1]), Path(sys.argv[2]))
