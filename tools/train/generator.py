"""Training of N_ge and its discriminator (paper 3.2, 4.1), eq. 2-5 with the paper's weights 1, 250, 0.1.

Added to the paper: squared error, gradient loss, and perceptual loss. Both style and perceptual features are those of
our own deleter (the encoder of `OUT/../deleter/checkpoint.pt`, or of the weights that ship), where LaFIn takes
VGG-19, whose weights carry another licence and cannot be fetched everywhere. What is cheap and says most comes first:
style and perceptual terms, which cost as much as the network, join at half time, and the adversarial term (least
squares, conditional on mask and landmarks, with feature matching) at the end of the training. A training that starts
from known weights has style and perceptual terms from its beginning. With `--recogniser`, what is painted must leave
the face one that G takes for the same person's.
Clean crops come from the shards (`--shards`), or, without any, from photographs with landmarks (`--points`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.generator import Discriminator, Generator
from realtime.align import (
    CROP_SIZE,
    MIRROR,
    STRIP,
    STRIP_BOTTOM,
    STRIP_TOP,
    aligned_crop,
    crop_from_landmarks,
    transform_points,
    warp,
)  # fmt: skip
from realtime.landmark_map import landmark_map
from realtime.regressor import shrunk
from tools.evaluate.inpainting import masked_scores, telea
from tools.photos import Photographs, annotations
from tools.train import losses
from tools.train.augment import after, jitter_similarity, relight
from tools.train.features import feature_network, feature_terms
from tools.train.identity import frozen_recogniser
from tools.train.masks import deleted_mask, drawn_glasses, jittered
from tools.train.samples import Samples
from tools.train.trainer import Batch, Models, Options, Recipe, pictures

PIXEL, VARIATION = 1.0, 0.1  # eq. 5, with the style term of `tools.train.features`
GRADIENT, ADVERSARIAL, MATCHING = 0.5, 0.005, 0.1  # ours, small beside eq. 2
SQUARE = 2.0  # of the squared error, which PSNR counts
FEATURES_FROM, ADVERSARIAL_FROM = 0.5, 0.85  # fractions of the training
SETS = ("celeba", "helen", "aaf", "gan")
IDENTITY = 0.15  # of 1 - cosine of G; it tells more about eyes behind dark lenses than their mean colour does
FEATURE_ROWS = 6  # of a batch that perceptual and style losses look at: they cost as much as the generator


@dataclass(frozen=True, eq=False)
class Crop:
    """clean, seen: (256, 256, 3) uint8, the truth and the picture whose known pixels are given; points (68, 2);
    mask (256, 256) uint8, 255 = deleted."""

    clean: np.ndarray
    seen: np.ndarray
    points: np.ndarray
    mask: np.ndarray


class ShardCrops:
    """Clean crops of the data factory, with the mask of the glasses that were rendered onto them, and drawn ones."""

    def __init__(self, folder: Path):
        self.samples = Samples(folder)
        worn = np.zeros(len(self.samples), bool)
        if (folder / "worn.npz").exists():
            worn = np.load(folder / "worn.npz")["kind"][:, 0] < 0.7
        real = ~self.samples.values("synthetic")
        self.usable = np.flatnonzero(real & ~worn)

    def __call__(self, rng: np.random.Generator, drawn: float = 0.35) -> Crop:
        sample = self.samples[int(rng.choice(self.usable))]
        points = sample.value("points").astype(np.float32)
        clean, mask = sample.picture("clean"), deleted_mask(sample.picture("labels"))
        if rng.random() < drawn or not mask[STRIP].any():
            return Crop(clean, clean, points, drawn_glasses(points, rng, dark=bool(rng.random() < 0.5)))
        seen = clean
        if rng.random() < 0.6:  # through clear lenses, beside what is left of the shadow
            ratio = np.maximum(sample.picture("shadow"), 60)[..., None] / np.float32(255)
            seen = np.clip(sample.picture("image") / ratio ** rng.uniform(0.6, 1.0), 0, 255).astype(np.uint8)
        return Crop(clean, seen, points, mask)


class PhotoCrops:
    """Photographs aligned by their landmarks, with drawn masks. split: "train" or "val"."""

    def __init__(self, options: Options, split: str):
        self.photos = Photographs(options.data)
        labels = annotations(options.data, options.points)
        members = [p for name in SETS for p in self.photos.of_set(name, split)]
        self.labelled = [(p, labels[p.name].points) for p in members if p.name in labels]

    def __call__(self, rng: np.random.Generator) -> Crop:
        photo, points = self.labelled[int(rng.integers(len(self.labelled)))]
        matrix = crop_from_landmarks(points)
        points = transform_points(matrix, points)
        clean = aligned_crop(self.photos.read(photo), matrix)
        return Crop(clean, clean, points, drawn_glasses(points, rng, dark=bool(rng.random() < 0.5)))


class GeneratorTask:
    name = "generator"
    judged = 48  # val strips in a report
    players: tuple[str, ...] = ("model", "discriminator")
    recipe = Recipe(
        batch=16, learning_rate={"model": 1.5e-3, "discriminator": 4e-4}, betas=(0.8, 0.99), ema_halflife_steps=150,
        warmup_steps=100, weight_decay=1e-5, cpu_precision="bf16-mixed",
    )  # fmt: skip

    def __init__(self, options: Options):
        self.options = options
        self.crops = self._source("train")
        self.features_from = FEATURES_FROM if options.start is None else 0.0
        self.recogniser = frozen_recogniser(options.recogniser, options.quality) if options.recogniser else None

    def _source(self, split: str) -> Callable[[np.random.Generator], Crop]:
        folder = self.options.shards
        if folder is None:
            return PhotoCrops(self.options, split)
        return ShardCrops(folder if split == "train" else folder.parent / split)

    def models(self) -> dict[str, nn.Module]:
        self._features = feature_network(self.options.out.parent / "deleter" / "checkpoint.pt")
        return {"model": Generator(self.options.quality), "discriminator": Discriminator()}

    def batch(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        rows = [varied(self.crops(rng), rng) for _ in range(self.recipe.batch)]
        clean, seen, mask, guide, face = (np.stack(parts) for parts in zip(*rows, strict=True))
        return {"clean": clean, "seen": seen, "mask": mask, "guide": guide, "face": face[:FEATURE_ROWS]}

    def loss(self, models: Models, batch: Batch, player: str) -> dict[str, Tensor]:
        real = pictures(batch["clean"])
        hole = (batch["mask"] > 127).float()[:, None]
        guide = batch["guide"].float()[:, None] / 255
        progress = float(batch.get("progress", 0.0))
        late = progress > ADVERSARIAL_FROM
        if player == "discriminator":
            return self._discriminate(models["discriminator"], real, hole, guide, late)
        made = models["model"](torch.cat([pictures(batch["seen"]) * (1 - hole), hole, guide], 1))
        self._made = made.detach()
        terms = {
            "pixel": PIXEL * losses.pixel_loss(made, real, hole),
            "square": SQUARE * losses.square_loss(made, real, hole),
            "gradient": GRADIENT * losses.gradient_loss(made, real, hole),
            "variation": VARIATION * losses.variation_loss(made),
        }
        if progress > self.features_from:
            rows = slice(FEATURE_ROWS)
            terms |= feature_terms(self._features, made[rows], real[rows], hole[rows])
            if self.recogniser is not None:
                face = pictures(batch["face"])
                terms["identity"] = IDENTITY * losses.feature_loss(face, with_strip(face, made), self.recogniser)
        if late:
            score, inner = models["discriminator"](made, hole, guide)
            with torch.no_grad():
                _, true = models["discriminator"](real, hole, guide)
            terms["adversarial"] = ADVERSARIAL * (score - 1).square().mean()
            terms["matching"] = MATCHING * losses.perceptual_loss(inner[:3], true[:3])
        terms["total"] = torch.stack(list(terms.values())).sum()
        return terms

    def _discriminate(
        self, judge: nn.Module, real: Tensor, hole: Tensor, guide: Tensor, late: bool
    ) -> dict[str, Tensor]:
        if not late:
            return {"total": sum((p.sum() for p in judge.parameters()), real.new_zeros(())) * 0}
        true, false = judge(real, hole, guide)[0], judge(self._made, hole, guide)[0]
        return {"total": 0.5 * ((true - 1).square().mean() + false.square().mean())}

    @cached_property
    def held_out(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Val strips, the same each time, as `strips` makes them."""
        rng = np.random.default_rng(11)
        source = self._source("val")
        return [strips(source(rng)) for _ in range(self.judged)]

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        scores = []
        for clean, seen, mask, guide in self.held_out:
            ours = masked_scores(clean, fill(model, seen, mask, guide), mask)
            scores.append((*ours, *masked_scores(clean, telea(seen, mask), mask)))
        psnr, ssim, psnr_telea, ssim_telea = np.mean(scores, 0)
        return {"psnr": psnr, "ssim": ssim, "psnr_telea": psnr_telea, "ssim_telea": ssim_telea}

    def sheet(self, model: nn.Module) -> np.ndarray:
        rows = []
        for clean, seen, mask, guide in self.held_out[:16]:
            holed = seen * (mask[..., None] == 0)
            rows.append(np.hstack([holed, fill(model, seen, mask, guide), telea(seen, mask), clean]))
        return np.vstack(rows)


