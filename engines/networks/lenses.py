"""How strong the lenses of eyeglasses are: how much smaller or larger than it is an eye looks through them.

The paper keeps the eyes behind clear lenses as a camera sees them; those of the short-sighted look too small. What
tells is the size of the eyes beside the face's, and lines that break where a lens begins: the outline of the cheek, the
brows, the temples. The encoder is the deleter's, and begins as it: it knows rims and lenses. The strip is aligned, so
every cell of its maps has a meaning of its own, and is weighed by itself.
"""

from __future__ import annotations

import torch
from torch import nn

from engines.networks.blocks import conv_norm
from engines.networks.deleter import SIZES, Deleter

CELL_CHANNELS = 8
UNIT = 0.05  # log of the scale that one unit of the last layer means, about its spread among clear lenses


class Lenses(nn.Module):
    """(N, 3, 128, 256) RGB 0..1, the strip with clear glasses on -> scale (N, 1): true over seen distance from a lens's
    centre, above 1 for the short-sighted, whom lenses shrink.
    """

    inputs = ("strip",)
    outputs = ("scale",)

    def __init__(self, quality: str = "light"):
        super().__init__()
        self.encoder = Encoder(quality)
        fine, coarse = SIZES[quality].widths[2:]
        self.gather = nn.Conv2d(coarse, coarse, (8, 16), groups=coarse)
        self.cells = nn.Sequential(conv_norm(fine, CELL_CHANNELS, 1), nn.ReLU(inplace=True))
        self.hidden = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(coarse + CELL_CHANNELS * 16 * 32, 64), nn.ReLU(inplace=True)
        )
        self.say = nn.Linear(64, 1)
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)

    def forward(self, strip: torch.Tensor) -> torch.Tensor:
        *_, fine, coarse = self.encoder.features(strip)
        seen = torch.cat([self.gather(coarse).flatten(1), self.cells(fine).flatten(1)], 1)
        return (UNIT * self.say(self.hidden(seen))).exp()


class Encoder(Deleter):
    """The deleter without what it says: `features` alone."""

    def __init__(self, quality: str = "light"):
        super().__init__(quality)
        for part in ("enlarge", "skip", "decoder", "last", "pixels", "detail", "parse", "kind"):
            delattr(self, part)


def build(quality: str = "light") -> Lenses:
    """The network of a quality, untrained."""
    return Lenses(quality)
