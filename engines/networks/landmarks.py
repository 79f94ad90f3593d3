"""N_L: 68 landmarks and a face confidence from a 128x128 crop (paper 3.1), a MobileNetV3-Large of ours.

Input (N, 3, 128, 128) float32 RGB 0..1; `points` (N, 68, 2) crop pixels, centres at integers; `confidence` (N, 1) 0..1.
Where the classifier averages the last feature map, N_L keeps its grid: a mean forgets where things are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

CROP_SIZE = 128


class Stage(NamedTuple):
    """One inverted residual block: kernel, expansion and output channels, squeeze-excite, hard-swish, stride."""

    kernel: int
    expand: int
    out: int
    excite: bool
    swish: bool
    stride: int


# MobileNetV3-Large, Howard et al. 2019, table 1.
LARGE = (
    Stage(3, 16, 16, False, False, 1),
    Stage(3, 64, 24, False, False, 2), Stage(3, 72, 24, False, False, 1),
    Stage(5, 72, 40, True, False, 2), Stage(5, 120, 40, True, False, 1), Stage(5, 120, 40, True, False, 1),
    Stage(3, 240, 80, False, True, 2), Stage(3, 200, 80, False, True, 1),
    Stage(3, 184, 80, False, True, 1), Stage(3, 184, 80, False, True, 1),
    Stage(3, 480, 112, True, True, 1), Stage(3, 672, 112, True, True, 1),
    Stage(5, 672, 160, True, True, 2), Stage(5, 960, 160, True, True, 1), Stage(5, 960, 160, True, True, 1),
)  # fmt: skip
GRID_8 = 12  # stages before the last halving: 8x8 cells of a 128 px crop


def rounded(channels: float, divisor: int = 8) -> int:
    """Channels to the nearest multiple of `divisor`, at most 10 % fewer than asked."""
    nearest = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * channels else nearest


def convolution(
    inputs: int,
    outputs: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    activation: Callable[[], nn.Module] | None = None,
) -> nn.Sequential:
    """Convolution, batch norm and, when given, an activation; padded to keep the size at stride 1."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if activation is not None:
        layers.append(activation())
    return nn.Sequential(*layers)


class SqueezeExcite(nn.Module):
    """Scales each channel by a gate computed from the means of all channels."""

    def __init__(self, channels: int):
        super().__init__()
        inner = rounded(channels / 4)
        self.squeeze = nn.Conv2d(channels, inner, 1)
        self.excite = nn.Conv2d(inner, channels, 1)
        self.gate = nn.Hardsigmoid()

    def forward(self, features: Tensor) -> Tensor:
        means = features.mean((2, 3), keepdim=True)
        return features * self.gate(self.excite(torch.relu(self.squeeze(means))))


class InvertedResidual(nn.Module):
    """Expand, filter each channel, excite, project; added to its input where the shapes agree."""

    def __init__(self, inputs: int, stage: Stage, width: float):
        super().__init__()
        expand, out = rounded(stage.expand * width), rounded(stage.out * width)
        activation = nn.Hardswish if stage.swish else nn.ReLU
        layers: list[nn.Module] = []
        if expand != inputs:
            layers.append(convolution(inputs, expand, 1, activation=activation))
        layers.append(convolution(expand, expand, stage.kernel, stage.stride, expand, activation))
        if stage.excite:
            layers.append(SqueezeExcite(expand))
        layers.append(convolution(expand, out, 1))
        self.layers = nn.Sequential(*layers)
        self.residual = stage.stride == 1 and inputs == out
        self.channels = out

    def forward(self, features: Tensor) -> Tensor:
        filtered = self.layers(features)
        return features + filtered if self.residual else filtered


class MobileNetV3(nn.Module):
    """The trunk: RGB 0..1 -> feature maps of 1/16 and 1/32 of the size. `channels` are theirs."""

    def __init__(self, width: float = 1.0, stages: Sequence[Stage] = LARGE, split: int = GRID_8):
        super().__init__()
        channels = rounded(16 * width)
        self.stem = convolution(3, channels, 3, 2, activation=nn.Hardswish)
        blocks: list[InvertedResidual] = []
        for stage in stages:
            blocks.append(InvertedResidual(channels, stage, width))
            channels = blocks[-1].channels
        self.fine = nn.Sequential(*blocks[:split])
        self.coarse = nn.Sequential(*blocks[split:])
        self.channels = (blocks[split - 1].channels, channels)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.fine(self.stem(image * 4.0 - 2.0))  # zero mean, about unit deviation
        return fine, self.coarse(fine)


class LandmarkNet(nn.Module):
    """N_L. `width` scales MobileNetV3-Large's channels; `mean` (68, 2) crop pixels is what a blank answer gives."""

    def __init__(self, width: float = 0.75, mean: Tensor | None = None):
        super().__init__()
        self.trunk = MobileNetV3(width)
        fine, coarse = self.trunk.channels
        self.fine_cells = convolution(fine, 32, 1, activation=nn.Hardswish)
        self.coarse_cells = convolution(coarse, 96, 1, activation=nn.Hardswish)
        cells = 32 * (CROP_SIZE // 16) ** 2 + 96 * (CROP_SIZE // 32) ** 2
        self.hidden = nn.Sequential(nn.Linear(cells, 256), nn.Hardswish())
        self.offsets = nn.Linear(256, 136)
        self.face = nn.Linear(256, 1)
        nn.init.normal_(self.offsets.weight, std=0.01)
        nn.init.zeros_(self.offsets.bias)
        self.register_buffer("mean", torch.full((68, 2), (CROP_SIZE - 1) / 2) if mean is None else mean.float())

    def logits(self, crop: Tensor) -> tuple[Tensor, Tensor]:
        """Points (N, 68, 2) crop pixels and the confidence before its sigmoid (N, 1)."""
        fine, coarse = self.trunk(crop)
        cells = torch.cat([self.fine_cells(fine).flatten(1), self.coarse_cells(coarse).flatten(1)], 1)
        hidden = self.hidden(cells)
        offsets = self.offsets(hidden).reshape(-1, 68, 2) * (CROP_SIZE / 8)
        return self.mean + offsets, self.face(hidden)

    def forward(self, crop: Tensor) -> tuple[Tensor, Tensor]:
        """`points`, `confidence`; while training the confidence is left before its sigmoid."""
        points, face = self.logits(crop)
        return points, face if self.training else torch.sigmoid(face)


def build(quality: str = "light") -> LandmarkNet:
    """The network of a quality: "light" has three quarters of MobileNetV3-Large's channels, "full" all."""
    return LandmarkNet(width={"light": 0.75, "full": 1.0}[quality])
