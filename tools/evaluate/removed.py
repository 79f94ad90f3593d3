"""One photograph whose rendered glasses were removed again, with everything that a judge of the result may want."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from realtime.align import STRIP
from realtime.lenses import Lens
from tools.evaluate.tally import Scores
from tools.factory.wear import Sample

Found = dict[str, np.ndarray]  # the deleter's outputs for one strip


@dataclass(frozen=True, eq=False)
class Removed:
    """number: of the photograph. points: (68, 2) true ones, crop pixels. found: the deleter's outputs for the strip.
    hole: (128, 256) uint8 that the chain repainted, 0 or 255 before its soft edge. lifted: (128, 256, 3) uint8, shadow,
    tint and power of the lenses undone, nothing repainted. result: (256, 256, 3) uint8, the whole chain. tone: of the
    skin. lenses: what was unbent."""

    number: int
    sample: Sample
    points: np.ndarray
    found: Found
    hole: np.ndarray
    lifted: np.ndarray
    result: np.ndarray
    tone: str
    lenses: tuple[Lens, ...] = ()

    @property
    def groups(self) -> dict[str, str]:
        """What its figures are grouped by: rim family, lens, skin."""
        return {"kind": self.sample.family, "lens": self.sample.kind.name.lower(), "skin_tone": self.tone}

    def strips(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The strip's rows of the clean picture, of the worn one and of the result."""
        return self.sample.clean[STRIP], self.sample.image[STRIP], self.result[STRIP]


Judge = Callable[[Removed, Scores], None]
