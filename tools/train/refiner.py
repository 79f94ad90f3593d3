"""Training of the refiner, T_final (paper 3.3): photometric (eq. 8), identity (eq. 9) and adversarial terms.

A photograph says the truth about what it shows: part of it is hidden from the network (as by a turn of the head, or by
glasses), and the whole of it judges the answer, lit by our spherical harmonics and drawn by our renderer. Added to the
paper's losses: the hidden part counts again by itself; where no photograph says anything, the answer is symmetric and
close to its start; synthetic heads have exact colours. G of eq. 9 joins when a face recogniser has been trained
(`OUT/../recogniser/checkpoint.pt`, else the one that ships); the patch discriminator at the end of the training.
"""

from __future__ import annotations

import importlib
import logging
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engines.manifest import read_manifest
from engines.networks.refiner import Refiner, TextureDiscriminator
from realtime.anchor import anchor
from realtime.face.coefficients import SLICES
from realtime.face.model import load_face_model
from realtime.face.regions import REFINED, FaceRegion
from realtime.regressor import Regressor
from tools.evaluate.picture import tiled
from tools.glasses_labels import labelled_glasses
from tools.train import losses
from tools.train.augment import relight
from tools.train.looks import Look, hidden_from, kept, look_at, shown, turned
from tools.train.render_torch import paint
from tools.train.samples import Sample, Samples
from tools.train.start import load_shipped
from tools.train.trainer import Batch, Models, Options, Recipe, load_weights, pictures

PHOTOMETRIC, IDENTITY = 1.4, 0.25  # the paper's lambda 1 and 2
HIDDEN, EXACT, SYMMETRIC, REGULAR = 1.0, 0.3, 0.1, 0.5  # ours
ADVERSARIAL, MATCHING = 0.02, 0.02
IDENTITY_FROM, ADVERSARIAL_FROM = 0.3, 0.75  # fractions of the training
HEADS_SHARE = 0.125  # of a batch
IDENTITY_ROWS = 2  # of a batch that G looks at: it costs as much as the network
BARE = 0.7  # least probability of "no glasses" on a clean picture
JUDGED_YAW = 0.8  # radians: what the report hides

log = logging.getLogger(__name__)


