"""A tiny shard drawn by hand: oval heads with and without black-rimmed glasses, every label exact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engines.networks.classes import Region
from realtime.align import STABLE_POINTS, TEMPLATE_PX


def points() -> np.ndarray:
    """(68, 2) where the template has them; jaw, brows and lips roughly placed."""
    full = np.zeros((68, 2), np.float32)
    angle = np.linspace(np.pi, 0, 17)
    full[:17] = np.stack([127.5 + 85 * np.cos(angle), 105 + 120 * np.sin(angle)], 1)
    full[17:22] = np.stack([np.linspace(68, 110, 5), np.full(5, 85)], 1)
    full[22:27] = np.stack([np.linspace(145, 187, 5), np.full(5, 85)], 1)
    full[48:68] = np.stack([127.5 + 30 * np.cos(np.linspace(0, 6, 20)), 180 + 10 * np.sin(np.linspace(0, 6, 20))], 1)
    full[STABLE_POINTS] = TEMPLATE_PX
    return full


def drawn(rng: np.random.Generator, kind: int) -> dict[str, np.ndarray]:
    """One sample's four pictures."""
    clean = np.full((256, 256, 3), rng.integers(30, 90, 3), np.uint8)
    labels = np.full((256, 256), Region.BACKGROUND, np.uint8)
    skin = tuple(int(v) for v in rng.integers(150, 220, 3))
    for canvas, value in ((clean, skin), (labels, int(Region.SKIN))):
        cv2.ellipse(canvas, (128, 130), (88, 125), 0, 0, 360, value, -1)
    for x, region in ((90, Region.R_EYE), (165, Region.L_EYE)):
        cv2.ellipse(clean, (x, 104), (15, 7), 0, 0, 360, (240, 240, 240), -1)
        cv2.circle(clean, (x, 104), 6, (40, 30, 20), -1)
        cv2.ellipse(labels, (x, 104), (15, 7), 0, 0, 360, int(region), -1)
    image, shadow = clean.copy(), np.full((256, 256), 255, np.uint8)
    if kind:
        for x in (90, 165):
            if kind == 2:
                cv2.ellipse(image, (x, 106), (32, 24), 0, 0, 360, (20, 20, 20), -1)
            lens = Region.DARK_LENS if kind == 2 else Region.CLEAR_LENS
            cv2.ellipse(labels, (x, 106), (32, 24), 0, 0, 360, int(lens), -1)
            cv2.ellipse(image, (x, 106), (32, 24), 0, 0, 360, (0, 0, 0), 5)
            cv2.ellipse(labels, (x, 106), (32, 24), 0, 0, 360, int(Region.FRAME), 5)
        cv2.rectangle(shadow, (60, 134), (195, 140), 180, -1)
    return {"image": image, "clean": clean, "labels": labels, "shadow": shadow}


def write_shard(
    path: Path, count: int, seed: int = 0, coefficients: np.ndarray | None = None, shown: np.ndarray | None = None
) -> None:
    """A shard in the layout of docs/architecture.md; kinds 0, 1, 2 in turn. Synthetic where coefficients are given,
    (count, 239), with the points (count, 68, 2) that they show."""
    rng = np.random.default_rng(seed)
    codes: dict[str, list[np.ndarray]] = {"image": [], "clean": [], "labels": [], "shadow": []}
    kinds = np.arange(count) % 3
    for kind in kinds:
        for name, picture in drawn(rng, int(kind)).items():
            bgr = picture[..., ::-1] if picture.ndim == 3 else picture
            codes[name].append(cv2.imencode(".png", np.ascontiguousarray(bgr))[1].ravel())
    arrays: dict[str, np.ndarray] = {}
    for name, encoded in codes.items():
        arrays[name] = np.concatenate(encoded)
        arrays[f"{name}_offsets"] = np.cumsum([0] + [len(code) for code in encoded])
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path, **arrays, kind=kinds, points=np.repeat(points()[None], count, 0) if shown is None else shown,
        points_weight=np.ones((count, 68), np.float32),
        coefficients=np.full((count, 239), np.nan, np.float32) if coefficients is None else coefficients,
        source=np.array([f"drawn/{k}" for k in range(count)]),
        synthetic=np.full(count, coefficients is not None),
        lens_scale=np.where(kinds == 1, 1.08, 1.0).astype(np.float32),
    )  # fmt: skip


def totals_while_learning(task: Any, model: Any, batch: Any, steps: int, rate: float) -> list[float]:
    """The total loss before each of some steps of a training on one batch."""
    import torch

    optimiser = torch.optim.AdamW(model.parameters(), rate)
    totals = []
    for _ in range(steps):
        total = task.loss({"model": model}, batch, "model")["total"]
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(total.item())
    return totals
