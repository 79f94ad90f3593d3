"""Training of the lids' network on eyes out of the factory's shards, photographed and rendered, bare and in glasses.

The gap to learn is that of the shards' 68 points: hand-made, machine-made, or exact. Shut eyes are rare in photographs,
so that gaps of every size are drawn alike. No equation of the paper: the paper does not look at lids.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.lids import build
from realtime.eye_picture import HEIGHT, MIDDLE, PX_PER_MM, WIDTH, normalised
from realtime.face.coefficients import pose
from tools.evaluate.picture import tiled
from tools.glasses_labels import labelled_glasses
from tools.train.augment import sense
from tools.train.regression_rows import heads_of
from tools.train.samples import Sample, Samples
from tools.train.trainer import Batch, Models, Options, Recipe

MARGIN_PX = 12  # kept around the eye's picture, for shifts
BINS = (0.0, 0.08, 0.14, 0.2, 0.26, 0.32, 0.4, 9.0)  # of the gap, drawn equally often
SHARES = (3, 3, 2, 2, 2, 2, 1)
EYES = (slice(42, 48), slice(36, 42))  # left, right
MM_APART = 88.0  # of the outer eye corners, of a head that was not fitted


def gap_of(outline: np.ndarray) -> float:
    """(6, 2) points of an eye -> the lids' distance over the width."""
    apart = np.linalg.norm(outline[1] - outline[5]) + np.linalg.norm(outline[2] - outline[4])
    return float(apart / max(2 * np.linalg.norm(outline[0] - outline[3]), 1e-3))


def scale_and_roll(sample: Sample) -> tuple[float, float]:
    """Pixels per mm and roll of the head in a crop: of its fit, or of its eye corners where it was not fitted."""
    here = pose(sample.value("coefficients"))
    if np.isfinite((here.scale, here.roll)).all():
        return here.scale, here.roll
    across = sample.value("points")[45] - sample.value("points")[36]
    return float(np.linalg.norm(across)) / MM_APART, -float(np.arctan2(across[1], across[0]))


def patches_of(sample: Sample, name: str) -> list[np.ndarray]:
    """Both eyes of a crop, grey, `MARGIN_PX` larger on every side than the network's picture."""
    grey = cv2.cvtColor(sample.picture(name), cv2.COLOR_RGB2GRAY)
    points = sample.value("points")
    px_per_mm, roll = scale_and_roll(sample)
    scale = PX_PER_MM / max(px_per_mm, 1e-3)
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    linear = np.array([[cos, -sin], [sin, cos]])
    found = []
    for eye in EYES:
        centre = points[eye][[0, 3]].mean(0)
        offset = MIDDLE + MARGIN_PX - linear @ centre
        size = (WIDTH + 2 * MARGIN_PX, HEIGHT + 2 * MARGIN_PX)
        found.append(cv2.warpAffine(grey, np.hstack([linear, offset[:, None]]), size, borderMode=cv2.BORDER_REPLICATE))
    return found


