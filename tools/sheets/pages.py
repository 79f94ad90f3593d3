"""Pages of numbered tiles: before, mask, after, 3D of one photograph side by side."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from tools.evaluate.picture import tiled
from tools.sheets.chain import Shown
from tools.sheets.failure import COUNTED, Failure

ROWS = slice(12, 204)  # of the aligned crop: brows to mouth
COLUMNS, PER_PAGE = 2, 14
MASKED = np.array([255, 0, 255], np.uint8)
CAPTION_PX = 16


def tile(number: int, shown: Shown | None, failure: Failure | None, name: str) -> np.ndarray:
    """(208, 1024, 3) uint8: the four pictures under a line with number, name, kind, score and its largest parts."""
    if shown is None or failure is None:
        pictures = np.zeros((ROWS.stop - ROWS.start, 1024, 3), np.uint8)
        return np.vstack([caption(f"{number}  {name}  no face found"), pictures])
    half = (shown.before // 2 + MASKED // 2).astype(np.uint8)
    weight = shown.mask[..., None] / 255
    masked = (shown.before * (1 - weight) + half * weight).astype(np.uint8)
    worst = sorted(((part, failure.scaled[part]) for part in COUNTED), key=lambda part: -part[1])
    parts = "  ".join(f"{part} {value:.1f}" for part, value in worst if value >= 0.5)
    line = f"{number}  {name[-40:]}  {shown.face.glasses.name.lower()}  {failure.score:.1f}: {parts}"
    row = np.hstack([picture[ROWS] for picture in (shown.before, masked, shown.after, shown.solid)])
    return np.vstack([caption(line), row])


def caption(text: str, width: int = 1024) -> np.ndarray:
    line = np.zeros((CAPTION_PX, width, 3), np.uint8)
    cv2.putText(line, text, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return line


def pages(tiles: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Sheets of PER_PAGE tiles."""
    return [tiled(tiles[i : i + PER_PAGE], COLUMNS, 4) for i in range(0, len(tiles), PER_PAGE)]
