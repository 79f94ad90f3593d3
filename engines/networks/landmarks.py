"""N_L: 68 landmarks and a face confidence from a 128x128 crop (paper 3.1), a MobileNetV3-Large of ours.

Input (N, 3, 128, 128) float32 RGB 0..1; `points` (N, 68, 2) crop pixels, centres at integers; `confidence` (N, 1) 0..1.
Where the classifier averages the last feature map, N_L keeps its grid: a mean forgets where things are. What the grid
says is then moved by heat maps of a finer one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

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
LATERAL = (3, 6)  # stages whose maps, 1/4 and 1/8 of the size, the refinement reads
GRID_8 = 12  # stages before the last halving: 8x8 cells of a 128 px crop
PRIOR_PX = 6.0  # standard deviation of a true point about the first estimate


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
    """The trunk: RGB 0..1 -> feature maps of 1/4, 1/8, 1/16 and 1/32 of the size. `channels` are theirs."""

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
        self.channels = tuple(blocks[k - 1].channels for k in (*LATERAL, split, len(blocks)))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        maps = []
        x = self.stem(image * 4.0 - 2.0)  # zero mean, about unit deviation
        for number, block in enumerate(self.fine, 1):
            x = block(x)
            if number in LATERAL:
                maps.append(x)
        return maps[0], maps[1], x, self.coarse(x)


class Refinement(nn.Module):
    """Where each point is in the detail: a heat map of 32x32 cells of four pixels, looked at about a first estimate.

    A soft-argmax of the map alone is drawn to the crop's middle by every cell that is not quite zero. So the first
    estimate comes in as a normal distribution about it, and what moves the point is how far the map shifts that
    distribution's mean (cut to the crop): an empty map moves nothing, wherever the point lies.
    """

    cells: Tensor  # (32,) crop pixels of the cells' centres, along either axis

    def __init__(self, quarter: int, eighth: int, fine: int, coarse: int, channels: int = 48):
        super().__init__()
        self.coarse, self.fine = convolution(coarse, 64, 1), convolution(fine, 64, 1)
        self.at_8 = Mix(64, 5)
        self.from_8, self.eighth = convolution(64, 64, 1), convolution(eighth, 64, 1)
        self.at_16 = Mix(64, 5)
        self.from_16, self.quarter = convolution(64, channels, 1), convolution(quarter, channels, 1)
        self.at_32 = nn.Sequential(Mix(channels, 5), Mix(channels, 3))
        self.heat = nn.Conv2d(channels, 68, 1)
        nn.init.zeros_(self.heat.weight)
        nn.init.zeros_(self.heat.bias)  # type: ignore[arg-type]
        self.register_buffer("cells", (torch.arange(CROP_SIZE // 4) + 0.5) * 4 - 0.5, persistent=False)

    def forward(self, maps: Sequence[Tensor], first: Tensor) -> Tensor:
        """Trunk maps of 1/4, 1/8, 1/16 and 1/32 of the size, points (N, 68, 2) -> points moved by the heat maps."""
        quarter, eighth, fine, coarse = maps
        x = self.at_8(self.fine(fine) + doubled(self.coarse(coarse)))
        x = self.at_16(self.eighth(eighth) + doubled(self.from_8(x)))
        x = self.at_32(self.quarter(quarter) + doubled(self.from_16(x)))
        heat = self.heat(x).float()
        away = (self.cells - first[..., None]).square() / (-2 * PRIOR_PX**2)  # (N, 68, 2, 32)
        likely = (heat + away[:, :, 0, None, :] + away[:, :, 1, :, None]).flatten(2).softmax(2).unflatten(2, (32, 32))
        before = (away.softmax(3) * self.cells).sum(3)
        after = torch.stack([likely.sum(2) @ self.cells, likely.sum(3) @ self.cells], 2)
        return first + after - before


class Mix(nn.Module):
    """Depthwise and pointwise convolution, added to what comes in."""

    def __init__(self, channels: int, kernel: int):
        super().__init__()
        self.layers = nn.Sequential(
            convolution(channels, channels, kernel, groups=channels, activation=nn.Hardswish),
            convolution(channels, channels, 1),
        )
        self.act = nn.Hardswish()

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(x)
        return self.act(x + self.layers(x))


def doubled(maps: Tensor) -> Tensor:
    return functional.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)


class LandmarkNet(nn.Module):
    """N_L. `width` scales MobileNetV3-Large's channels; `mean` (68, 2) crop pixels is what a blank answer gives."""

    def __init__(self, width: float = 0.75, mean: Tensor | None = None):
        super().__init__()
        self.trunk = MobileNetV3(width)
        fine, coarse = self.trunk.channels[2:]
        self.fine_cells = convolution(fine, 32, 1, activation=nn.Hardswish)
        self.coarse_cells = convolution(coarse, 96, 1, activation=nn.Hardswish)
        cells = 32 * (CROP_SIZE // 16) ** 2 + 96 * (CROP_SIZE // 32) ** 2
        self.hidden = nn.Sequential(nn.Linear(cells, 256), nn.Hardswish())
        self.offsets = nn.Linear(256, 136)
        self.face = nn.Linear(256, 1)
        nn.init.normal_(self.offsets.weight, std=0.01)
        nn.init.zeros_(self.offsets.bias)
        self.refinement = Refinement(*self.trunk.channels)
        self.register_buffer("mean", torch.full((68, 2), (CROP_SIZE - 1) / 2) if mean is None else mean.float())

    def looks(self, crop: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Points (N, 68, 2) crop pixels, the confidence before its sigmoid (N, 1), and the points before refinement."""
        maps = self.trunk(crop)
        cells = torch.cat([self.fine_cells(maps[2]).flatten(1), self.coarse_cells(maps[3]).flatten(1)], 1)
        hidden = self.hidden(cells)
        first = self.mean + self.offsets(hidden).reshape(-1, 68, 2) * (CROP_SIZE / 8)
        return self.refinement(maps, first.float()), self.face(hidden), first

    def forward(self, crop: Tensor) -> tuple[Tensor, ...]:
        """`points`, `confidence`; while training what `looks` says."""
        if self.training:
            return self.looks(crop)
        points, face, _ = self.looks(crop)
        return points, torch.sigmoid(face)


def build(quality: str = "light") -> LandmarkNet:
    """The network of a quality: "light" has three quarters of MobileNetV3-Large's channels, "full" all."""
    return LandmarkNet(width={"light": 0.75, "full": 1.0}[quality])