class LidsTask:
    name = "lids"
    players: tuple[str, ...] = ("model",)
    recipe = Recipe(batch=128, learning_rate={"model": 2e-3}, weight_decay=1e-3, ema_halflife_steps=100, report_s=60.0)

    def __init__(self, options: Options):
        if options.shards is None:
            raise FileNotFoundError("the lids are learnt from the data factory's shards: give its folder, --shards DIR")
        self.options = options
        reserved = labelled_glasses(options.data)
        samples = Samples(options.shards)
        photos = [one for one in samples if not one.value("synthetic") and name_of(one) not in reserved]
        heads = heads_of(samples, options.shards.parent / "heads")
        self.patches, self.gaps = eyes_of([*photos, *heads])
        folder = options.shards.parent / "val"
        self.held_out = eyes_of(list(Samples(folder)) if folder.exists() else photos[:100], worn=False)
        which = np.digitize(self.gaps, BINS) - 1
        self.members = [np.flatnonzero(which == k) for k in range(len(BINS) - 1)]

    def models(self) -> dict[str, nn.Module]:
        return {"model": build(self.options.quality)}

    def batch(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """eyes (B, 1, 40, 56), gap (B, 1) float32."""
        shares = np.array([share if len(m) else 0 for share, m in zip(SHARES, self.members, strict=True)], float)
        bins = rng.choice(len(shares), self.recipe.batch, p=shares / shares.sum())
        rows = [int(rng.choice(self.members[k])) for k in bins]
        eyes = np.stack([normalised(varied(self.patches[row], rng)) for row in rows])
        return {"eyes": eyes[:, None], "gap": self.gaps[rows][:, None].astype(np.float32)}

    def loss(self, models: Models, batch: Batch, player: str) -> dict[str, Tensor]:
        error = functional.smooth_l1_loss(models["model"](batch["eyes"]).float(), batch["gap"], beta=0.03) / 0.03
        return {"total": error}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Mean error and correlation on val; how well shut eyes (gap below 0.1) are told from open ones (above 0.2)."""
        said, true = self._asked(model), self.held_out[1]
        shut, wide = said[true < 0.1], said[true > 0.2]
        below = (shut[:, None] < wide[None]).mean() if len(shut) and len(wide) else float("nan")
        return {
            "error": float(np.abs(said - true).mean()), "correlation": float(np.corrcoef(said, true)[0, 1]),
            "shut_told": float(below), "shut": float(len(shut)), "said_of_wide": float(np.median(wide)),
            "said_of_shut": float(np.median(shut)) if len(shut) else 0.0,
        }  # fmt: skip

    def _asked(self, model: nn.Module) -> np.ndarray:
        eyes = np.stack([normalised(centred(patch)) for patch in self.held_out[0]])
        with torch.no_grad():
            return model(torch.from_numpy(eyes[:, None]))[:, 0].float().numpy()

    def sheet(self, model: nn.Module) -> np.ndarray:
        """Val's eyes from the most shut to the widest, as the network has it."""
        said = self._asked(model)
        chosen = (
            np.argsort(said)[np.r_[0:96, np.linspace(96, len(said) - 1, 96).astype(int)]]
            if len(said) > 192
            else (np.argsort(said))
        )
        return tiled([np.repeat(centred(self.held_out[0][k])[..., None], 3, 2) for k in chosen], 16)


def name_of(sample: Sample) -> str:
    return str(sample.value("source")).split("+")[0]


def eyes_of(samples: list[Sample], worn: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Patches (N, 64, 80) uint8 and their gaps (N,); of dressed crops the eyes behind clear lenses as well."""
    patches, gaps = [], []
    for one in samples:
        if one.value("points_weight")[36:48].min() <= 0:
            continue
        both = [gap_of(one.value("points")[eye]) for eye in EYES]
        for name in ("clean", "image")[: 2 if worn and int(one.value("kind")) == 1 else 1]:
            patches += patches_of(one, name)
            gaps += both
    return np.stack(patches), np.array(gaps, np.float32)


def centred(patch: np.ndarray) -> np.ndarray:
    """The middle (40, 56) of a patch."""
    return patch[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]


def varied(patch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(40, 56) of a patch, mirrored, moved, turned and scaled as landmarks err, in other light, by another camera."""
    if rng.random() < 0.5:
        patch = patch[:, ::-1]
    middle = (np.array(patch.shape[::-1]) - 1) / 2
    moved = cv2.getRotationMatrix2D(tuple(middle), float(rng.normal(0, 5)), float(np.exp(rng.normal(0, 0.1))))
    moved[:, 2] += rng.normal(0, 2.0, 2) - MARGIN_PX
    eye = cv2.warpAffine(np.ascontiguousarray(patch), moved, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    gamma, gain = np.exp(rng.normal(0, 0.25)), np.exp(rng.normal(0, 0.2))
    table = np.clip(255 * gain * (np.arange(256) / 255) ** gamma, 0, 255).astype(np.uint8)
    return sense(np.repeat(cv2.LUT(eye, table)[..., None], 3, 2), rng)[..., 0]


def create_task(options: Options) -> LidsTask:
    return LidsTask(options)
