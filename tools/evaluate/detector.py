"""Protocol `detector`: recall by face size, precision, and silence on faceless pictures.

Data: the photographs' folder; its held-out photographs are pasted onto held-out backgrounds of 640x640, and looked at
as the live loop does, 320 and 640 pixels wide. JSON, at IoU 0.5 and score 0.5, for each width: recall, recall_FROM
(longer side of the box in the 640 picture), precision, iou (mean over hits), false_alarms per faceless picture; and
`recall_photographs` on whole photographs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime.align import box_of
from realtime.detection import detect
from realtime.tracking import overlap, suppress_doubles
from tools.composites import Composer, Scene, portraits
from tools.evaluate.chain import network
from tools.evaluate.picture import drawn_boxes, tiled
from tools.photos import Photographs, annotations

Found = tuple[np.ndarray, np.ndarray]
THRESHOLD = 0.5
SIZES = (0, 32, 64, 128, 256)
EVALUATION_SIDE = 640
WIDTHS = (320, 640)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--points", type=Path, nargs="*", default=[], help="npz files with weak 68-point labels")


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics and a sheet of scenes seen 320 pixels wide."""
    net = network("detector", options.quality, options.provider, options.checkpoint)
    photos, labels = Photographs(options.data), annotations(options.data, options.points)
    chosen = [p for name in ("helen", "aaf", "celeba", "utkface", "gan") for p in photos.of_set(name, "val")[:80]]
    chosen = [photo for photo in chosen if photo.name in labels]
    empty = [photos.read(photo) for photo in photos.of_set("background", "val")]
    faces = portraits(photos, chosen, labels, options.out / "cache" / "detector.npy")
    composer = Composer(faces, empty, Scene(side=EVALUATION_SIDE, smallest=40 / EVALUATION_SIDE, bare=0.0, whole=0.15))
    scenes = [composer.canvas(np.random.default_rng((options.seed, i))) for i in range(options.limit or 200)]
    metrics: dict[str, Any] = {}
    for width in WIDTHS:
        found = [detect(net, image, width, THRESHOLD) for image, _ in scenes]
        silent = [detect(net, image, width, THRESHOLD) for image in empty]
        for key, value in detection_measures(found, [boxes for _, boxes in scenes], silent).items():
            metrics[f"{key}_at_{width}"] = value
    helen = [photo for photo in chosen if photo.set in ("helen", "aaf")]
    found = [detect(net, photos.read(photo), 320, THRESHOLD) for photo in helen]
    boxes = [box_of(labels[photo.name].points)[None] for photo in helen]
    metrics["recall_photographs"] = detection_measures(found, boxes, [])["recall"]
    shown = [(image, *detect(net, image, 320, THRESHOLD), boxes) for image, boxes in scenes[:16]]
    return metrics, tiled([drawn_boxes(*scene) for scene in shown], columns=4)


def faces_found(model: Any, image: np.ndarray, threshold: float = 0.3) -> Found:
    """A torch detector on one (H, W, 3) uint8 picture, sides multiples of 32 -> boxes (N, 4), scores (N,)."""
    import torch

    from tools.train.feed import pictures

    with torch.no_grad():
        answer = model(pictures(torch.from_numpy(image)[None], next(model.parameters()).device))
    boxes, scores = (part[0].float().cpu().numpy() for part in answer)
    boxes, scores = boxes[scores >= threshold], scores[scores >= threshold]
    chosen = suppress_doubles(boxes, scores)
    return boxes[chosen], scores[chosen]


def detection_measures(
    found: Sequence[Found], truth: Sequence[np.ndarray], silent: Sequence[Found]
) -> dict[str, float]:
    """recall, recall_FROM (longer side, pixels), precision, mean IoU of hits, false alarms per faceless picture."""
    sizes, best, right, wrong = [], [], 0, 0
    for (boxes, scores), true in zip(found, truth, strict=True):
        table = overlap(true, boxes[scores >= THRESHOLD])  # (true, found)
        sizes += list((true[:, 2:] - true[:, :2]).max(1))
        best += list(table.max(1, initial=0.0))
        good = table.max(0, initial=0.0) >= 0.5
        right, wrong = right + int(good.sum()), wrong + int((~good).sum())
    size, iou = np.array(sizes), np.array(best)
    hit = iou >= 0.5
    measures = {"recall": float(hit.mean()), "precision": right / max(right + wrong, 1)}
    for low, high in zip(SIZES, (*SIZES[1:], np.inf), strict=True):
        group = hit[(size >= low) & (size < high)]
        if group.size:
            measures[f"recall_{low}"] = float(group.mean())
    measures["iou"] = float(iou[hit].mean()) if hit.any() else 0.0
    if silent:
        measures["false_alarms"] = float(np.mean([(scores >= THRESHOLD).sum() for _, scores in silent]))
    return measures
