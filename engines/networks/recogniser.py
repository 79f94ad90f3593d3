"""G, the face recogniser of eq. 9: whose face an aligned crop shows, as a direction in 128 dimensions.

A residual network of basic blocks (He et al. 2016), a quarter of ResNet-18's work, that ends in a depthwise
convolution over the whole last map: the crop is aligned, so every place of it has a meaning of its own (MobileFaceNet,
Chen et al. 2018). Two pictures of one person have features of a high cosine, two people's features one near zero.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from engines.networks.blocks import conv_norm
from engines.networks.deleter import MEAN, SPREAD

FEATURES = 128
WIDTHS = {"light": (32, 64, 128, 192), "full": (64, 128, 256, 512)}
BLOCKS = (2, 2, 2, 2)
LAST_SIDE = 4  # of the last map, for the input of 128 pixels


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, the first of which carries the stride, and the identity."""

    def __init__(self, c_in: int, c_out: int, stride: int):
        super().__init__()
        self.first, self.second = conv_norm(c_in, c_out, 3, stride), conv_norm(c_out, c_out, 3)
        self.shortcut = conv_norm(c_in, c_out, 1, stride) if stride != 1 or c_in != c_out else nn.Identity()
        nn.init.zeros_(self.second[1].weight)  # type: ignore[arg-type]  # each block starts as the identity

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.second(functional.relu(self.first(x))) + self.shortcut(x))


class Recogniser(nn.Module):
    """(N, 3, 128, 128) RGB 0..1, the aligned crop shrunk as for N_r -> features (N, 128) of unit length."""

    inputs = ("crop",)
    outputs = ("features",)

    def __init__(self, quality: str = "light"):
        super().__init__()
        widths = WIDTHS[quality]
        self.stem = nn.Sequential(conv_norm(3, widths[0], 5, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))
        blocks: list[nn.Module] = []
        c_in = widths[0]
        for stage, (width, depth) in enumerate(zip(widths, BLOCKS, strict=True)):
            for k in range(depth):
                blocks.append(BasicBlock(c_in, width, 2 if k == 0 and stage > 0 else 1))
                c_in = width
        self.body = nn.Sequential(*blocks)
        self.gather = nn.Conv2d(c_in, c_in, LAST_SIDE, groups=c_in)
        self.project = nn.Linear(c_in, FEATURES)

    def forward(self, crop: torch.Tensor) -> torch.Tensor:
        maps = self.gather(self.body(self.stem((crop - MEAN) / SPREAD)))
        return functional.normalize(self.project(maps.flatten(1)), dim=1)


def build(quality: str = "light") -> Recogniser:
    """The network of a quality, untrained."""
    return Recogniser(quality)
