"""Training of G, the face recogniser of eq. 9, by distillation: it learns to say of a face what a large one said.

The teacher's features are of the bare photograph (`tools.identity_labels`). The student sees it mirrored, moved, in
other light, grey, blurred, and, where the factory has dressed it, in eyeglasses or with what their removal left
(`tools.train.removed`): it must say the same of all of them.
Three terms: the cosine to the teacher's feature, the cosines between the people of a batch, and, of photographs that
come bare and dressed, the cosine between both: what the student cannot tell, it must at least say alike.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from engines.networks.recogniser import build
from realtime.align import CROP_SIZE, warp
from realtime.regressor import shrunk
from tools.evaluate.measures import area_under_roc
from tools.evaluate.picture import tiled
from tools.train import losses, removed
from tools.train.augment import greyed, jitter_similarity, relight, sense
from tools.train.people import IdentityLabels, People
from tools.train.samples import Samples
from tools.train.trainer import Batch, Models, Options, Recipe, pictures

DRESSED_SHARE = 0.4  # of a batch, out of the factory's shards
WORN = 0.45  # of the dressed looks, as often in eyeglasses; else with them taken off
RELATION, TWINS = 4.0, 2.0
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
        self.samples = Samples(options.shards)
        self.dressed: list[tuple[int, np.ndarray]] = [
            (k, labels[name]) for k, name in enumerate(self.samples.photographs()) if name in labels
        ]
        taken_off = options.shards / removed.FILE
        self.removed = removed.Removed(taken_off) if taken_off.exists() else None

    def models(self) -> dict[str, nn.Module]:
        return {"model": build(self.options.quality)}

    def batch(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """crop (B, 128, 128, 3) uint8, feature (B, 128); the first 2 x pairs rows are pairs, bare and dressed."""
        rows: list[tuple[np.ndarray, np.ndarray]] = []
        pairs = round(DRESSED_SHARE * self.recipe.batch / 2) if self.dressed else 0
        for _ in range(pairs):
            row, feature = self.dressed[int(rng.integers(len(self.dressed)))]
            for image in (self.samples[row].picture("clean"), self._dressed(row, bool(rng.random() < WORN))):
                crop = shrunk(warp(image, jitter_similarity(rng, 0.05, 0.07, 5.0), (CROP_SIZE, CROP_SIZE)))
                rows.append((seen(crop, rng), feature))
        while len(rows) < self.recipe.batch:
            index = int(rng.integers(len(self.people)))
            rows.append((seen(self.people.crop(index, rng)[0], rng), self.people.features[index]))
        crops, features = (np.stack(part) for part in zip(*rows, strict=True))
        return {"crop": crops, "feature": features, "pairs": np.array(pairs)}

    def _dressed(self, row: int, worn: bool) -> np.ndarray:
        """(256, 256, 3): a sample in eyeglasses, or what their removal left where that is known."""
        taken_off = self.removed.picture(row) if self.removed and not worn else None
        return self.samples[row].picture("image") if taken_off is None else taken_off

    def loss(self, models: Models, batch: Batch, player: str) -> dict[str, Tensor]:
        said, taught = models["model"](pictures(batch["crop"])).float(), batch["feature"]
        terms = {
            "cosine": (1 - (said * taught).sum(1)).mean(),
            "relation": RELATION * losses.relation_loss(said, taught),
        }
        pairs = int(batch["pairs"])
        if pairs:
            looks = said[: 2 * pairs].reshape(pairs, 2, -1)
            terms["twins"] = TWINS * (1 - (looks[:, 0] * looks[:, 1]).sum(1)).mean()
        return {**terms, "total": torch.stack(list(terms.values())).sum()}

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
