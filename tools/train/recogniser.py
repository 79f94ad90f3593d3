"""Training of G, the face recogniser of eq. 9, by distillation: it learns to say of a face what a large one said.

The teacher's features are of the bare photograph (`tools.identity_labels`). The student sees it mirrored, moved, in
other light, grey, blurred, and, where the factory has dressed it, in eyeglasses: it must say the same of all of them.
Two terms: the cosine to the teacher's feature, and the cosines between the people of a batch.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from engines.networks.recogniser import build
from realtime.align import CROP_SIZE, warp
from tools.evaluate.coefficients import shrunk
from tools.evaluate.measures import area_under_roc
from tools.evaluate.picture import tiled
from tools.train import losses
from tools.train.augment import greyed, jitter_similarity, relight, sense
from tools.train.people import IdentityLabels, People
from tools.train.samples import Sample, Samples
from tools.train.trainer import Batch, Models, Options, Recipe, pictures

DRESSED_SHARE = 0.4  # of a batch, out of the factory's shards
WORN = 0.7  # of those, as often in eyeglasses
RELATION = 4.0
JUDGED = 384


class RecogniserTask:
    name = "recogniser"
    players: tuple[str, ...] = ("model",)
    recipe = Recipe(
        batch=64, learning_rate={"model": 2e-3}, warmup_steps=200, weight_decay=2e-3, cpu_precision="bf16-mixed",
        ema_halflife_steps=150,
    )  # fmt: skip

    def __init__(self, options: Options):
        if options.identities is None or options.shards is None:
            raise FileNotFoundError("the recogniser learns from a teacher: --identities FILE, and --shards DIR")
        self.options = options
        labels = IdentityLabels(options.identities)
        cache = options.out / "cache"
        self.people = People(options.data, options.points, labels, "train", cache)
        self.held_out = People(options.data, options.points, labels, "val", cache)
        samples = Samples(options.shards)
        known = [k for k, name in enumerate(samples.photographs()) if name in labels]
        self.dressed: list[tuple[Sample, np.ndarray]] = [
            (samples[k], labels[str(samples[k].value("source")).split("+")[0]]) for k in known
        ]

    def models(self) -> dict[str, nn.Module]:
        return {"model": build(self.options.quality)}

    def batch(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """crop (B, 128, 128, 3) uint8, feature (B, 128) float32."""
        rows = []
        for k in range(self.recipe.batch):
            if self.dressed and k < DRESSED_SHARE * self.recipe.batch:
                sample, feature = self.dressed[int(rng.integers(len(self.dressed)))]
                image = sample.picture("image" if rng.random() < WORN else "clean")
                crop = shrunk(warp(image, jitter_similarity(rng, 0.05, 0.07, 5.0), (CROP_SIZE, CROP_SIZE)))
            else:
                index = int(rng.integers(len(self.people)))
                crop, feature = self.people.crop(index, rng)[0], self.people.features[index]
            rows.append((seen(crop, rng), feature))
        crops, features = (np.stack(part) for part in zip(*rows, strict=True))
        return {"crop": crops, "feature": features}

    def loss(self, models: Models, batch: Batch, player: str) -> dict[str, Tensor]:
        said, taught = models["model"](pictures(batch["crop"])).float(), batch["feature"]
        terms = {
            "cosine": (1 - (said * taught).sum(1)).mean(),
            "relation": RELATION * losses.relation_loss(said, taught),
        }
        return {**terms, "total": terms["cosine"] + terms["relation"]}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Cosine to the teacher on val; AUC of telling a person's mirrored, moved crop from other people."""
        rng = np.random.default_rng(7)
        rows = np.linspace(0, len(self.held_out) - 1, JUDGED).astype(int)
        plain = np.stack([self.held_out.crop(int(k))[0] for k in rows])
        moved = np.stack([seen(self.held_out.crop(int(k), rng)[0], rng) for k in rows])
        first, second = (embed(model, crops) for crops in (plain, moved))
        taught = self.held_out.features[rows]
        likeness = first @ second.T
        others = likeness[~np.eye(len(rows), dtype=bool)]
        return {
            "teacher_cosine": float((first * taught).sum(1).mean()),
            "relation": float(np.corrcoef((first @ first.T)[np.triu_indices(len(rows), 1)],
                                          (taught @ taught.T)[np.triu_indices(len(rows), 1)])[0, 1]),
            "auc_moved": area_under_roc(np.diag(likeness), others),
        }  # fmt: skip

    def sheet(self, model: nn.Module) -> np.ndarray:
        """Held-out faces, each followed by the three that the network finds likest."""
        rows = np.linspace(0, len(self.held_out) - 1, JUDGED).astype(int)
        crops = np.stack([self.held_out.crop(int(k))[0] for k in rows])
        features = embed(model, crops)
        likeness = features @ features.T
        tiles = [crops[j] for k in range(16) for j in np.argsort(-likeness[k])[:4]]
        return tiled(tiles, 8)


def seen(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The crop as another camera would show it on another day, or in a mirror."""
    if rng.random() < 0.5:
        crop = np.ascontiguousarray(crop[:, ::-1])
    if rng.random() < 0.6:
        crop = relight(crop, rng)
    return sense(greyed(crop, rng), rng)


def embed(model: nn.Module, crops: np.ndarray) -> np.ndarray:
    """(N, 128, 128, 3) uint8 -> (N, 128) float32."""
    device = next(model.parameters()).device
    with torch.no_grad():
        parts = [model(pictures(torch.from_numpy(crops[k : k + 64]), device)) for k in range(0, len(crops), 64)]
    return torch.cat(parts).float().cpu().numpy()


def create_task(options: Options) -> RecogniserTask:
    return RecogniserTask(options)
