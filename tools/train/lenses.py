"""Training of the lenses' network: how much smaller an eye looks through clear lenses, as the data factory bent them.

No part of the paper. Beginning: the encoder of the deleter in `OUT/../deleter/checkpoint.pt`, or of the one that ships.
Loss: smooth L1 of the log of the scale, so that the network answers with about its mean over all lenses that look
alike, which is what undoing them wants.
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.deleter import Deleter
from engines.networks.lenses import UNIT, Lenses
from realtime.align import CROP_SIZE, STRIP, STRIP_BOTTOM, STRIP_TOP
from realtime.frame import Glasses
from tools.evaluate.picture import tiled
from tools.glasses_labels import labelled_glasses
from tools.train.augment import after, jitter_similarity, relight, sense
from tools.train.deleter import MIRRORED
from tools.train.samples import Sample, Samples
from tools.train.start import load_shipped, unfold_norms
from tools.train.trainer import Batch, Models, Options, Recipe, load_weights, pictures

SUSPECT = 0.3  # probability that a photograph wears glasses of its own, beyond which it is left out


class LensesTask:
    name = "lenses"
    players: tuple[str, ...] = ("model",)
    judged = 240
    recipe = Recipe(
        batch=32, learning_rate={"model": 1.5e-3}, ema_halflife_steps=150, warmup_steps=100, weight_decay=2e-3,
        cpu_precision="bf16-mixed",
    )  # fmt: skip

    def __init__(self, options: Options):
        if options.shards is None:
            raise FileNotFoundError("lenses are learnt from rendered ones: give the factory's folder, --shards DIR")
        self.options, self.samples = options, Samples(options.shards)
        reserved = labelled_glasses(options.data)
        rows = np.array([name not in reserved for name in self.samples.photographs()])
        rows &= self.samples.values("kind") == int(Glasses.CLEAR)
        worn_file = options.shards / "worn.npz"
        if worn_file.exists():
            rows &= np.load(worn_file)["kind"][:, 0] > 1 - SUSPECT
        self.rows = np.flatnonzero(rows)

    def models(self) -> dict[str, nn.Module]:
        model = Lenses(self.options.quality)
        if self.options.start is None and not self.options.resume:
            model.encoder.load_state_dict(self._deleter(), strict=False)
        return {"model": model}

    def _deleter(self) -> dict[str, Tensor]:
        """The deleter's weights; those that ship have their norms unfolded on a batch of ours."""
        deleter, checkpoint = Deleter(self.options.quality), self.options.out.parent / "deleter" / "checkpoint.pt"
        if checkpoint.exists():
            load_weights(deleter, checkpoint)
        else:
            load_shipped(deleter, "deleter", self.options.quality)
            strips = torch.from_numpy(self.batch(np.random.default_rng(self.options.seed))["strip"])
            unfold_norms(deleter, lambda: deleter(pictures(strips)))
        encoder = Lenses(self.options.quality).encoder.state_dict()
        return {key: value for key, value in deleter.state_dict().items() if key in encoder}

    def batch(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """strip (B, 128, 256, 3) uint8, scale (B, 1) float32."""
        chosen = [self.samples[int(k)] for k in rng.choice(self.rows, self.recipe.batch)]
        scale = np.array([[sample.value("lens_scale")] for sample in chosen], np.float32)
        return {"strip": np.stack([varied(sample, rng) for sample in chosen]), "scale": scale}

    def loss(self, models: Models, batch: Batch, player: str) -> dict[str, Tensor]:
        said = models["model"](pictures(batch["strip"])).float()
        return {"total": functional.smooth_l1_loss(said.log() / UNIT, batch["scale"].log() / UNIT, beta=0.3)}

    @cached_property
    def held_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Strips (N, 128, 256, 3) of clear glasses in the folder `val` beside the shards, and their scales (N,)."""
        samples = Samples(self.options.shards.parent / "val")  # type: ignore[union-attr]
        rows = np.flatnonzero(samples.values("kind") == int(Glasses.CLEAR))[: self.judged]
        return np.stack([samples[int(k)].picture("image")[STRIP] for k in rows]), samples.values("lens_scale")[rows]

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Mean error of the log of the scale, the same of saying 1, and the correlation of the logs."""
        said, true = np.log(self._asked(model)), np.log(self.held_out[1])
        return {
            "error": float(np.abs(said - true).mean()), "error_of_one": float(np.abs(true).mean()),
            "error_squared": float(np.square(said - true).mean() / np.square(true).mean()),
            "correlation": float(np.corrcoef(said, true)[0, 1]),
        }  # fmt: skip

    def _asked(self, model: nn.Module) -> np.ndarray:
        strips = self.held_out[0]
        with torch.no_grad():
            parts = [model(pictures(torch.from_numpy(strips[k : k + 32]))) for k in range(0, len(strips), 32)]
        return torch.cat(parts)[:, 0].float().numpy()

    def sheet(self, model: nn.Module) -> np.ndarray:
        """Val strips with the scale that is said of them, and the true one."""
        tiles = []
        for strip, said, true in zip(self.held_out[0][:24], self._asked(model), self.held_out[1], strict=False):
            text = f"{said:.3f} ({true:.3f})"
            tiles.append(cv2.putText(strip.copy(), text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 0), 1))
        return tiled(tiles, 4)


def varied(sample: Sample, rng: np.random.Generator) -> np.ndarray:
    """(128, 256, 3) strip of a sample, moved, mirrored, relit, and seen by some camera."""
    moved = jitter_similarity(rng)
    if rng.random() < 0.5:
        moved = after(moved, MIRRORED)
    moved = moved - np.array([[0, 0, 0], [0, 0, STRIP_TOP]])
    size = (CROP_SIZE, STRIP_BOTTOM - STRIP_TOP)
    image = cv2.warpAffine(
        sample.picture("image"), moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return sense(relight(image, rng), rng)


def create_task(options: Options) -> LensesTask:
    return LensesTask(options)
