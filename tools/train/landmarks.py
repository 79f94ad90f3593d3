"""Training of N_L (paper 3.1): crops jittered like a detector's and a tracker's, light and hidden parts of every kind.

The paper's eq. 1 is the L2 distance between predicted and true points. Here each point's L2 distance passes through the
wing curve of Feng et al. 2018 (logarithmic near zero), which keeps small errors worth improving; the rest departs in
nothing. A second term, binary cross entropy, teaches the face confidence on backgrounds and on crops far off the face.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.landmarks import CROP_SIZE, build
from realtime.align import MIRROR, box_of, landmark_crop_from_box, roll_of, transform_points
from tools.augment import cover, photometric
from tools.drawn_glasses import draw_glasses
from tools.evaluate.measures import area_under_roc, normalised_mean_error
from tools.evaluate.picture import drawn_points, tiled
from tools.face_crops import SIDE, background_squares, face_crops
from tools.photos import Photographs, annotations
from tools.train.lids import EYES, gap_of
from tools.train.shards import RenderedFaces
from tools.train.trainer import Batch, Models, Options, Recipe, pictures


@dataclass(frozen=True)
class LandmarkRecipe(Recipe):
    """shares: how often each set is drawn (those absent are left out). negatives: faceless crops per batch."""

    batch: int = 32
    negatives: int = 4
    learning_rate: dict[str, float] | None = None  # type: ignore[assignment]
    weak_weight: float = 0.3
    shares: tuple[tuple[str, float], ...] = (
        ("helen", 0.6),  # seen often, it is still not learnt by heart: 4.35 % on its train, 4.56 % on its val
        ("aaf", 0.13),
        ("celeba", 0.17),
        ("utkface", 0.07),
        ("gan", 0.03),
    )
    shard_share: float = 0.2
    shut: float = 0.1  # share drawn from the faces with an eye shut, below shut_gap of its width: they are rare
    shut_gap: float = 0.13
    glasses: float = 0.35
    covers: float = 0.2
    first: float = 0.3  # weight of the points before refinement
    wing_px: float = 8.0
    wing_curve_px: float = 1.5
    confidence: float = 2.0


def create_task(options: Options) -> LandmarkTraining:
    return LandmarkTraining(options, LandmarkRecipe(learning_rate={"model": 2e-3}))


class LandmarkTraining:
    """The task N_L of `trainer`."""

    name = "landmarks"
    players = ("model",)

    def __init__(self, options: Options, recipe: LandmarkRecipe):
        self.options, self.recipe = options, recipe
        photos, labels = Photographs(options.data), annotations(options.data, options.points, recipe.weak_weight)
        cache = options.out / "cache"
        chosen = [photo for name, _ in recipe.shares for photo in photos.of_set(name, "train") if photo.name in labels]
        self.faces = face_crops(photos, chosen, labels, cache, "train")
        helen = [photo for photo in photos.of_set("helen", "val") if photo.name in labels]
        self.held_out = face_crops(photos, helen, labels, cache, "val")
        self.backgrounds = background_squares(photos, "train", 3, np.random.default_rng(0))
        self.held_out_backgrounds = background_squares(photos, "val", 4, np.random.default_rng(1))
        self.members = {name: np.flatnonzero(self.faces.set == name) for name, _ in recipe.shares}
        gaps = [min(gap_of(points[eye]) for eye in EYES) for points in self.faces.points]
        self.shut = np.flatnonzero(np.array(gaps) < recipe.shut_gap)
        self.rendered = RenderedFaces(options.shards) if options.shards else None

    def models(self) -> dict[str, nn.Module]:
        model = build(self.options.quality)
        helen = self.faces.points[self.members["helen"]]
        crops = [transform_points(landmark_crop_from_box(box_of(points)), points) for points in helen]
        model.mean.copy_(torch.from_numpy(np.mean(crops, axis=0)))
        return {"model": model}

    def batch(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """image (B, 128, 128, 3) uint8; points (B, 68, 2), weight (B, 68), face (B,) float32. Faceless ones last."""
        recipe = self.recipe
        samples = [self._sample(rng) for _ in range(recipe.batch - recipe.negatives)]
        images = [image for image, _, _ in samples] + [self._faceless(rng) for _ in range(recipe.negatives)]
        points, weight = np.zeros((recipe.batch, 68, 2), np.float32), np.zeros((recipe.batch, 68), np.float32)
        points[: len(samples)] = [sample[1] for sample in samples]
        weight[: len(samples)] = [sample[2] for sample in samples]
        face = (np.arange(recipe.batch) < len(samples)).astype(np.float32)
        return {"image": np.stack(images), "points": points, "weight": weight, "face": face}

    def loss(self, models: Models, batch: Batch, player: str) -> dict[str, Tensor]:
        points, face, first = models["model"](pictures(batch["image"]))
        distance = distances(points, batch["points"])
        error = self._error(distance, batch["weight"])
        before = self.recipe.first * self._error(distances(first, batch["points"]), batch["weight"])
        confidence = functional.binary_cross_entropy_with_logits(face[:, 0].float(), batch["face"])
        return {
            "total": error + before + self.recipe.confidence * confidence, "points": error, "before": before,
            "confidence": confidence,
            "distance_px": (distance * batch["weight"]).sum() / batch["weight"].sum(),
        }  # fmt: skip

    def _error(self, distance: Tensor, weight: Tensor) -> Tensor:
        """Weighted mean of the wing curve of (N, 68) distances."""
        return (wing(distance, self.recipe.wing_px, self.recipe.wing_curve_px) * weight).sum() / weight.sum()

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """On Helen's held-out faces from their true boxes: NME bare and with drawn glasses, AUC against backgrounds."""
        bare, truth = self._held_out_crops(glasses=False)
        worn, _ = self._held_out_crops(glasses=True)
        points, positive = predict(model, bare)
        worn_points, worn_positive = predict(model, worn)
        _, negative = predict(
            model, np.stack([cv2.resize(b, (CROP_SIZE, CROP_SIZE)) for b in self.held_out_backgrounds])
        )
        errors, worn_errors = normalised_mean_error(points, truth), normalised_mean_error(worn_points, truth)
        return {
            "nme": float(errors.mean()), "nme_glasses": float(worn_errors.mean()),
            "nme_inner51": float(normalised_mean_error(points, truth, inner=True).mean()),
            "failure10": float((errors > 0.1).mean()),
            "auc_confidence": area_under_roc(np.concatenate([positive, worn_positive]), negative),
        }  # fmt: skip

    def sheet(self, model: nn.Module) -> np.ndarray:
        """Held-out faces with predicted points above, training crops with their labels below."""
        bare, truth = self._held_out_crops(glasses=False)
        worn, _ = self._held_out_crops(glasses=True)
        both = np.concatenate([bare[:12], worn[12:24]])
        points, _ = predict(model, both)
        above = [drawn_points(im, p, t) for im, p, t in zip(both, points, truth[:24], strict=True)]
        batch = self.batch(np.random.default_rng(self.options.seed))
        below = [
            drawn_points(im, p) if f else im
            for im, p, f in zip(batch["image"], batch["points"], batch["face"], strict=True)
        ]
        return tiled([*above, *below[-36:]], columns=12)

    def _held_out_crops(self, glasses: bool) -> tuple[np.ndarray, np.ndarray]:
        crops, truth = [], []
        for i, points in enumerate(self.held_out.points):
            matrix = landmark_crop_from_box(box_of(points))
            image = np.ascontiguousarray(self.held_out.images[i])
            if glasses:
                image = draw_glasses(image, points, np.random.default_rng(i))
            crops.append(cv2.warpAffine(image, matrix, (CROP_SIZE, CROP_SIZE), borderMode=cv2.BORDER_REPLICATE))
            truth.append(transform_points(matrix, points))
        return np.stack(crops), np.stack(truth)

    def _sample(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One positive: (128, 128, 3) uint8, (68, 2) crop pixels, (68,) weights."""
        if self.rendered is not None and rng.random() < self.recipe.shard_share:
            image, points, weight = self.rendered.draw(rng)
        else:
            image, points, weight = self._cached(rng)
            if rng.random() < self.recipe.glasses:
                image = draw_glasses(image, points, rng)
        if rng.random() < 0.5:
            image, points, weight = mirrored(image, points, weight)
        matrix = jittered_crop(points, rng)
        crop = cv2.warpAffine(
            image, matrix, (CROP_SIZE, CROP_SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        if rng.random() < self.recipe.covers:
            crop = cover(crop, rng)
        return photometric(crop, rng), transform_points(matrix, points), weight

    def _cached(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        shares = np.array([share if self.members[name].size else 0.0 for name, share in self.recipe.shares])
        name = self.recipe.shares[int(rng.choice(len(shares), p=shares / shares.sum()))][0]
        i = int(rng.choice(self.shut if self.shut.size and rng.random() < self.recipe.shut else self.members[name]))
        return np.ascontiguousarray(self.faces.images[i]), self.faces.points[i], self.faces.weight[i]

    def _faceless(self, rng: np.random.Generator) -> np.ndarray:
        """A crop without a face in its middle: background, or a place that overlaps the face's box by less than 0.2."""
        if rng.random() < 0.7:
            image = self.backgrounds[int(rng.integers(len(self.backgrounds)))]
            box = np.array([SIDE / 2, SIDE / 2]) + rng.uniform(-0.25, 0.25, 2) * SIDE
            half = SIDE * rng.uniform(0.1, 0.33)
            matrix = landmark_crop_from_box(np.concatenate([box - half, box + half]), rng.uniform(-0.6, 0.6))
        else:
            image, points, _ = self._cached(rng)
            matrix = landmark_crop_from_box(distant_box(box_of(points), rng), rng.uniform(-0.5, 0.5))
        crop = cv2.warpAffine(image, matrix, (CROP_SIZE, CROP_SIZE), borderMode=cv2.BORDER_REPLICATE)
        return photometric(cover(crop, rng) if rng.random() < 0.2 else crop, rng)


def distances(points: Tensor, truth: Tensor) -> Tensor:
    """(N, 68, 2) twice -> (N, 68), smooth at zero."""
    return (points.float() - truth).square().sum(-1).add(1e-6).sqrt()


def wing(distance: Tensor, width: float, curvature: float) -> Tensor:
    """The wing curve: width * ln(1 + d / curvature) below `width`, a line of slope one above; pixels in, pixels out."""
    offset = width * float(np.log1p(width / curvature)) - width
    return torch.where(distance < width, width * torch.log1p(distance / curvature), distance + offset)


def jittered_crop(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(2, 3) crop_from_picture as the live loop would cut it, for a face turned in its frame by a random angle.

    Half of the crops follow a detector (upright, box edges off by some percent), half a tracker (turned with the last
    frame's landmarks, which the head has since left a little).
    """
    turn = np.clip(rng.normal(0, 14), -40, 40) if rng.random() < 0.85 else rng.uniform(-35, 35)
    middle = points.mean(0)
    frame_from_picture = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), float(turn), 1.0)
    turned = transform_points(frame_from_picture, points)
    box = box_of(turned)
    size = max(box[2] - box[0], box[3] - box[1])
    box = box + rng.normal(0, rng.choice([0.045, 0.09, 0.16], p=[0.7, 0.2, 0.1]), 4) * size
    roll = roll_of(turned) + np.radians(rng.normal(0, 6)) if rng.random() < 0.5 else 0.0
    crop_from_frame = landmark_crop_from_box(box, roll)
    linear = crop_from_frame[:, :2] @ frame_from_picture[:, :2]
    return np.hstack([linear, (crop_from_frame[:, :2] @ frame_from_picture[:, 2] + crop_from_frame[:, 2])[:, None]])


def distant_box(box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A box of the face's neighbourhood, or of a small part of it, whose overlap with the face's is below 0.2."""
    size, centre = box[2:] - box[:2], (box[:2] + box[2:]) / 2
    if rng.random() < 0.5:  # a part: an eye is not a face
        half = size * rng.uniform(0.1, 0.2)
        middle = centre + rng.uniform(-0.4, 0.4, 2) * size
    else:
        half = size * rng.uniform(0.35, 0.6)
        angle = rng.uniform(0, 2 * np.pi)
        middle = centre + np.array([np.cos(angle), np.sin(angle)]) * size * rng.uniform(0.9, 1.2)
    return np.concatenate([middle - half, middle + half])


def mirrored(image: np.ndarray, points: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Left and right exchanged, in the picture and in the numbering."""
    flipped = points[MIRROR].copy()
    flipped[:, 0] = image.shape[1] - 1 - flipped[:, 0]
    return np.ascontiguousarray(image[:, ::-1]), flipped, weight[MIRROR]


@torch.no_grad()
def predict(model: nn.Module, crops: np.ndarray, at_once: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """(N, 128, 128, 3) uint8 -> points (N, 68, 2), confidence (N,)."""
    device = next(model.parameters()).device
    answers = [model(pictures(torch.from_numpy(crops[i : i + at_once]), device)) for i in range(0, len(crops), at_once)]
    points, confidence = (torch.cat(part).float().cpu().numpy() for part in zip(*answers, strict=True))
    return points, confidence[:, 0]
