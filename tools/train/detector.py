"""Training of the face detector on composites: faces of every size and turn, with and without glasses, and none.

Cells near a face's middle, on the stride that suits its size, are positive (FCOS, Tian et al. 2019). The score learns
the overlap of the box that the cell predicts (quality focal loss, Li et al. 2020), the sides the generalised IoU.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.detector import STRIDES, build
from tools.composites import Composer, Portraits, Scene, portraits
from tools.evaluate.detector import detection_measures, faces_found
from tools.evaluate.picture import drawn_boxes, tiled
from tools.photos import Photograph, Photographs, annotations
from tools.train.trainer import Batch, Models, Options, Recipe, pictures

# Longer sides of boxes, pixels, that each stride learns; neighbours share a range.
RANGES = ((0.0, 56.0), (40.0, 128.0), (100.0, 1e6))
MOST = 8  # boxes per canvas in a batch; the rest of the rows have no area


@dataclass(frozen=True)
class DetectorRecipe(Recipe):
    """at_most: photographs taken of each set."""

    batch: int = 12
    learning_rate: dict[str, float] | None = None  # type: ignore[assignment]
    boxes: float = 1.5
    at_most: tuple[tuple[str, int], ...] = (
        ("helen", 707),
        ("aaf", 2400),
        ("celeba", 3600),
        ("utkface", 1200),
        ("gan", 652),
    )


def create_task(options: Options) -> DetectorTraining:
    return DetectorTraining(options, DetectorRecipe(learning_rate={"model": 3e-3}))


class DetectorTraining:
    """The detector's task of `trainer`."""

    name = "detector"
    players = ("model",)

    def __init__(self, options: Options, recipe: DetectorRecipe):
        self.options, self.recipe = options, recipe
        photos = Photographs(options.data)
        self.train = Composer(self._portraits(photos, "train"), self._backgrounds(photos, "train"))
        self.empty = [fitted(image) for image in self._backgrounds(photos, "val")]
        val = Composer(self._portraits(photos, "val"), self._backgrounds(photos, "val"), Scene(bare=0.0))
        self.held_out = [val.canvas(np.random.default_rng((1, i))) for i in range(120)]

    def models(self) -> dict[str, nn.Module]:
        return {"model": build(self.options.quality)}

    def batch(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """image (B, 256, 256, 3) uint8, boxes (B, MOST, 4) float32."""
        canvases = [self.train.canvas(rng) for _ in range(self.recipe.batch)]
        boxes = np.zeros((len(canvases), MOST, 4), np.float32)
        for row, (_, found) in zip(boxes, canvases, strict=True):
            row[: len(found)] = found[:MOST]
        return {"image": np.stack([image for image, _ in canvases]), "boxes": boxes}

    def loss(self, models: Models, batch: Batch, player: str) -> dict[str, Tensor]:
        image = pictures(batch["image"])
        predicted, logits = models["model"](image)
        predicted, logits = predicted.float(), logits.float()
        wanted, positive = assign(batch["boxes"], image.shape[-2], image.shape[-1])
        count = positive.sum().clamp(min=1)
        iou, giou = overlaps(predicted[positive], wanted[positive])
        target = torch.zeros_like(logits)
        target[positive] = iou.detach().clamp(0, 1)
        gap = (target - torch.sigmoid(logits)).abs().square()
        score = (gap * functional.binary_cross_entropy_with_logits(logits, target, reduction="none")).sum() / count
        boxes = (1 - giou).sum() / count
        return {"total": score + self.recipe.boxes * boxes, "score": score, "boxes": boxes, "iou": iou.mean()}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        found = [faces_found(model, image) for image, _ in self.held_out]
        silent = [faces_found(model, image) for image in self.empty]
        return detection_measures(found, [boxes for _, boxes in self.held_out], silent)

    def sheet(self, model: nn.Module) -> np.ndarray:
        return tiled(
            [drawn_boxes(image, *faces_found(model, image), boxes) for image, boxes in self.held_out[:24]], columns=6
        )

    def _portraits(self, photos: Photographs, split: str) -> Portraits:
        labels = annotations(self.options.data, self.options.points)
        chosen: list[Photograph] = []
        for name, most in self.recipe.at_most:
            chosen += [photo for photo in photos.of_set(name, split) if photo.name in labels][
                : most if split == "train" else 80
            ]
        return portraits(photos, chosen, labels, self.options.out / "cache" / f"{split}.npy")

    @staticmethod
    def _backgrounds(photos: Photographs, split: str) -> list[np.ndarray]:
        return [photos.read(photo) for photo in photos.of_set("background", split)]


def fitted(image: np.ndarray) -> np.ndarray:
    """The upper left part of a picture whose sides are multiples of 32."""
    height, width = (side // 32 * 32 for side in image.shape[:2])
    return np.ascontiguousarray(image[:height, :width])


def cells(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Centres (K, 2) in pixels and strides (K,) of all cells, in the network's order."""
    centres, strides = [], []
    for stride in STRIDES:
        rows = (torch.arange(height // stride, device=device) + 0.5) * stride - 0.5
        columns = (torch.arange(width // stride, device=device) + 0.5) * stride - 0.5
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        centres.append(torch.stack([x.flatten(), y.flatten()], 1))
        strides.append(torch.full((x.numel(),), float(stride), device=device))
    return torch.cat(centres), torch.cat(strides)


def assign(boxes: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """(B, M, 4) true boxes -> each cell's box (B, K, 4) and whether it has one (B, K); the smallest of several wins."""
    centres, strides = cells(height, width, boxes.device)
    size = (boxes[..., 2:] - boxes[..., :2]).amax(-1)  # (B, M)
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    away = (centres[None, :, None] - middle[:, None]).abs().amax(-1)  # (B, K, M)
    low = torch.empty_like(strides)
    high = torch.empty_like(strides)
    for stride, (least, most) in zip(STRIDES, RANGES, strict=True):
        low[strides == stride], high[strides == stride] = least, most
    radius = torch.maximum(0.75 * strides[None, :, None], 0.14 * size[:, None])
    suits = (size[:, None] > low[None, :, None]) & (size[:, None] <= high[None, :, None]) & (size[:, None] > 4)
    inside = suits & (away <= radius)
    cost = torch.where(inside, size[:, None].expand_as(away), torch.inf)
    best = cost.argmin(-1)  # (B, K)
    return boxes.gather(1, best[..., None].expand(-1, -1, 4)), inside.any(-1)


def overlaps(boxes: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU of (P, 4) boxes, pair by pair."""
    low, high = torch.maximum(boxes[:, :2], others[:, :2]), torch.minimum(boxes[:, 2:], others[:, 2:])
    both = (high - low).clamp(min=0).prod(1)
    union = (boxes[:, 2:] - boxes[:, :2]).prod(1) + (others[:, 2:] - others[:, :2]).prod(1) - both
    hull = torch.maximum(boxes[:, 2:], others[:, 2:]) - torch.minimum(boxes[:, :2], others[:, :2])
    iou = both / union.clamp(min=1e-6)
    return iou, iou - (hull.prod(1) - union) / hull.prod(1).clamp(min=1e-6)
