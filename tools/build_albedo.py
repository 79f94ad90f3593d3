"""Learns the albedo basis from photographs: `python -m tools.build_albedo --data DIR --points FILE.npz ...`.

Fit, unwrap to the vertices, remove the light, mirror, robust PCA. Writes realtime/face/assets/albedo.npz and a picture
of the mean and the first ten components. Only rows of split `train`; no photograph is kept. --points: machine-made 68
points (npz with names "set/file", points, score) for the sets without hand-made ones.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from realtime.face.asset import pack
from realtime.face.coefficients import SLICES
from realtime.face.model import FaceModel, load_face_model
from realtime.face.regions import FACE_SKIN, FaceRegion
from tools.build_face import ASSETS
from tools.face_build.albedo_sheet import albedo_sheet
from tools.face_build.extend import extend_over
from tools.face_build.plain_albedo import hand_set
from tools.face_build.robust_pca import robust_components
from tools.face_build.sampled_skin import SampledSkin, estimate_light, sample_skin, without_light
from tools.photos import Annotation, Photographs, annotations

COMPONENTS = 80
SHARES = {"gan": 260, "helen": 260, "celeba": 180, "utkface": 220, "aaf": 130}  # photographs of each set
ODDEST = 0.15  # share of photographs left out: those that look least like the others (glasses, hats, hands)
AROUND_EYES_MM = 26.0
LEAST_SEEN = 0.45  # mean weight over the photographs, next to the best seen; hair creeps into what is seen less
ILLUMINANT = 0.5  # share of a photograph's colour cast that is put down to its light, not to its skin
GREY = 0.06  # mean distance of red and blue below which a photograph is not in colour


def choose(data: Path, points: list[Path], rng: np.random.Generator) -> list[tuple[str, Annotation]]:
    """Photographs of split train with their points, at random, SHARES of each set."""
    photographs, labels = Photographs(data), annotations(data, points)
    chosen = []
    for name, count in SHARES.items():
        known = [p.name for p in photographs.of_set(name, "train") if p.name in labels]
        for which in rng.permutation(len(known))[:count]:
            chosen.append((known[which], labels[known[which]]))
    return chosen


def sample_batch(data: Path, skin: np.ndarray, batch: list[tuple[str, Annotation]]) -> list[SampledSkin]:
    photographs, model = Photographs(data), load_face_model("full")
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        found = [sample_skin(model, skin, photographs.read(name), label.points, label.weight) for name, label in batch]
    return [sample for sample in found if sample is not None]


def learn(samples: list[SampledSkin], model: FaceModel, skin: np.ndarray) -> dict[str, np.ndarray]:
    """Mean (M, 3), components (80, M, 3), seen (M,) bool, and statistics of light and expression of those kept."""
    region = model.regions[skin]
    plain = np.isin(region, (FaceRegion.SKIN, FaceRegion.NOSE))
    samples = [replace(s, colours=c) for s, c in zip(samples, _in_one_white(samples), strict=True) if _coloured(s)]
    mirror = cKDTree(model.mean[skin]).query(model.mean[skin] * [-1, 1, 1])[1]
    near_eyes = np.min([np.linalg.norm(model.mean[skin] - model.mean[eye], axis=1) for eye in model.eyes], axis=0)
    around_eyes = near_eyes < AROUND_EYES_MM
    mean = np.ones((len(skin), 3), np.float32)
    components = np.zeros((COMPONENTS, len(skin) * 3), np.float32)
    lights: list[np.ndarray] = []
    seen = np.ones(len(skin), bool)
    for final in (False, True):
        lights = [estimate_light(sample, mean, plain) for sample in samples]
        bare = [without_light(sample, light) for sample, light in zip(samples, lights, strict=True)]
        rows = np.stack([albedo for albedo, _ in bare])  # (N, M, 3)
        weights = np.stack([weight for _, weight in bare])
        rows, weights = np.concatenate([rows, rows[:, mirror]]), np.concatenate([weights, weights[:, mirror]])
        flat, components, oddness = robust_components(
            rows.reshape(len(rows), -1), weights, COMPONENTS if final else 12, rounds=3
        )
        mean, seen = flat.reshape(-1, 3), weights.mean(0) > LEAST_SEEN * weights.mean(0).max()
        if not final:
            odd = oddness[: len(samples)] + _oddness_of(rows[: len(samples)], weights, mean, components, around_eyes)
            kept = np.argsort(odd)[: round(len(samples) * (1 - ODDEST))]
            samples = [samples[k] for k in kept]
    expressions = np.stack([sample.coefficients[SLICES["expression"]] for sample in samples])
    return {
        "mean": mean, "components": components.reshape(COMPONENTS, -1, 3), "seen": seen,
        **_statistics("expression", expressions), **_statistics("light", np.stack(lights)),
    }  # fmt: skip


def _coloured(sample: SampledSkin) -> bool:
    return float(np.abs(sample.colours[:, 0] - sample.colours[:, 2])[sample.weights > 0.3].mean()) > GREY


def _in_one_white(samples: list[SampledSkin]) -> list[np.ndarray]:
    """The samples' colours with part of each photograph's cast taken off; brightness stays."""
    casts = np.stack([np.log(np.average(s.colours, axis=0, weights=s.weights) + 1e-3) for s in samples])  # (N, 3)
    casts -= casts.mean(1, keepdims=True)
    gains = np.exp(-ILLUMINANT * (casts - np.median(casts, axis=0)))
    return [np.clip(s.colours * gain, 0, 1).astype(np.float32) for s, gain in zip(samples, gains, strict=True)]


def _oddness_of(
    rows: np.ndarray, weights: np.ndarray, mean: np.ndarray, components: np.ndarray, where: np.ndarray
) -> np.ndarray:
    """(N,) mean distance from the mean's shape within `where`, tone apart: glasses show here."""
    inside = rows[:, where]
    tone = np.median(inside / np.maximum(mean[where], 0.05), axis=1, keepdims=True)
    distance = np.abs(inside - tone * mean[where]).mean(2)
    sure = weights[: len(rows), where]
    return (distance * sure).sum(1) / np.maximum(sure.sum(1), 1e-3)


