"""Training of N_r (paper 3.3): synthetic heads with exact coefficients, photographs with 68 points and fitted ones.

Added to the paper's losses, which alone do not converge from scratch: distance of vertices in mm without the pose,
distance of posed points in pixels, coefficients in units of their spread, and regularisers. Photographs carry a weaker
coefficient term (their fit saw only 68 points) and the full weight of their landmarks. Eq. 8 joins for the second half,
on bare faces in their own light, and eq. 9 with it where G is given. The input grows from 96 to 128 pixels during a
training from scratch, which spares a quarter of the work.

Photographs come in pairs, two looks at one of them, bare and in eyeglasses: they must get the same identity, and other
people others. Where a teacher has said whose face it is, the cosines between identities follow those between its
features, so that the shape coefficients tell people apart (Table 1); and a linear layer that only the training has
reads the teacher's feature off the features before the heads, which tells the trunk much more than the cosines do.
G (`--recogniser`), frozen, both judges (eq. 9) and tells the network whose face each look shows, as at run time.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.coefficients import Coefficients
from engines.networks.recogniser import FEATURES
from realtime.face.coefficients import SLICES
from realtime.face.model import SHAPE, load_face_model
from realtime.face.regions import FACE_SKIN
from realtime.regressor import shrunk
from tools.evaluate.coefficients import aligned_error
from tools.evaluate.measures import mean_distance, normalised_mean_error
from tools.evaluate.picture import drawn_points, tiled
from tools.glasses_labels import labelled_glasses
from tools.train import losses, removed
from tools.train.face_torch import FaceTorch
from tools.train.identity import frozen_recogniser, identity_terms, read_off_features
from tools.train.people import IdentityLabels, People
from tools.train.regression_rows import Known, heads_of, stacked, varied
from tools.train.render_torch import render
from tools.train.samples import Sample, Samples
from tools.train.trainer import Batch, Models, Options, Recipe, pictures

SIZES = ((0.4, 96), (1.0, 128))  # until which fraction of the training the input has which side, pixels
IDENTITY = SLICES["identity"]
HEADS_SHARE = 0.42  # of a batch
VERTEX, POINTS, COEFFICIENTS, REGULAR = 0.5, 0.12, 0.15, 2e-4  # per mm, per crop pixel, per spread, squared
REGULARISED = np.r_[IDENTITY, SLICES["texture"]]
PHOTOMETRIC, PHOTOMETRIC_FROM, PHOTOMETRIC_ROWS = 1.4, 0.55, 6  # eq. 8's lambda 1; fraction of the training; per batch
RECOGNISED = 0.25  # eq. 9's lambda 2
FITTED = 0.3  # weight of a fitted coefficient beside an exact one
PARTS = {"identity": 1.0, "expression": 1.0, "texture": 0.3, "light": 0.5, "pose": 2.0}
SPREAD_FLOOR = 0.02
FEATURE_BATCHES = 10  # whose G's features tell what varies among people


class CoefficientsTask:
    name = "coefficients"
    judged = 96  # photographs and heads in a report
    players: tuple[str, ...] = ("model",)
    companions: ClassVar[dict[str, tuple[str, ...]]] = {"model": ("teacher_reader",)}
    recipe = Recipe(
        batch=48, learning_rate={"model": 1.2e-3}, ema_halflife_steps=150, warmup_steps=150, weight_decay=5e-4,
        cpu_precision="bf16-mixed",
    )  # fmt: skip

    def __init__(self, options: Options):
        self.options = options
        self.sizes = SIZES if options.start is None else SIZES[-1:]
        if options.shards is None:
            raise FileNotFoundError(
                "the regressor learns from rendered heads: give the data factory's folder, --shards DIR"
            )
        samples, reserved = Samples(options.shards), labelled_glasses(options.data)
        seen = samples.values("points_weight").sum(1) > 0
        free = np.array([name not in reserved for name in samples.photographs()])
        rendered = samples.values("synthetic").astype(bool)
        rows = np.flatnonzero(seen & free & ~rendered)
        labels = IdentityLabels(options.identities) if options.identities else None
        people = People(options.data, options.points, labels, "train", options.out / "cache") if labels else None
        taken_off = options.shards / removed.FILE
        self.known = Known(samples, rows, labels, people, removed.Removed(taken_off) if taken_off.exists() else None)
        self.heads = heads_of(samples, options.shards.parent / "heads")
        self.model = load_face_model("live")
        self.recogniser = frozen_recogniser(options.recogniser, options.quality) if options.recogniser else None

    def models(self) -> dict[str, nn.Module]:
        network = Coefficients(self.options.quality)
        exact = np.ma.masked_invalid([one.value("coefficients") for one in self.heads])
        network.centre.copy_(torch.from_numpy(exact.mean(0).filled(0)))
        network.spread.copy_(torch.from_numpy(exact.std(0).filled(1).clip(SPREAD_FLOOR)))
        if self.recogniser is not None and self.options.start is None and not self.options.resume:
            read_off_features(network, torch.cat([self._features(k) for k in range(FEATURE_BATCHES)]))
        self.face = FaceTorch(self.model)
        skin = np.isin(self.model.regions, FACE_SKIN)
        self.skin, self.skin_triangles = torch.from_numpy(np.flatnonzero(skin)), skin[self.model.triangles].all(1)
        return {"model": network, "teacher_reader": nn.Linear(network.embedded, FEATURES)}

    def _features(self, number: int) -> Tensor:
        """What G says of the crops of a batch."""
        return self._whose(pictures(torch.from_numpy(self.batch(np.random.default_rng((2, number)))["crop"])))

    def batch(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Heads first, then photographs in pairs; what is in them: `regression_rows.Row`."""
        pairs = round((1 - HEADS_SHARE) * self.recipe.batch / 2)
        rows = []
        for _ in range(self.recipe.batch - 2 * pairs):
            rows.append(varied(self.heads[int(rng.integers(len(self.heads)))], rng, bool(rng.random() < 0.6)))
        for _ in range(pairs):
            rows += self.known.pair(rng)
        return {**stacked(rows), "pairs": np.array(pairs)}

    def loss(self, models: Models, batch: Batch, player: str) -> dict[str, Tensor]:
        crop = pictures(batch["crop"])
        progress = float(batch.get("progress", 1.0))
        size = next(size for end, size in self.sizes if progress < end or end == 1)
        small = resized(crop, size)
        network = models["model"]
        said, embedded = network(small, self._whose(crop))
        said = said.float()
        known = torch.isfinite(batch["coefficients"])
        truth = torch.where(known, batch["coefficients"], said.detach())
        trust = known[:, SHAPE].all(1) * torch.where(batch["exact"], 1.0, FITTED)
        vertices, true_vertices = self.face.vertices(said)[:, self.skin], self.face.vertices(truth)[:, self.skin]
        points = self.face.landmarks(said)
        weight = batch["weight"] / batch["weight"].sum(1, keepdim=True).clamp_min(1)
        terms = {
            "vertex": VERTEX * (trust * centred_distance(vertices, true_vertices)).mean(),
            "points": POINTS * ((points - batch["points"]).norm(dim=2) * weight).sum(1).mean(),
            "coefficients": COEFFICIENTS * self._coefficient_loss(said, truth, known, batch, network),
            "regular": REGULAR * said[:, REGULARISED].square().sum(1).mean(),
        }
        terms |= identity_terms(said[:, IDENTITY], batch["feature"], int(batch["pairs"]))
        told = batch["feature"].abs().sum(1) > 0
        if told.any():
            read = models["teacher_reader"](embedded[told]).float()
            terms["read"] = (1 - functional.cosine_similarity(read, batch["feature"][told], dim=1)).mean()
        chosen = torch.nonzero(batch["bare"])[:PHOTOMETRIC_ROWS, 0] if progress > PHOTOMETRIC_FROM else []
        if len(chosen):
            made, visible = render(self.face, said[chosen], size, self.skin_triangles)
            terms["photometric"] = PHOTOMETRIC * losses.photometric_loss(small[chosen], made, visible)
            if self.recogniser is not None:
                worn = visible * made + (1 - visible) * small[chosen]  # the rendered face in the photograph's hair
                terms["recognised"] = RECOGNISED * losses.feature_loss(small[chosen], worn, self.recogniser)
        terms["total"] = torch.stack(list(terms.values())).sum()
        return terms

    def _whose(self, crop: Tensor) -> Tensor:
        """(N, 128) features of G for the crops."""
        if self.recogniser is None:
            return crop.new_zeros(len(crop), FEATURES)
        with torch.no_grad():
            return self.recogniser(crop).float()

    def _regress(self, model: nn.Module, crop: np.ndarray) -> np.ndarray:
        """(256, 256, 3) uint8 -> (239,) coefficients."""
        small = pictures(torch.from_numpy(shrunk(crop)[None]))
        with torch.no_grad():
            return model(small, self._whose(small))[0].numpy()

    def _coefficient_loss(self, said: Tensor, truth: Tensor, known: Tensor, batch: Batch, network: nn.Module) -> Tensor:
        """Smooth L1 in units of spread, by part. Texture and light count only where they are exact and the crop's light
        was left alone."""
        error = functional.smooth_l1_loss(said / network.spread, truth / network.spread, reduction="none") * known  # type: ignore[arg-type]
        total = said.new_zeros(())
        for name, weight in PARTS.items():
            if name in ("texture", "light"):
                trust = batch["exact"] * batch["lit"]
            else:
                trust = torch.where(batch["exact"], 1.0, FITTED)
            total = total + weight * (trust * error[:, SLICES[name]].mean(1)).mean()
        return total

    @cached_property
    def held_out(self) -> tuple[list[Sample], list[Sample]]:
        """Val photographs with points, and val heads."""
        folder: Path = self.options.shards.parent  # type: ignore[union-attr,assignment]
        val = list(Samples(folder / "val"))
        photos = [one for one in val if not one.value("synthetic") and one.value("points_weight").min() > 0]
        heads = [one for one in val if one.value("synthetic")]
        if any((folder / "heads_val").glob("*.npz")):
            heads += list(Samples(folder / "heads_val"))
        rng = np.random.default_rng(3)
        return (
            [photos[int(k)] for k in rng.permutation(len(photos))[: self.judged]],
            [heads[int(k)] for k in rng.permutation(len(heads))[: self.judged]],
        )

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        photos, heads = self.held_out
        said = np.array([self.model.landmarks_of(self._regress(model, one.picture("clean"))) for one in photos])
        errors = []
        for one in heads:
            vertices = self.model.vertices(self._regress(model, one.picture("image")))[self.skin]
            errors.append(aligned_error(vertices, self.model.vertices(one.value("coefficients"))[self.skin]))
        nme = normalised_mean_error(said, np.array([one.value("points") for one in photos])).mean()
        return {"nme": float(nme), "vertex_mm": float(np.mean(errors)), **self._identity_measures(model)}

    def _identity_measures(self, model: nn.Module) -> dict[str, float]:
        """Of val photographs that the factory has dressed: how far eyeglasses move the identity, over the distance
        between people; and, where a teacher spoke of them, how its cosines and ours go together."""
        dressed = [one for one in self.held_out[0] if int(one.value("kind"))]
        bare, worn = (
            np.array([self._regress(model, one.picture(look))[IDENTITY] for one in dressed])
            for look in ("clean", "image")
        )
        measures = {"invariance": float(np.linalg.norm(bare - worn, axis=1).mean() / mean_distance(bare))}
        if self.known.labels is None:
            return measures
        said = np.array([self._regress(model, one.picture("clean"))[IDENTITY] for one in self.held_out[0]])
        names = [str(one.value("source")).split("+")[0] for one in self.held_out[0]]
        told = [k for k, name in enumerate(names) if name in self.known.labels]
        taught = np.array([self.known.labels[names[k]] for k in told])
        ours = said[told] - said.mean(0)
        ours /= np.linalg.norm(ours, axis=1, keepdims=True)
        pairs = np.triu_indices(len(told), 1)
        return {**measures, "relation": float(np.corrcoef((ours @ ours.T)[pairs], (taught @ taught.T)[pairs])[0, 1])}

    def sheet(self, model: nn.Module) -> np.ndarray:
        tiles = []
        for one in self.held_out[0][:24] + self.held_out[1][:24]:
            image = one.picture("clean" if not one.value("synthetic") else "image")
            tiles.append(drawn_points(image, self.model.landmarks_of(self._regress(model, image)), one.value("points")))
        return tiled(tiles, 8)


def resized(crop: Tensor, size: int) -> Tensor:
    """(N, 3, S, S) at another size, without aliasing, channels-last."""
    if crop.shape[-1] == size:
        return crop
    small = functional.interpolate(crop, size=(size, size), mode="bilinear", antialias=True)
    return small.contiguous(memory_format=torch.channels_last)


def centred_distance(points: Tensor, truth: Tensor) -> Tensor:
    """(N, V, 3) twice -> (N,) mean distance, both about their own centres: where the head is, the pose says."""
    return ((points - points.mean(1, keepdim=True)) - (truth - truth.mean(1, keepdim=True))).norm(dim=2).mean(1)


def create_task(options: Options) -> CoefficientsTask:
    return CoefficientsTask(options)
