"""Training of N_de (paper 3.2) on the data factory's shards: parsing, cast shadow and kind of glasses.

Loss: class-weighted cross-entropy; "no glasses" where a pixel is unlabelled (hair, background: the factory knows that
much); soft Dice of frame, lenses and glare; L1 on the log of the light ratio in colour, and soft Dice of where it is
below 0.95; behind clear lenses, whose tint and sheen it undoes, the squared error of the colours that dividing by it
leaves: where most of a lens reflects nothing, L1 would rather say so everywhere; cross-entropy of the kind.

`worn.npz` beside the shards (`python -m tools.train.worn`) tells which photographs wear glasses under their labels:
they are left out, or, where the network is sure of the kind, taught as such ("self-training").
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.classes import COUNT, GLASSES, Region
from engines.networks.deleter import SHADOW_FLOOR, SHEEN_CEILING, Deleter
from realtime.align import CROP_SIZE, STRIP_BOTTOM, STRIP_TOP, transform_points
from realtime.frame import Glasses
from realtime.lenses import BRIDGE, lenses_of, unbend_strip
from tools.evaluate.parsing_scores import ParsingScores, f1_macro, painted
from tools.glasses_labels import labelled_glasses
from tools.train import losses
from tools.train.augment import FLIPPED, after, jitter_similarity, relight, sense
from tools.train.samples import Sample, Samples
from tools.train.trainer import Batch, Models, Options, Recipe, pictures

WEIGHTS = {  # of the cross-entropy; 1 where not named
    Region.BACKGROUND: 0.5, Region.SKIN: 0.5, Region.HAIR: 0.5, Region.FRAME: 1.2, Region.CLEAR_LENS: 1.0,
    Region.DARK_LENS: 1.0, Region.GLARE: 2.0, Region.L_EYE: 2.0, Region.R_EYE: 2.0,
}  # fmt: skip
DICE, SHADOW, KIND = 0.7, 1.5, 0.4
SHADE_DICE = 0.4
LENS, LENS_UNIT, LENS_BETA = 1.0, 0.065, 2.0  # squared colour errors in units of what was typical, linear beyond two
SHADED, LIT, SHADE_STEP = -0.051, 0.02, 0.02  # log of the light ratio: shadow below; nothing within; softness
MIRRORED = np.array([[-1.0, 0, CROP_SIZE - 1], [0, 1, 0]])
LENS_SIGMA_PX = 1.5
NOTHING_KNOWN = 254  # value of a label where even "no glasses" may be wrong; training only
UNKNOWN = -1  # kind of a crop whose glasses nobody labelled
SURE, SUSPECT = 0.9, 0.3  # probability of worn glasses that teaches, and that excludes


class DeleterTask:
    name = "deleter"
    judged = 160  # val strips in a report
    players: tuple[str, ...] = ("model",)
    recipe = Recipe(
        batch=24,
        learning_rate={"model": 3e-3},
        ema_halflife_steps=150,
        warmup_steps=100,
        weight_decay=1e-3,
        cpu_precision="bf16-mixed",
    )

    def __init__(self, options: Options):
        self.options = options
        if options.shards is None:
            raise FileNotFoundError(
                "the deleter learns from rendered glasses: give the data factory's folder, --shards DIR"
            )
        self.samples = Samples(options.shards)
        self.kinds = self.samples.values("kind").astype(np.int64)
        self.weights = torch.ones(COUNT)
        for region, weight in WEIGHTS.items():
            self.weights[region] = weight
        self.real_kind = np.full(len(self.samples), UNKNOWN)  # of glasses that the photograph itself shows
        self.rows = self._usable(options.shards / "worn.npz", options.data)

    def _usable(self, worn_file: Path, data: Path) -> np.ndarray:
        """Rows to draw from: not those labelled for evaluation, nor those that may wear glasses of their own, unless
        the network is sure which: such a row is drawn for its photograph as it is."""
        reserved = labelled_glasses(data)
        rows = np.array([name not in reserved for name in self.samples.photographs()])
        if worn_file.exists():
            worn = np.load(worn_file)["kind"]
            real = ~self.samples.values("synthetic")
            sure = rows & real & (worn[:, 1:].max(1) > SURE)
            self.real_kind[sure] = 1 + worn[sure, 1:].argmax(1)
            rows &= (worn[:, 0] > 1 - SUSPECT) | sure
        return np.flatnonzero(rows)

    def models(self) -> dict[str, nn.Module]:
        return {"model": Deleter(self.options.quality)}

    def batch(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        rows = rng.choice(self.rows, self.recipe.batch)
        parts = [self._varied(self.samples[k], int(self.kinds[k]), int(self.real_kind[k]), rng) for k in rows]
        strip, labels, shadow, kind = (np.stack(part) for part in zip(*parts, strict=True))
        return {"strip": strip, "labels": labels, "shadow": shadow, "kind": kind}

    def _varied(self, sample: Sample, kind: int, real_kind: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """One row of a batch. With glasses of its own (`real_kind`) a photograph teaches the kind alone."""
        image, clean, labels = (sample.picture(name) for name in ("image", "clean", "labels"))
        shadow = sample.picture("shadow").astype(np.float32) / 255
        if real_kind != UNKNOWN:
            image, kind = clean, real_kind
            labels, shadow = np.full_like(labels, NOTHING_KNOWN), np.ones_like(shadow)
        elif kind != 0 and rng.random() < 0.12 and not sample.value("synthetic"):  # the same person without them
            image, kind = clean, 0
            worn = labels >= Region.FRAME
            labels, shadow = np.where(worn, np.uint8(Region.IGNORE), labels), np.ones_like(shadow)
        moved = jitter_similarity(rng)
        if rng.random() < 0.5:
            moved, labels = after(moved, MIRRORED), FLIPPED[labels]
        moved = moved - np.array([[0, 0, 0], [0, 0, STRIP_TOP]])
        size = (CROP_SIZE, STRIP_BOTTOM - STRIP_TOP)
        both = [
            cv2.warpAffine(one, moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for one in (image, clean)
        ]
        labels = cv2.warpAffine(labels, moved, size, flags=cv2.INTER_NEAREST, borderValue=int(Region.IGNORE))
        shadow = cv2.warpAffine(shadow, moved, size, flags=cv2.INTER_LINEAR, borderValue=1)
        image, clean = np.split(relight(np.vstack(both), rng), 2)  # in the same light
        if kind == Glasses.CLEAR:  # what the light is compared with lies where the lenses show it
            middle = float(transform_points(moved, sample.value("points")[BRIDGE])[:, 0].mean())
            clean = unbend_strip(clean, lenses_of(labels, middle, 1 / float(sample.value("lens_scale"))))
        ratio = through_lenses(shadow, image, clean, labels).astype(np.float16)
        return sense(image, rng), labels, ratio, np.int64(kind)

    def loss(self, models: Models, batch: Batch, player: str) -> dict[str, Tensor]:
        said = models["model"](pictures(batch["strip"]))
        labels = losses.sub_pixels(batch["labels"].long())
        known, bare = labels < COUNT, labels == int(Region.IGNORE)
        ratio = colour_planes(batch["shadow"].float().clamp(SHADOW_FLOOR, SHEEN_CEILING))
        seen = colour_planes(batch["strip"].float() / 255)
        shadow = ratio.log()
        visible = (labels < int(Region.FRAME)) | (labels == int(Region.CLEAR_LENS))  # elsewhere nobody asks
        skin = (labels < int(Region.FRAME)) & (labels != int(Region.BACKGROUND))
        error = (said.log_shadow - shadow).abs()
        changed = shadow.abs() > LIT
        behind = (labels == int(Region.CLEAR_LENS))[:, None].expand_as(error)
        spoilt = seen * ((-said.log_shadow).exp() - 1 / ratio) / LENS_UNIT
        lens_error = functional.smooth_l1_loss(spoilt, torch.zeros_like(spoilt), reduction="none", beta=LENS_BETA)
        weight = visible[:, None] * (1 + 4 * changed) * torch.where(behind, 0.3, 1.0)
        ratio_error = torch.where(error < 1, error, 1 + error.log()) * weight
        likely_shaded = ((SHADED - said.log_shadow.mean(1)) / SHADE_STEP).sigmoid()
        log_probability = said.logits.log_softmax(1)
        worn = dict(zip(GLASSES, log_probability[:, int(GLASSES[0]) :].exp().unbind(1), strict=True))
        taught = labels.masked_fill(~known, int(Region.IGNORE))
        terms = {
            "parsing": losses.parsing_loss(log_probability, taught, self.weights.to(labels.device)),
            "bare": losses.no_glasses_loss(torch.stack(list(worn.values())).sum(0), bare),
            "dice": DICE * sum(losses.dice_loss(worn[k], labels == int(k), known) for k in GLASSES) / len(GLASSES),
            "shadow": SHADOW * ratio_error.sum() / (3 * visible.sum()).clamp_min(1),
            "lens": LENS * (lens_error * behind).sum() / behind.sum().clamp_min(1),
            "shaded": SHADE_DICE * losses.dice_loss(likely_shaded, shadow.mean(1) < SHADED, skin),
            "kind": KIND
            * functional.cross_entropy(said.kind, batch["kind"], ignore_index=UNKNOWN, label_smoothing=0.02),
        }
        terms["total"] = torch.stack(list(terms.values())).sum()
        return terms

    @cached_property
    def held_out(self) -> list[tuple[np.ndarray, np.ndarray, int]]:
        """Strips of the folder `val` beside the shards, image, labels and kind."""
        samples = Samples(self.options.shards.parent / "val")  # type: ignore[union-attr]
        rows = np.random.default_rng(5).permutation(len(samples))[: self.judged]
        cut = slice(STRIP_TOP, STRIP_BOTTOM)
        return [
            (samples[k].picture("image")[cut], samples[k].picture("labels")[cut], int(samples[k].value("kind")))
            for k in rows
        ]

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        scores, kinds = ParsingScores(), []
        for image, labels, kind in self.held_out:
            said, _, _, probability = answer(model, image)
            scores.add(labels, said)
            kinds.append((kind, int(probability.argmax())))
        true, found = np.array(kinds).T
        return {
            **scores.iou(),
            "kind_accuracy": float((true == found).mean()),
            "kind_f1_macro": f1_macro(true, found, 3),
        }

    def sheet(self, model: nn.Module) -> np.ndarray:
        rows = []
        for image, labels, _ in self.held_out[:14]:
            said, _, shadow, _ = answer(model, image)
            ratio = (shadow * 127).clip(0, 255).astype(np.uint8)
            rows.append(np.hstack([image, painted(image, said), painted(image, labels), ratio]))
        return np.vstack(rows)


def through_lenses(shadow: np.ndarray, image: np.ndarray, clean: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32 light ratio: the cast shadow (h, w), and within clear lenses all light that tint and shadow
    take away and reflections add.

    There the ratio is that of slightly smoothed colours with and without glasses: `clean` is bent as the lenses bend,
    on the whole, yet not to a fraction of a pixel.
    """
    lens = (labels == Region.CLEAR_LENS).astype(np.float32)[..., None]
    if not lens.any():
        return np.repeat(shadow[..., None], 3, 2)
    seen, bare = (cv2.GaussianBlur(one * lens, (0, 0), LENS_SIGMA_PX) for one in (image, clean))
    return np.where(lens > 0, (seen + 1) / (bare + 1), shadow[..., None]).astype(np.float32)


def colour_planes(pictures: Tensor) -> Tensor:
    """(N, H, W, 3) -> (N, 3, 4, H/2, W/2), the layout of `Parsing.log_shadow`."""
    return torch.stack([losses.sub_pixels(plane) for plane in pictures.unbind(3)], 1)


def answer(model: nn.Module, strip: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One (128, 256, 3) uint8 strip -> labels (128, 256), glasses (4, 128, 256), shadow (128, 256, 3), kind (3,)."""
    with torch.no_grad():
        labels, glasses, shadow, kind = model(pictures(torch.from_numpy(np.ascontiguousarray(strip)[None])))
    return labels[0].numpy(), glasses[0].numpy(), shadow[0].permute(1, 2, 0).numpy(), kind[0].numpy()


def create_task(options: Options) -> DeleterTask:
    return DeleterTask(options)
