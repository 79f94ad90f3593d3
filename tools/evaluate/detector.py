"""The detector's measures: recall by face size at IoU 0.5, precision, and what it sees in faceless pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from realtime.tracking import overlap, suppress_doubles

Found = tuple[np.ndarray, np.ndarray]
THRESHOLD = 0.5
SIZES = ((0, 32), (32, 64), (64, 128), (128, 10_000))


def faces_found(model: Any, image: np.ndarray, threshold: float = 0.3) -> Found:
    """A torch detector on one (H, W, 3) uint8 picture, sides multiples of 32 -> boxes (N, 4), scores (N,)."""
    import torch

    from tools.train.trainer import pictures

    with torch.no_grad():
        boxes, scores = model(pictures(torch.from_numpy(image)[None], next(model.parameters()).device))
    return kept(boxes[0].float().cpu().numpy(), scores[0].float().cpu().numpy(), threshold)


def kept(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> Found:
    """The network's raw answer -> faces above the threshold, doubles suppressed, best first."""
    sure = scores >= threshold
    boxes, scores = boxes[sure], scores[sure]
    chosen = suppress_doubles(boxes, scores)
    return boxes[chosen], scores[chosen]


def detection_measures(
    found: Sequence[Found], truth: Sequence[np.ndarray], silent: Sequence[Found]
) -> dict[str, float]:
    """recall, recall_SIZE (longer side, pixels), precision, mean IoU of hits, and false alarms per faceless picture."""
    hits: list[tuple[float, float]] = []  # longer side, best IoU
    right = wrong = 0
    for (boxes, scores), true in zip(found, truth, strict=True):
        boxes = boxes[scores >= THRESHOLD]
        table = overlap(true, boxes) if len(boxes) else np.zeros((len(true), 0))
        hits += [
            (float((box[2:] - box[:2]).max()), float(row.max(initial=0.0)))
            for box, row in zip(true, table, strict=True)
        ]
        good = table.max(0, initial=0.0) >= 0.5
        right, wrong = right + int(good.sum()), wrong + int((~good).sum())
    size, best = np.array(hits).reshape(-1, 2).T
    measures = {"recall": float((best >= 0.5).mean()), "precision": right / max(right + wrong, 1)}
    for low, high in SIZES:
        group = best[(size >= low) & (size < high)]
        if group.size:
            measures[f"recall_{low}"] = float((group >= 0.5).mean())
    measures["iou"] = float(best[best >= 0.5].mean()) if (best >= 0.5).any() else 0.0
    alarms = [int((scores >= THRESHOLD).sum()) for _, scores in silent]
    measures["false_alarms"] = float(np.mean(alarms)) if alarms else 0.0
    return measures