def _statistics(name: str, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Mean and a symmetric root of the covariance, for sampling mean + root @ normal."""
    values, vectors = np.linalg.eigh(np.cov(rows.T.astype(np.float64)))
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    return {f"{name}_mean": rows.mean(0).astype(np.float32), f"{name}_spread": root.astype(np.float32)}


def finish(model: FaceModel, skin: np.ndarray, learnt: dict[str, np.ndarray], angle: np.ndarray) -> FaceModel:
    """The full model with the learnt colours: continued over neck, ears and crown; eyes and mouth by hand."""
    by_hand = hand_set(model.regions, angle)
    known = skin[learnt["seen"]]
    rest = np.isin(model.regions, (FaceRegion.NECK, FaceRegion.HEAD, FaceRegion.EAR, FaceRegion.EYE_SOCKET))
    rest[skin[~learnt["seen"]]] = True
    stacked = np.concatenate([learnt["mean"][None], learnt["components"]])[:, learnt["seen"]]  # (81, M, 3)
    spread = extend_over(model.mean, model.triangles, known, stacked, np.flatnonzero(rest))
    full = np.zeros((len(stacked), *model.mean.shape), np.float32)
    full[:, known], full[:, rest] = stacked, spread
    fixed = ~(rest | np.isin(np.arange(len(model.mean)), known))
    full[0, fixed] = by_hand[fixed]
    return replace(model, albedo_mean=full[0], albedo=full[1:].reshape(COMPONENTS, -1))


def save(model: FaceModel, learnt: dict[str, np.ndarray], folder: Path) -> None:
    basis = model.albedo.reshape(COMPONENTS, -1, 3)
    planes, steps = pack(basis, np.abs(basis).max((1, 2)) / 120)
    with np.load(folder / "face.npz") as face:
        source_vertices, live = face["source_vertices"], face["identity_live"].shape[2]
    statistics = {k: v for k, v in learnt.items() if k.startswith(("expression", "light"))}
    np.savez_compressed(
        folder / "albedo.npz", source_vertices=source_vertices, mean=model.albedo_mean, albedo_live=planes[:, :, :live],
        albedo_rest=planes[:, :, live:], albedo_steps=steps, **statistics,
    )  # fmt: skip
    print(f"albedo.npz {(folder / 'albedo.npz').stat().st_size / 2**20:.2f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds faces/")
    parser.add_argument("--points", type=Path, nargs="*", default=[], help="machine-made 68 points, npz")
    parser.add_argument("--out", type=Path, default=ASSETS)
    parser.add_argument("--sheet", type=Path, help="picture of the mean and the first ten components")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model = load_face_model("full", options.out)
    skin = np.flatnonzero(np.isin(model.regions, FACE_SKIN))
    chosen = choose(options.data, options.points, np.random.default_rng(options.seed))
    batches = [chosen[start : start + 25] for start in range(0, len(chosen), 25)]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        work = pool.map(partial(sample_batch, options.data, skin), batches)
        samples = [sample for batch in tqdm(work, total=len(batches), unit="batch") for sample in batch]
    print(f"{len(samples)} photographs fitted and unwrapped")
    with threadpool_limits(1):
        learnt = learn(samples, model, skin)
    with np.load(options.out / "face.npz") as face:
        angle = face["eyeball_angle"]
    model = finish(model, skin, learnt, angle)
    save(model, learnt, options.out)
    if options.sheet:
        cv2.imwrite(str(options.sheet), albedo_sheet(model)[..., ::-1])


if __name__ == "__main__":
    main()
