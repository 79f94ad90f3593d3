"""Small pictures for reports: sheets of tiles, points on faces, curves. Everything (H, W, 3) uint8 RGB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

PREDICTED, TRUE = (0, 255, 0), (255, 60, 60)


def tiled(pictures: Sequence[np.ndarray], columns: int, gap: int = 2) -> np.ndarray:
    """Pictures of one size in rows of `columns`, on black."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), np.uint8)
    for i, picture in enumerate(pictures):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def drawn_points(image: np.ndarray, points: np.ndarray, truth: np.ndarray | None = None) -> np.ndarray:
    """A copy of `image` with predicted points green and, when given, true ones red beneath."""
    drawn = np.ascontiguousarray(image).copy()
    for colour, group in ((TRUE, truth), (PREDICTED, points)):
        for x, y in () if group is None else np.round(group * 16).astype(int):
            cv2.circle(drawn, (int(x), int(y)), 14, colour, -1, cv2.LINE_AA, 4)
    return drawn


def drawn_boxes(
    image: np.ndarray, boxes: np.ndarray, scores: np.ndarray, truth: np.ndarray | None = None
) -> np.ndarray:
    """A copy of `image` with found boxes green, their scores beside them, and true ones red beneath."""
    drawn = np.ascontiguousarray(image).copy()
    for x0, y0, x1, y1 in () if truth is None else np.round(truth).astype(int).tolist():
        cv2.rectangle(drawn, (x0, y0), (x1, y1), TRUE, 2)
    for (x0, y0, x1, y1), score in zip(np.round(boxes).astype(int).tolist(), scores, strict=True):
        cv2.rectangle(drawn, (x0, y0), (x1, y1), PREDICTED, 1)
        _write(drawn, f"{score:.2f}", (x0, max(y0 - 2, 8)), 0.35, PREDICTED)
    return drawn


def curve(series: Mapping[str, np.ndarray], limit: float, title: str, size: tuple[int, int] = (640, 480)) -> np.ndarray:
    """Cumulative curves: the share of `series`' values below x, for x from 0 to `limit`."""
    width, height = size
    picture = np.full((height, width, 3), 255, np.uint8)
    left, top, right, bottom = 60, 40, width - 20, height - 50
    for i in range(11):
        x, y = left + (right - left) * i // 10, bottom - (bottom - top) * i // 10
        cv2.line(picture, (x, top), (x, bottom), (225, 225, 225), 1)
        cv2.line(picture, (left, y), (right, y), (225, 225, 225), 1)
        _write(picture, f"{limit * i / 10:.3g}", (x - 12, bottom + 18), 0.4)
        _write(picture, f"{i / 10:.1f}", (left - 32, y + 4), 0.4)
    _write(picture, title, (left, top - 14), 0.6)
    colours = ((31, 119, 180), (214, 39, 40), (44, 160, 44), (148, 103, 189))
    grid = np.linspace(0, limit, right - left)
    for (name, values), colour, row in zip(series.items(), colours, range(len(series)), strict=False):
        share = np.searchsorted(np.sort(values), grid, "right") / max(len(values), 1)
        line = np.stack([left + np.arange(right - left), bottom - share * (bottom - top)], 1)
        cv2.polylines(picture, [np.round(line).astype(np.int32)], False, colour, 2, cv2.LINE_AA)
        _write(picture, name, (right - 230, bottom - 14 - 20 * row), 0.5, colour)
    return picture


def _write(
    picture: np.ndarray, text: str, at: tuple[int, int], size: float, colour: tuple[int, int, int] = (40, 40, 40)
) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
