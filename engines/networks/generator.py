"""N_ge, the generator: fills what the deleter cut out, guided by landmarks (paper sections 3.2 and 4.1).

Shape as in the paper: three gradually down-sampling encoder blocks, seven residual blocks with dilated convolutions, a
long-short-term attention block, and a decoder back to the size of the input, its skip connections zeroed inside the
hole. Our own addition: the hole is first filled smoothly by normalised convolution over a pyramid ("pull-push"), inside
the graph, and the network learns the difference to that; so it starts as good as classical inpainting.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from engines.networks.blocks import Enlarge, SubPixel, Unit, conv_norm, conv_unit
from engines.networks.deleter import MEAN, SPREAD

PYRAMID_LEVELS = 6  # 128x256 down to 2x4: wider than any hole
FILLED_ENOUGH = 1e-3  # weight under which a pyramid cell has seen no known pixel


@dataclass(frozen=True)
class GeneratorSize:
    """widths: channels at 1/2, 1/4, 1/8; key_width: channels of the attention's query = key."""

    widths: tuple[int, int, int]
    key_width: int
    separable: bool


SIZES = {
    "light": GeneratorSize((32, 64, 128), 32, True),
    "full": GeneratorSize((48, 96, 192), 64, False),
}


def pull_push(image: torch.Tensor, hole: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) and hole (N, 1, H, W) 0..1 -> the picture with its hole filled smoothly from around it.

    Normalised convolution: known pixels are averaged down a pyramid, and where a level knows nothing the next coarser
    one is used. H and W multiples of 2 ** PYRAMID_LEVELS.
    """
    known = (1 - hole) * torch.ones_like(image[:, :1])
    levels = [torch.cat([image * known, known], 1)]
    for _ in range(PYRAMID_LEVELS):
        levels.append(functional.avg_pool2d(levels[-1], 4, 2, 1))
    colour = levels[-1][:, :3] / levels[-1][:, 3:].clamp_min(FILLED_ENOUGH)
    for level in reversed(levels[:-1]):
        coarse = functional.interpolate(colour, scale_factor=2.0, mode="bilinear", align_corners=False)
        weight = level[:, 3:]
        fine = level[:, :3] / weight.clamp_min(FILLED_ENOUGH)
        trust = (4 * weight).clamp_max(1)
        colour = coarse + trust * (fine - coarse)
    return colour


class ResidualDilated(nn.Module):
    """Two convolutions, the first dilated by 2, and the identity."""

    def __init__(self, width: int, separable: bool):
        super().__init__()
        self.dilated = conv_unit(width, width, dilation=2, separable=separable)
        self.plain = conv_unit(width, width, separable=separable)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.plain(functional.relu(self.dilated(x)))


class LongShortAttention(nn.Module):
    """Long-short-term attention on the coarsest grid: x may borrow from anywhere in itself (short term) and, inside the
    hole, from the encoder's map of the known area (long term)."""

    def __init__(self, width: int, key_width: int, separable: bool):
        super().__init__()
        self.key = nn.Conv2d(width, key_width, 1)
        self.short = nn.Parameter(torch.zeros(1))
        self.long = nn.Parameter(torch.zeros(1))
        self.bypass = conv_norm(2 * width, width, 1)
        self.fuse = conv_unit(width, width, separable=separable)
        self.scale = key_width**-0.5

    def forward(self, x: torch.Tensor, encoded: torch.Tensor, hole: torch.Tensor) -> torch.Tensor:
        """x, encoded: (N, C, h, w); hole: (N, 1, h, w)."""
        n, c, h, w = x.shape
        key = self.key(x).flatten(2)
        affinity = torch.matmul(key.transpose(1, 2) * self.scale, key).softmax(2)  # (N, hw, hw)
        both = torch.cat([x, encoded], 1).flatten(2)  # (N, 2C, hw)
        gathered = torch.matmul(both, affinity.transpose(1, 2)).reshape(n, 2 * c, h, w)
        short = x + self.short * gathered[:, :c]
        long = (1 - hole) * encoded + self.long * hole * gathered[:, c:]
        mixed = self.bypass(torch.cat([short, long], 1))
        return mixed + self.fuse(functional.relu(mixed))


