"""The face detector: anchor-free, separable, of YuNet's size (Wu et al. 2023), with boxes around the 68 points.

Input (N, 3, H, W) float32 RGB 0..1, sides multiples of 32; `boxes` (N, K, 4) pixels x0, y0, x1, y1 and `scores` (N, K)
over the cells of strides 8, 16 and 32, before non-maximum suppression. Trained for faces of 16 to 320 pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32)


def separable(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Depthwise then pointwise convolution, batch norm and ReLU after the whole."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, kernel, stride, kernel // 2, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two separable convolutions of one width beside a shortcut."""

    def __init__(self, channels: int, kernel: int):
        super().__init__()
        self.layers = nn.Sequential(
            separable(channels, channels, kernel=kernel), separable(channels, channels, kernel=kernel)
        )

    def forward(self, features: Tensor) -> Tensor:
        return features + self.layers(features)


class DetectorNet(nn.Module):
    """Trunk, top-down pyramid and one head per stride. `width` scales the channels."""

    def __init__(self, width: float = 1.0):
        super().__init__()
        stem, quarter, eighth, deep = (max(8, round(c * width / 8) * 8) for c in (16, 24, 64, 80))
        self.shallow = nn.Sequential(
            nn.Conv2d(3, stem, 3, 2, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU(inplace=True),
            separable(stem, quarter, stride=2), separable(quarter, quarter),
            separable(quarter, eighth, stride=2), Residual(eighth, 3),
        )  # fmt: skip
        self.middle = nn.Sequential(separable(eighth, deep, stride=2), Residual(deep, 3), Residual(deep, 5))
        self.deep = nn.Sequential(separable(deep, deep, stride=2), Residual(deep, 5), Residual(deep, 5))
        self.lateral = nn.ModuleList(nn.Conv2d(c, eighth, 1) for c in (eighth, deep, deep))
        self.heads = nn.ModuleList(separable(eighth, eighth) for _ in STRIDES)
        scores = [nn.Conv2d(eighth, 1, 1) for _ in STRIDES]
        sides = [nn.Conv2d(eighth, 4, 1) for _ in STRIDES]
        for score, side in zip(scores, sides, strict=True):
            assert score.bias is not None and side.bias is not None
            nn.init.constant_(score.bias, -4.6)  # one cell in a hundred, as in the focal loss's paper
            nn.init.normal_(side.weight, std=0.01)
            nn.init.constant_(side.bias, 0.7)
        self.score, self.sides = nn.ModuleList(scores), nn.ModuleList(sides)

    def levels(self, image: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Per stride: score logits (N, 1, h, w) and distances to left, top, right, bottom (N, 4, h, w) in strides."""
        shallow = self.shallow(image * 4.0 - 2.0)
        middle = self.middle(shallow)
        deep = self.deep(middle)
        third = self.lateral[2](deep)
        second = self.lateral[1](middle) + functional.interpolate(third, scale_factor=2.0, mode="nearest")
        first = self.lateral[0](shallow) + functional.interpolate(second, scale_factor=2.0, mode="nearest")
        answers = []
        for head, score, sides, features in zip(
            self.heads, self.score, self.sides, (first, second, third), strict=True
        ):
            seen = head(features)
            answers.append((score(seen), sides(seen).clamp(max=4.0).exp()))
        return answers

    def flat(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """All cells in a row: boxes (N, K, 4) pixels and score logits (N, K)."""
        boxes, logits = [], []
        for stride, (score, sides) in zip(STRIDES, self.levels(image), strict=True):
            one = torch.ones_like(score)
            x = (one.cumsum(3) - 0.5) * stride - 0.5  # cell centres, pixel centres at integers
            y = (one.cumsum(2) - 0.5) * stride - 0.5
            left, top, right, bottom = (sides * stride).split(1, dim=1)
            boxes.append(torch.cat([x - left, y - top, x + right, y + bottom], 1).flatten(2).transpose(1, 2))
            logits.append(score.flatten(1))
        return torch.cat(boxes, 1), torch.cat(logits, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """`boxes`, `scores`; while training the scores are left before their sigmoid."""
        boxes, logits = self.flat(image)
        return boxes, logits if self.training else torch.sigmoid(logits)


def build(quality: str = "light") -> DetectorNet:
    """The network of a quality: "full" has half as many channels again as "light"."""
    return DetectorNet(width={"light": 1.0, "full": 1.5}[quality])
