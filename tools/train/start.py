"""What a training begins with other than chance: the weights that ship, or an earlier training's checkpoint.

An exported file has its batch norms folded into the convolutions. Here they are unfolded again: the folded weights go
into the convolution, and the norm becomes the identity on what the convolution gives for a batch of training data. The
network computes the same as before, and its norms are normal again: it learns on as if it had never been folded.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engines.manifest import load_weights, read_manifest

SHIPPED = "shipped"


def load_start(model: nn.Module, name: str, quality: str, start: str, look: Callable[[], object]) -> None:
    """Fill `model`, network `name`, with the shipped weights (`start` "shipped") or a checkpoint's averaged ones.

    look: runs the model once on a batch of training data. Raises FileNotFoundError when there is no such start.
    """
    if start == SHIPPED:
        load_shipped(model, name, quality)
        unfold_norms(model, look)
        return
    if not Path(start).exists():
        raise FileNotFoundError(f"nothing to start from: {start} does not exist; leave --start out to begin anew")
    model.load_state_dict(torch.load(start, map_location="cpu", weights_only=False)["ema"])


def load_shipped(model: nn.Module, name: str, quality: str, models_dir: Path | None = None) -> None:
    """Fill `model` so that in evaluation mode it computes what its shipped float file does.

    Raises FileNotFoundError when none ships in this quality, ValueError when the file is not this network's.
    """
    from engines.run_torch import stored_tensors

    listed = [e for e in read_manifest(models_dir) if (e.name, e.quality) == (name, quality) and e.precision != "int8"]
    if not listed:
        raise FileNotFoundError(f"nothing to start from: no {quality} weights of {name} ship as floats")
    tensors = stored_tensors(load_weights(listed[0], models_dir).onnx)
    prefix = _prefix(model, tensors)
    own = model.state_dict()  # shares memory with the model
    done: set[str] = set()
    for place, norm_place, norm in folded_pairs(model):
        _fill(own[f"{place}.weight"], tensors, f"{prefix}{place}.weight")
        _fill(norm.bias.data, tensors, f"{prefix}{place}.bias")
        norm.weight.data.fill_(1.0)
        norm.running_mean.zero_()  # type: ignore[union-attr]
        norm.running_var.fill_(1.0 - norm.eps)  # type: ignore[union-attr]
        done |= {f"{place}.weight"} | {key for key in own if key.startswith(f"{norm_place}.")}
    for key in own.keys() - done:
        _fill(own[key], tensors, prefix + key)


def folded_pairs(model: nn.Module) -> Iterator[tuple[str, str, nn.BatchNorm2d]]:
    """(name of a convolution, name of the norm behind it, the norm) for all that `engines.export.fold_norms` folds."""
    for name, part in model.named_modules():
        if isinstance(part, nn.Sequential):
            for (first, conv), (second, norm) in itertools.pairwise(part.named_children()):
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    stem = f"{name}." if name else ""
                    yield stem + first, stem + second, norm


@torch.no_grad()
def unfold_norms(model: nn.Module, look: Callable[[], object]) -> None:
    """Give every folded norm the statistics of one `look` at training data, and weights that undo them."""
    norms = [norm for _, _, norm in folded_pairs(model)]
    seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def note(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].float()
        seen[norm] = values.mean((0, 2, 3)), values.var((0, 2, 3), unbiased=False)

    training = model.training
    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    try:
        model.train()
        for norm in norms:
            norm.eval()  # the identity, until its own statistics are known
        look()
    finally:
        for hook in hooks:
            hook.remove()
        model.train(training)
    for norm in norms:
        if norm in seen:  # a layer that training never runs keeps the identity
            mean, variance = seen[norm]
            norm.running_mean.copy_(mean)  # type: ignore[union-attr]
            norm.running_var.copy_(variance)  # type: ignore[union-attr]
            norm.weight.copy_((variance + norm.eps).sqrt())
            norm.bias.add_(mean)


def _prefix(model: nn.Module, tensors: Mapping[str, np.ndarray]) -> str:
    """What an exporting wrapper puts before the names of the network's own parameters."""
    first = next(name for name, _ in model.named_parameters())
    for name in tensors:
        if name == first or name.endswith(f".{first}"):
            return name.removesuffix(first)
    raise ValueError(f"these weights are not this network's: they lack {first}")


def _fill(target: Tensor, tensors: Mapping[str, np.ndarray], name: str) -> None:
    if name not in tensors or tensors[name].size != target.numel():
        raise ValueError(f"these weights are not this network's: {name} is missing or of another shape")
    target.copy_(torch.from_numpy(np.array(tensors[name])).reshape(target.shape))
