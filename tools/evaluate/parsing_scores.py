"""Overlap of parsing maps, F1 of the kind of glasses, and a map painted over its picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engines.networks.classes import Region

GROUPS: Mapping[str, tuple[Region, ...]] = {
    "iou_frame": (Region.FRAME,),
    "iou_lens": (Region.CLEAR_LENS, Region.DARK_LENS, Region.GLARE),
    "iou_clear_lens": (Region.CLEAR_LENS, Region.GLARE),
    "iou_dark_lens": (Region.DARK_LENS,),
    "iou_glare": (Region.GLARE,),
    "iou_glasses": (Region.FRAME, Region.CLEAR_LENS, Region.DARK_LENS, Region.GLARE),
}
COLOURS = np.array(
    [
        [0, 0, 0], [230, 190, 160], [120, 70, 20], [90, 50, 10], [60, 160, 255], [30, 100, 230], [250, 150, 120],
        [150, 0, 0], [220, 60, 80], [200, 40, 60], [70, 60, 50], [255, 0, 255], [0, 255, 160], [255, 220, 0],
        [255, 255, 255],
    ],
    np.uint8,
)  # fmt: skip


class ParsingScores:
    """Intersection over union of groups of classes, summed over all pictures that are added."""

    def __init__(self) -> None:
        self.both = dict.fromkeys(GROUPS, 0)
        self.either = dict.fromkeys(GROUPS, 0)

    def add(self, truth: np.ndarray, said: np.ndarray) -> None:
        """(H, W) uint8 class maps; truth's IGNORE pixels do not count."""
        known = truth != Region.IGNORE
        for name, group in GROUPS.items():
            a, b = np.isin(truth, group) & known, np.isin(said, group) & known
            self.both[name] += int((a & b).sum())
            self.either[name] += int((a | b).sum())

    def iou(self) -> dict[str, float]:
        """By group; groups that nobody has seen or said are left out."""
        return {name: self.both[name] / self.either[name] for name in GROUPS if self.either[name]}


def confusion(truth: np.ndarray, said: np.ndarray, classes: int) -> np.ndarray:
    """(classes, classes) counts, a row for each true class."""
    matrix = np.zeros((classes, classes), int)
    np.add.at(matrix, (truth, said), 1)
    return matrix


def f1_macro(truth: np.ndarray, said: np.ndarray, classes: int) -> float:
    """Mean F1 over the classes that occur in the truth."""
    matrix = confusion(truth, said, classes)
    f1 = 2 * np.diag(matrix) / np.maximum(matrix.sum(0) + matrix.sum(1), 1)
    return float(f1[matrix.sum(1) > 0].mean())


def painted(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(H, W, 3) picture under its class map, half and half; unlabelled pixels stay as they are."""
    known = labels < len(COLOURS)
    colours = COLOURS[np.where(known, labels, 0)]
    return np.where(known[..., None], image // 2 + colours // 2, image)
