"""Scores that protocols collect picture by picture: means, means by group, and the group that fares worst."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tools.evaluate.groups import Groups
from tools.evaluate.inpainting import masked_scores


@dataclass
class Scores:
    """Values by figure, and the same by group."""

    values: dict[str, list[float]] = field(default_factory=dict)
    groups: Groups = field(default_factory=Groups)

    def note(self, figure: str, value: float, **groups: str) -> None:
        """Keep a value, under each axis=group too; NaN is left out."""
        if np.isfinite(value):
            self.values.setdefault(figure, []).append(float(value))
            self.groups.add(figure, float(value), **groups)

    def compare(self, figure: str, truth: np.ndarray, made: np.ndarray, where: np.ndarray, **groups: str) -> None:
        """Keep the PSNR over (h, w) `where`; an empty region says nothing."""
        self.note(figure, masked_scores(truth, made, where)[0], **groups)

    def report(self) -> dict[str, Any]:
        """Means by figure, then `by_AXIS`, `worst_group` and `worst_group_ratio`."""
        means = {figure: float(np.mean(values)) for figure, values in sorted(self.values.items())}
        return {**means, **self.groups.report()}