def varied(crop: Crop, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Jittered, flipped, relit strips of a crop, its mask grown, its landmarks a little off; and the whole clean crop,
    (128, 128, 3)."""
    moved, points = jitter_similarity(rng, 0.04, 0.05, 4.0), crop.points
    if rng.random() < 0.5:
        moved = after(moved, np.array([[-1.0, 0, CROP_SIZE - 1], [0, 1, 0]]))
        points = points[MIRROR]
    points = transform_points(moved, points) + rng.normal(0, 0.7, (68, 2)).astype(np.float32)
    size = (CROP_SIZE, CROP_SIZE)
    both = relight(np.vstack([warp(crop.clean, moved, size), warp(crop.seen, moved, size)]), rng)
    mask = jittered(warp(crop.mask, moved, size), rng)
    clean, seen = both[:CROP_SIZE], both[CROP_SIZE:]
    return *strips(Crop(clean, seen, points, mask)), shrunk(clean)


def strips(crop: Crop) -> tuple[np.ndarray, ...]:
    """(128, 256, 3) clean and seen, (128, 256) mask 0 or 255, (128, 256) landmark map 0..255, all uint8."""
    guide = np.round(255 * landmark_map(crop.points)).astype(np.uint8)
    mask = ((crop.mask[STRIP] > 127) * 255).astype(np.uint8)
    return np.ascontiguousarray(crop.clean[STRIP]), np.ascontiguousarray(crop.seen[STRIP]), mask, guide


def with_strip(face: Tensor, made: Tensor) -> Tensor:
    """Whole crops at half size, (N, 3, 128, 128), and the first N strips made, (M, 3, 128, 256), in them: G's view."""
    half = functional.avg_pool2d(made[: len(face)], 2)
    top, bottom = STRIP_TOP // 2, STRIP_BOTTOM // 2
    return torch.cat([face[:, :, :top], half, face[:, :, bottom:]], 2)


def fill(model: nn.Module, seen: np.ndarray, mask: np.ndarray, guide: np.ndarray) -> np.ndarray:
    """The network's answer for one strip, (128, 256, 3) uint8."""
    hole = torch.from_numpy(mask > 127).float()[None, None]
    known = pictures(torch.from_numpy(seen[None])) * (1 - hole)
    with torch.no_grad():
        made = model(torch.cat([known, hole, torch.from_numpy(guide).float()[None, None] / 255], 1))
    return (made[0].permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy()


def create_task(options: Options) -> GeneratorTask:
    return GeneratorTask(options)
