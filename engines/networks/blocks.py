"""Convolution blocks that deleter, generator and regressor share. Tensors are (N, C, H, W) float32.

Batch normalisation throughout: it folds into the convolutions at export. Only operators that every engine has built in.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


def conv_norm(c_in: int, c_out: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution that keeps H, W (divided by `stride`), then batch normalisation; no activation."""
    padding = (kernel - 1) * dilation // 2
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel, stride, padding, dilation, groups, bias=False),
        nn.BatchNorm2d(c_out, momentum=0.05),
    )


def conv_unit(
    c_in: int, c_out: int, kernel: int = 3, stride: int = 1, dilation: int = 1, separable: bool = True
) -> nn.Sequential:
    """A kernel x kernel convolution with its norm, no last activation; depthwise + pointwise when `separable`."""
    if not separable:
        return conv_norm(c_in, c_out, kernel, stride, dilation)
    return nn.Sequential(
        conv_norm(c_in, c_in, kernel, stride, dilation, groups=c_in), nn.ReLU(inplace=True), conv_norm(c_in, c_out, 1)
    )


class Unit(nn.Module):
    """`conv_unit` and ReLU, with the identity added where the shape allows (ResNet)."""

    def __init__(
        self, c_in: int, c_out: int, kernel: int = 3, stride: int = 1, dilation: int = 1, separable: bool = True
    ):
        super().__init__()
        self.body = conv_unit(c_in, c_out, kernel, stride, dilation, separable)
        self.residual = c_in == c_out and stride == 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.body(x)
        return functional.relu(x + y if self.residual else y)


class Enlarge(nn.Module):
    """Pointwise to `c_out` channels, then bilinear x2: the cheap order of the two."""

    def __init__(self, c_in: int, c_out: int):
        super().__init__()
        self.reduce = conv_norm(c_in, c_out, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.interpolate(self.reduce(x), scale_factor=2.0, mode="bilinear", align_corners=False)


class SubPixel(nn.Module):
    """Pointwise to 4 x `c_out`, rearranged into a map of twice the size: no convolution ever runs at that size."""

    def __init__(self, c_in: int, c_out: int):
        super().__init__()
        self.project = nn.Conv2d(c_in, 4 * c_out, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.pixel_shuffle(self.project(x), 2)
