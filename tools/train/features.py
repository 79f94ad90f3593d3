"""Style and perceptual losses of the generator, on the features of our own deleter's encoder."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from engines.networks.deleter import Deleter
from tools.train import losses
from tools.train.start import load_shipped
from tools.train.trainer import load_weights

STYLE, PERCEPTUAL = 250.0, 0.05  # the first is eq. 5's
STYLE_SCALE = 0.2  # of our features in eq. 3: the paper's 250 was chosen for the smaller ones of VGG


def feature_network(checkpoint: Path) -> Deleter:
    """A light deleter, frozen, whose encoder gives the features: of a checkpoint, or as shipped."""
    network = Deleter("light").eval().requires_grad_(False)
    if checkpoint.exists():
        load_weights(network, checkpoint)
    else:
        load_shipped(network, "deleter", "light")
    return network


def feature_terms(network: Deleter, made: Tensor, real: Tensor, hole: Tensor) -> dict[str, Tensor]:
    """Perceptual loss on the whole pictures (N, 3, H, W) RGB 0..1, style loss (eq. 3) on what lies inside the mask."""
    n = len(made)
    said, true = network.features(torch.cat([made, made * hole])), network.features(torch.cat([real, real * hole]))
    whole = [(a[:n], b[:n]) for a, b in zip(said[:3], true[:3], strict=True)]
    masked = [(STYLE_SCALE * a[n:], STYLE_SCALE * b[n:]) for a, b in zip(said[:2], true[:2], strict=True)]
    return {
        "perceptual": PERCEPTUAL * losses.perceptual_loss(*zip(*whole, strict=True)),
        "style": STYLE * losses.style_loss(*zip(*masked, strict=True)),
    }