class Generator(nn.Module):
    """(N, 5, 128, 256): I_co RGB 0..1 (zero where deleted), mask (1 = deleted), landmark map -> (N, 3, 128, 256) RGB.

    Outside the mask the output is I_co itself, to the bit.
    """

    inputs = ("strip",)
    outputs = ("strip_filled",)

    def __init__(self, quality: str = "light"):
        super().__init__()
        size = SIZES[quality]
        (a, b, c), separable = size.widths, size.separable
        self.encode1 = nn.Sequential(nn.Conv2d(8, a, 4, 2, 1, bias=False), nn.BatchNorm2d(a), nn.ReLU(inplace=True))
        self.encode2 = nn.Sequential(Unit(a, b, stride=2, separable=separable), Unit(b, b, separable=separable))
        self.encode3 = nn.Sequential(Unit(b, c, stride=2, separable=separable), Unit(c, c, separable=separable))
        self.middle = nn.Sequential(*(ResidualDilated(c, separable) for _ in range(7)))
        self.attention = LongShortAttention(c, size.key_width, separable)
        self.enlarge2, self.enlarge1 = Enlarge(c, b), Enlarge(b, a)
        self.fuse2, self.fuse1 = conv_norm(2 * b, b, 1), conv_norm(2 * a, a, 1)
        self.decode2 = Unit(b, b, separable=separable)
        self.decode1 = nn.Sequential(Unit(a, a, separable=separable), Unit(a, a, 5, separable=separable))
        self.residual = SubPixel(a, 3)
        nn.init.zeros_(self.residual.project.weight)
        assert self.residual.project.bias is not None
        nn.init.zeros_(self.residual.project.bias)

    def forward(self, strip: torch.Tensor) -> torch.Tensor:
        known, hole, landmarks = strip[:, :3], strip[:, 3:4], strip[:, 4:5]
        smooth = pull_push(known, hole)
        start = known * (1 - hole) + smooth * hole
        hole1 = functional.avg_pool2d(hole, 2)
        hole2 = functional.avg_pool2d(hole1, 2)
        hole3 = functional.avg_pool2d(hole2, 2)
        e1 = self.encode1(torch.cat([(start - MEAN) / SPREAD, (known - MEAN) / SPREAD, hole, landmarks], 1))
        e2 = self.encode2(e1)
        e3 = self.encode3(e2)
        x = self.attention(self.middle(e3), e3, hole3)
        x = self.decode2(functional.relu(self.fuse2(torch.cat([self.enlarge2(x), e2 * (1 - hole2)], 1))))
        x = self.decode1(functional.relu(self.fuse1(torch.cat([self.enlarge1(x), e1 * (1 - hole1)], 1))))
        filled = (smooth + SPREAD * self.residual(x)).clamp(0, 1)
        return known * (1 - hole) + filled * hole


class Discriminator(nn.Module):
    """Conditional patch discriminator: (N, 3, H, W) RGB 0..1, mask and landmark map (N, 1, H, W) -> (N, 1, H/8, W/8)
    scores (least squares: 1 real, 0 made), and its inner maps for feature matching. Spectral norm; training only."""

    def __init__(self, width: int = 24):
        super().__init__()
        plan = [(5, width, 2), (width, 2 * width, 2), (2 * width, 4 * width, 2), (4 * width, 4 * width, 1)]
        self.body = nn.ModuleList(
            nn.utils.parametrizations.spectral_norm(nn.Conv2d(i, o, 4 if s == 2 else 3, s, 1)) for i, o, s in plan
        )
        self.score = nn.utils.parametrizations.spectral_norm(nn.Conv2d(4 * width, 1, 3, 1, 1))

    def forward(
        self, image: torch.Tensor, hole: torch.Tensor, landmarks: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        x = torch.cat([(image - MEAN) / SPREAD, hole, landmarks], 1)
        maps = []
        for layer in self.body:
            x = functional.leaky_relu(layer(x), 0.2)
            maps.append(x)
        return self.score(x), maps


def build(quality: str = "light") -> Generator:
    """The network of a quality, untrained."""
    return Generator(quality)