class RefinerTask:
    name = "refiner"
    judged = 32  # val photographs in a report
    players: tuple[str, ...] = ("model", "discriminator")
    recipe = Recipe(
        batch=4, learning_rate={"model": 1.5e-3, "discriminator": 5e-4}, betas=(0.9, 0.99), ema_halflife_steps=100,
        warmup_steps=50, weight_decay=1e-5, report_s=600.0,
    )  # fmt: skip

    def __init__(self, options: Options):
        if options.shards is None:
            raise FileNotFoundError("the refiner learns from crops: give the data factory's folder, --shards DIR")
        self.options, self.model = options, load_face_model("live")
        self.samples, reserved = Samples(options.shards), labelled_glasses(options.data)
        free = np.array([name not in reserved for name in self.samples.photographs()])
        rendered = self.samples.values("synthetic").astype(bool)
        exact = np.isfinite(self.samples.values("coefficients")).all(1)
        self.photos = np.flatnonzero(~rendered & free & bare(options.shards, len(self.samples)))
        self.heads = np.flatnonzero(rendered & exact)
        if not len(self.photos):
            raise FileNotFoundError(f"no photograph without glasses in {options.shards}")
        self._regressed: dict[int, np.ndarray] = {}  # coefficients, in the data process: a photograph comes again

    def models(self) -> dict[str, nn.Module]:
        self.triangles = torch.from_numpy(self.model.triangles.astype(np.int64))
        bald = np.isin(self.model.regions, [region for region in REFINED if region != FaceRegion.HEAD])
        self.bald = torch.from_numpy(bald[np.isin(self.model.regions, REFINED)].astype(np.float32))  # no hair there
        self.recogniser = recogniser(self.options.out.parent / "recogniser" / "checkpoint.pt")
        return {"model": Refiner(self.options.quality, self.model), "discriminator": TextureDiscriminator()}

    def batch(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        rows = []
        for k in range(self.recipe.batch):
            from_head = k == 0 and len(self.heads) and rng.random() < HEADS_SHARE * self.recipe.batch
            rows.append(self._row(int(rng.choice(self.heads if from_head else self.photos)), rng))
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def _row(self, number: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """One example: what the network takes, and what judges its answer."""
        sample = self.samples[number]
        crop, points = sample.picture("clean"), sample.value("points").astype(np.float32)
        if number not in self._regressed:
            self._regressed[number] = self._regress(crop, points)
        coefficients = self._regressed[number]
        exact = bool(sample.value("synthetic"))
        if exact:  # its geometry and light are known; its texture is what the 3DMM would say
            true = np.asarray(sample.value("coefficients"), np.float32)
            coefficients = np.concatenate([true[:144], coefficients[SLICES["texture"]], true[224:]])
        elif rng.random() < 0.6:
            crop = relight(crop, rng)
        look = look_at(self.model, crop, coefficients, points)
        seen, blank, gone = hidden_from(look, self.model, kept(self.model, rng))
        colours = self.model.albedo_of(true) / look.exposure if exact else np.zeros_like(look.texture)
        return {
            "texture": look.texture, "seen": seen, "crop": blank, "photo": look.photo, "gone": gone, "skin": look.skin,
            "shade": look.shade, "full": look.seen[:, 3], "colours": colours.astype(np.float32),
            "exact": np.float32(exact), "triangle": look.triangle, "weights": look.barycentric,
        }  # fmt: skip

    def _regress(self, crop: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(239,) coefficients as the run time has them: N_r that ships, anchored to the points."""
        return anchor(self.model, self._regressor(crop), points)

    @cached_property
    def _regressor(self) -> Regressor:
        from engines import open_network

        return Regressor(*(open_network(name, provider="cpu") for name in ("coefficients", "recogniser")))

    def loss(self, models: Models, batch: Batch, player: str) -> dict[str, Tensor]:
        progress = float(batch.get("progress", 1.0))
        late = progress > ADVERSARIAL_FROM
        photo, skin = pictures(batch["photo"]), batch["skin"][:, None]
        if player == "discriminator":
            return self._discriminate(models["discriminator"], photo, skin, late)
        network: Any = models["model"]
        made = network(batch["texture"], batch["seen"], pictures(batch["crop"])).float()
        lit = paint(made * batch["shade"][..., None], self.triangles, batch["triangle"], batch["weights"])
        hidden = skin * batch["gone"][:, None]
        composite = photo + (lit - photo) * skin
        self._made = composite.detach()
        terms = {
            "photometric": PHOTOMETRIC * losses.photometric_loss(photo, lit, skin),
            "hidden": HIDDEN * PHOTOMETRIC * losses.photometric_loss(photo, lit, hidden),
            **self._vertex_terms(network, made, batch),
        }
        if self.recogniser is not None and progress > IDENTITY_FROM:
            some = slice(-IDENTITY_ROWS, None)  # photographs: a head comes first
            terms["identity"] = IDENTITY * losses.feature_loss(photo[some], composite[some], self.recogniser)
        if late:
            score, inner = models["discriminator"](composite, skin)
            with torch.no_grad():
                _, true = models["discriminator"](photo, skin)
            terms["adversarial"] = ADVERSARIAL * (score - 1).square().mean()
            terms["matching"] = MATCHING * losses.perceptual_loss(inner, true)
        terms["total"] = torch.stack(list(terms.values())).sum()
        return terms

    def _vertex_terms(self, network: Any, made: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Exact colours of heads; what nothing else says of the others: symmetry, and staying near the start."""
        exact, unseen = batch["exact"][:, None, None], (1 - batch["full"])[:, network.refined, None]
        fine = made[:, network.refined]
        mirrored = network.mirror(fine.transpose(0, 1).contiguous()).transpose(0, 1)
        with torch.no_grad():
            start = network.filled(batch["texture"], batch["seen"])
        neither = unseen * network.mirror(unseen.transpose(0, 1).contiguous()).transpose(0, 1)
        gap = (made - batch["colours"]).abs()[:, network.refined] * self.bald.to(made.device)[:, None]
        return {
            "exact": EXACT * (gap * exact).mean() / HEADS_SHARE,  # a mean over the heads, which are so much of a batch
            "symmetric": SYMMETRIC * ((fine - mirrored).abs() * neither * (1 - exact)).mean(),
            "regular": REGULAR * ((fine - start).square() * unseen * (1 - exact)).mean(),
        }

    def _discriminate(self, judge: nn.Module, photo: Tensor, skin: Tensor, late: bool) -> dict[str, Tensor]:
        if not late:
            return {"total": sum((p.sum() for p in judge.parameters()), photo.new_zeros(())) * 0}
        true, false = judge(photo, skin)[0], judge(self._made, skin)[0]
        return {"total": 0.5 * ((true - 1).square().mean() + false.square().mean())}

    @cached_property
    def held_out(self) -> list[tuple[Look, np.ndarray, np.ndarray]]:
        """Val photographs, the same each time: look, coefficients, and what stays of it (V,)."""
        folder: Path = self.options.shards.parent / "val"  # type: ignore[union-attr]
        samples = Samples(folder)
        real = np.flatnonzero(~samples.values("synthetic").astype(bool) & bare(folder, len(samples)))
        chosen = np.random.default_rng(3).permutation(real)[: self.judged]
        return [self._judged(samples[int(k)], side) for side, k in enumerate(chosen)]

    def _judged(self, sample: Sample, side: int) -> tuple[Look, np.ndarray, np.ndarray]:
        crop, points = sample.picture("clean"), sample.value("points").astype(np.float32)
        coefficients = self._regress(crop, points)
        stays = turned(self.model, JUDGED_YAW if side % 2 else -JUDGED_YAW)
        return look_at(self.model, crop, coefficients, points), coefficients, stays

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Mean absolute errors of display values 0..1: all that is seen, and what was hidden, of T_final and others."""
        rows = []
        for look, _, stays in self.held_out:
            hidden = look.seen[:, 3] * (1 - stays)
            start, fine = answers(model, look, self.model, stays)
            whole = answers(model, look, self.model, np.ones_like(stays))[1]
            rows.append([vertex_error(look, colours, hidden) for colours in (look.texture, start, fine)])
            rows[-1] += [vertex_error(look, colours, look.seen[:, 3]) for colours in (look.texture, whole)]
        names = ("hidden_3dmm", "hidden_start", "hidden", "seen_3dmm", "seen")
        return dict(zip(names, np.mean(rows, 0).tolist(), strict=True))

    def sheet(self, model: nn.Module) -> np.ndarray:
        """Photo, what was left of it, then drawn: 3DMM, start, T_final; 3DMM and T_final turned by 30 degrees."""
        tiles = []
        for look, coefficients, stays in self.held_out[:12]:
            start, fine = answers(model, look, self.model, stays)
            tiles += [look.photo, hidden_from(look, self.model, stays)[1]]
            tiles += [shown(self.model, c, look, coefficients) for c in (look.texture, start, fine)]
            tiles += [shown(self.model, c, look, coefficients, np.radians(30)) for c in (look.texture, fine)]
        return tiled(tiles, 7)


def answers(model: Any, look: Look, face: Any, stays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(V, 3) colours: what the network starts from, and T_final, with only (V,) `stays` of the look shown to it."""
    seen, blank, _ = hidden_from(look, face, stays)
    inputs = torch.from_numpy(look.texture[None]), torch.from_numpy(seen[None])
    with torch.no_grad():
        fine = model(*inputs, pictures(torch.from_numpy(blank[None])))[0].numpy()
        start = look.texture.copy()
        start[model.refined.numpy()] = model.filled(*inputs)[0].numpy()
    return start, fine


def vertex_error(look: Look, colours: np.ndarray, weight: np.ndarray) -> float:
    """Mean absolute difference of display values between (V, 3) colours and what was seen, weighted by (V,)."""
    gap = np.abs((colours - look.seen[:, :3]) * look.shade[:, None]).mean(1)
    return float((gap * weight).sum() / max(float(weight.sum()), 1e-6))


def bare(folder: Path, count: int) -> np.ndarray:
    """(count,) bool: clean pictures that wear no glasses of their own, as `tools.train.worn` found; all without it."""
    path = folder / "worn.npz"
    return np.load(path)["kind"][:, 0] >= BARE if path.exists() else np.ones(count, bool)


def recogniser(checkpoint: Path) -> nn.Module | None:
    """G of eq. 9, frozen: of a checkpoint, or as shipped; None while there is none."""
    try:
        network: nn.Module = importlib.import_module("engines.networks.recogniser").build("light")
    except ModuleNotFoundError:
        log.info("no face recogniser: training without the identity term")
        return None
    network.eval().requires_grad_(False)
    if checkpoint.exists():
        load_weights(network, checkpoint)
    elif any(entry.name == "recogniser" for entry in read_manifest()):
        load_shipped(network, "recogniser", "light")
    else:
        log.info("the face recogniser has no weights: training without the identity term")
        return None
    return network


def create_task(options: Options) -> RefinerTask:
    return RefinerTask(options)
