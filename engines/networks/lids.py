"""How far the lids of one eye are apart, from a picture of that eye alone, upright and of a known scale.

The 68 points of N_L see a whole face at once, and hardly close their lids; this network sees little else. What it says
is the gap between the lids over the width of the eye, as the points would have it (Soukupova and Cech 2016): about 0.3
for an open eye, less than 0.1 for a shut one.
"""

from __future__ import annotations

import torch
from torch import nn

from engines.networks.blocks import conv_norm
from realtime.eye_picture import HEIGHT, WIDTH

CHANNELS = {"light": (16, 32, 48), "full": (32, 64, 96)}
USUAL = 0.3


class Lids(nn.Module):
    """eyes (N, 1, 40, 56), see `realtime.eye_picture.normalised` -> gap (N, 1), the lids' distance over the width."""

    inputs = ("eyes",)
    outputs = ("gap",)

    def __init__(self, quality: str = "light"):
        super().__init__()
        layers: list[nn.Module] = []
        c_in = 1
        for width in CHANNELS[quality]:
            layers += [
                conv_norm(c_in, width, 3, 2),
                nn.ReLU(inplace=True),
                conv_norm(width, width, 3),
                nn.ReLU(inplace=True),
            ]
            c_in = width
        self.body = nn.Sequential(*layers)
        size = c_in * -(-HEIGHT // 8) * -(-WIDTH // 8)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(size, 48), nn.ReLU(inplace=True), nn.Linear(48, 1))

    def forward(self, eyes: torch.Tensor) -> torch.Tensor:
        return USUAL * nn.functional.softplus(self.head(self.body(eyes)))


def build(quality: str = "light") -> Lids:
    """The network of a quality, untrained."""
    return Lids(quality)
