"""N_de, the deleter: a U-Net that parses the periocular strip (paper section 3.2, after CelebAMask-HQ's classes).

From one pass come the class map M, which is the eyeglasses area I_m to delete, the ratio of light that the glasses
leave (below 1 in the frame's shadow and behind tint, above 1 where a lens reflects), and what kind of glasses is worn.
The paper's U-Net is kept; in the light size its convolutions are separable and the first one halves the picture, so
that no convolution runs at full size: the detail of a one-pixel wire rim comes back through sub-pixel rearrangement of
features that the first layer took from each 6x6 patch, and of the pixels themselves, looked at once more at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from engines.networks.blocks import Enlarge, SubPixel, Unit, conv_norm
from engines.networks.classes import COUNT, GLASSES

MEAN, SPREAD = 0.45, 0.25  # of photographs, RGB 0..1
SHADOW_FLOOR = 0.2  # smallest light ratio the network can say; below it a sensor has clipped
DETAIL = 24  # channels of the last look at the pixels
COLOURS = 3  # the ratio is one of display values, red, green and blue: lenses are tinted, and reflect coloured things
SHEEN_CEILING = 2.5  # largest: lenses also add light that they reflect


@dataclass(frozen=True)
class DeleterSize:
    """widths: channels at 1/2, 1/4, 1/8 and 1/16 of the strip; depths: residual units at each."""

    widths: tuple[int, int, int, int]
    depths: tuple[int, int, int, int]
    separable: bool


SIZES = {
    "light": DeleterSize((24, 48, 96, 160), (1, 2, 3, 4), True),
    "full": DeleterSize((32, 64, 128, 256), (1, 1, 2, 2), False),
}


class Parsing(NamedTuple):
    """Answers before their non-linearities, in sub-pixel layout: element (s, y, x) is pixel (2y + s // 2, 2x + s % 2).

    logits: (N, 15, 4, H/2, W/2) of M; log_shadow: (N, 3, 4, H/2, W/2), log of shaded / unshaded light, RGB;
    kind: (N, 3) logits.
    """

    logits: torch.Tensor
    log_shadow: torch.Tensor
    kind: torch.Tensor


class Deleter(nn.Module):
    """(N, 3, 128, 256) RGB 0..1 -> `Parsing` while training, what `answer` says otherwise. H, W: multiples of 16."""

    inputs = ("strip",)
    outputs = ("labels", "glasses", "shadow", "kind")

    def __init__(self, quality: str = "light"):
        super().__init__()
        size = SIZES[quality]
        w, separable = size.widths, size.separable
        self.stem = halving(w[0])
        stages = []
        for level, (width, depth) in enumerate(zip(w, size.depths, strict=True)):
            entry = [] if level == 0 else [Unit(w[level - 1], width, stride=2, separable=separable)]
            dilations = [1 if level < 3 or k % 2 == 0 else 2 for k in range(depth)]
            stages.append(nn.Sequential(*entry, *(Unit(width, width, 3, 1, d, separable) for d in dilations)))
        self.encoder = nn.ModuleList(stages)
        self.enlarge = nn.ModuleList([Enlarge(w[k + 1], w[k]) for k in range(3)])
        self.skip = nn.ModuleList([conv_norm(w[k], w[k], 1) for k in range(3)])
        self.decoder = nn.ModuleList([Unit(w[k], w[k], 5 if k == 1 else 3, separable=separable) for k in range(3)])
        self.last = Unit(w[0], w[0], separable=separable)
        self.pixels = halving(DETAIL)
        self.detail = Unit(w[0] + DETAIL, w[0] + DETAIL, separable=separable)
        self.parse = SubPixel(w[0] + DETAIL, COUNT + COLOURS)
        self.kind = nn.Sequential(nn.Linear(2 * w[3] + w[0], 64), nn.ReLU(inplace=True), nn.Linear(64, 3))

    def features(self, strip: torch.Tensor) -> list[torch.Tensor]:
        """Encoder maps at 1/2, 1/4, 1/8, 1/16: also the features of the generator's perceptual and style losses."""
        x = self.stem((strip - MEAN) / SPREAD)
        maps = []
        for stage in self.encoder:
            x = stage(x)
            maps.append(x)
        return maps

    def at_half_size(self, strip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 4 * 18, H/2, W/2) maps before the sub-pixel rearrangement, and (N, 3) logits of the kind."""
        seen = self.features(strip)
        x = seen[3]
        pooled = [x.mean((2, 3)), x.amax((2, 3))]
        for k in (2, 1, 0):
            x = functional.relu(self.enlarge[k](x) + self.skip[k](seen[k]))
            x = self.decoder[k](x)
        x = self.last(x)
        maps = self.detail(torch.cat([x, self.pixels((strip - MEAN) / SPREAD)], 1))
        return self.parse.project(maps), self.kind(torch.cat([*pooled, x.amax((2, 3))], 1))

    def forward(self, strip: torch.Tensor) -> Parsing | tuple[torch.Tensor, ...]:
        return self.parsing(strip) if self.training else self.answer(strip)

    def parsing(self, strip: torch.Tensor) -> Parsing:
        """What the losses want: logits, in the sub-pixel layout."""
        maps, kind = self.at_half_size(strip)
        n, _, h, w = maps.shape
        logits, shadow = maps.contiguous().split([4 * COUNT, 4 * COLOURS], 1)
        return Parsing(logits.reshape(n, COUNT, 4, h, w), shadow.reshape(n, COLOURS, 4, h, w), kind)

    def answer(self, strip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the engines run: labels (N, H, W) uint8, glasses (N, 4, H, W), shadow (N, 3, H, W), kind (N, 3).

        The classes are compared before the sub-pixel rearrangement, so that only eight maps are rearranged instead of
        eighteen; maximum and softmax over the classes are spelled out class by class, because ONNX Runtime's own
        reductions over channels are slow (22 ms against 1).
        """
        maps, kind = self.at_half_size(strip)
        logits = maps[:, : 4 * COUNT].split(4, 1)  # one (N, 4, h, w) for each class
        best, labels = logits[0], torch.zeros_like(logits[0])
        for k in range(1, COUNT):
            labels = torch.where(logits[k] > best, float(k), labels)
            best = torch.maximum(best, logits[k])
        likelihood = [(one - best).exp() for one in logits]
        total = sum(likelihood[1:], likelihood[0])
        glasses = [likelihood[region] / total for region in GLASSES]
        shadow = maps[:, 4 * COUNT :].exp().clamp(SHADOW_FLOOR, SHEEN_CEILING)
        out = functional.pixel_shuffle(torch.cat([labels, *glasses, shadow], 1), 2)
        return out[:, 0].to(torch.uint8), out[:, 1:5], out[:, 5:], kind.softmax(1)


def halving(channels: int) -> nn.Sequential:
    """A convolution of every 6x6 patch, two pixels apart: half the size, no detail lost yet."""
    return nn.Sequential(
        nn.Conv2d(3, channels, 6, 2, 2, bias=False), nn.BatchNorm2d(channels, momentum=0.05), nn.ReLU(inplace=True)
    )


def build(quality: str = "light") -> Deleter:
    """The network of a quality, untrained."""
    return Deleter(quality)
