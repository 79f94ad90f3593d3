"""N_r: ResNet-50 that regresses the 239 coefficients of the morphable face from a glasses-free crop (paper 3.3).

"full" is ResNet-50 as published. "light" is the same topology at half the width (about 6 million parameters, a quarter
of the work): what two CPU cores can train in an hour and run beside the other networks, and a file that can ship.
The crop is aligned, so every cell of the last map has a meaning of its own: where ResNet-50 averages them, each channel
weighs them (begun as that average; MobileFaceNet, Chen et al. 2018), and the heads also read the 8x8 cells of the map
before it, each thinned to a few channels: the shape of a face is where its parts are, to a fraction of a pixel.
The last layer is split into separate heads (identity, expression, texture, light, pose), initialised to zero around the
mean of each coefficient, so that the untrained network says "the mean face, frontal".
The identity also reads what G, the recogniser of eq. 9, says of the same person: where the paper's G only judges N_r,
here it also tells it whose face it is, which pixels and 68 points tell far worse (Table 1).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from engines.networks.deleter import MEAN, SPREAD
from engines.networks.recogniser import FEATURES
from realtime.face.coefficients import COUNT, SLICES

WIDTHS = {"light": 32, "full": 64}  # channels of the first layer; ResNet-50 has 64
BLOCKS = (3, 4, 6, 3)
EXPANSION = 4
LAST_SIDE, FINE_SIDE = 4, 8  # of the last map and the one before, for the input of 128 pixels
CELL_CHANNELS = 32


def _conv(c_in: int, c_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel, stride, (kernel - 1) // 2, bias=False), nn.BatchNorm2d(c_out, momentum=0.05)
    )


class Bottleneck(nn.Module):
    """1x1, 3x3 (which carries the stride), 1x1 to four times the width, and the identity (He et al., ResNet v1.5)."""

    def __init__(self, c_in: int, width: int, stride: int):
        super().__init__()
        c_out = width * EXPANSION
        self.reduce, self.space, self.expand = (
            _conv(c_in, width, 1),
            _conv(width, width, 3, stride),
            _conv(width, c_out, 1),
        )
        self.shortcut = _conv(c_in, c_out, 1, stride) if stride != 1 or c_in != c_out else nn.Identity()
        nn.init.zeros_(self.expand[1].weight)  # type: ignore[arg-type]  # each block starts as the identity

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.expand(functional.relu(self.space(functional.relu(self.reduce(x)))))
        return functional.relu(self.shortcut(x) + y)


class Coefficients(nn.Module):
    """(N, 3, S, S) RGB 0..1, the aligned crop shrunk (S = 128 at run time, any S in training), and (N, 128) features of
    G, of unit length, zero where nobody asked it -> (N, 239) coefficients, pose in pixels of the 256x256 crop.

    centre, spread: (239,) buffers, mean and standard deviation of the training coefficients, saved with the weights.
    """

    inputs = ("crop", "features")
    centre: torch.Tensor
    spread: torch.Tensor
    outputs = ("coefficients",)

    def __init__(self, quality: str = "light"):
        super().__init__()
        width = WIDTHS[quality]
        self.stem = nn.Sequential(_conv(3, width, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))
        blocks: list[nn.Module] = []
        c_in = width
        for stage, depth in enumerate(BLOCKS):
            for k in range(depth):
                blocks.append(Bottleneck(c_in, width << stage, 2 if k == 0 and stage > 0 else 1))
                c_in = (width << stage) * EXPANSION
        self.body = nn.Sequential(*blocks)
        fine = (width << 2) * EXPANSION
        self.cells = nn.Sequential(_conv(fine, CELL_CHANNELS, 1), nn.ReLU(inplace=True))
        self.embedded = c_in + CELL_CHANNELS * FINE_SIDE**2
        self.gather = nn.Conv2d(c_in, c_in, LAST_SIDE, groups=c_in, bias=False)
        nn.init.constant_(self.gather.weight, 1 / LAST_SIDE**2)
        self.heads = nn.ModuleDict({name: nn.Linear(self.embedded, s.stop - s.start) for name, s in SLICES.items()})
        for head in self.heads.values():
            nn.init.zeros_(head.weight)  # type: ignore[arg-type]
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]
        self.known = nn.Linear(FEATURES, SLICES["identity"].stop - SLICES["identity"].start, bias=False)
        nn.init.zeros_(self.known.weight)
        self.register_buffer("centre", torch.zeros(COUNT))
        self.register_buffer("spread", torch.ones(COUNT))

    def embed(self, crop: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) -> (N, `embedded`) features before the heads."""
        split = sum(BLOCKS[:3])
        fine = self.body[:split](self.stem((crop - MEAN) / SPREAD))
        coarse, cells = self.body[split:](fine), self.cells(fine)
        if coarse.shape[-1] != LAST_SIDE:
            coarse = functional.adaptive_avg_pool2d(coarse, LAST_SIDE)
            cells = functional.adaptive_avg_pool2d(cells, FINE_SIDE)
        return torch.cat([self.gather(coarse).flatten(1), cells.flatten(1)], 1)

    def forward(self, crop: torch.Tensor, features: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """The coefficients; while training, the features before the heads too."""
        x = self.embed(crop)
        parts = {name: head(x) for name, head in self.heads.items()}
        parts["identity"] = parts["identity"] + self.known(features)
        said = self.centre + self.spread * torch.cat(list(parts.values()), 1)
        return (said, x) if self.training else said


def build(quality: str = "light") -> Coefficients:
    """The network of a quality, untrained."""
    return Coefficients(quality)
