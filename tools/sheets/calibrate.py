"""The scales of the failure score: what ideal results score, and how well it orders results whose truth is known.

Clean photographs wear rendered glasses and go through the chain. The clean photograph itself, judged with the hole that
the chain cut, is the ideal result.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from realtime.align import aligned_crop, transform_points
from realtime.face.model import load_face_model
from realtime.frame import Glasses
from tools.evaluate.chain import network
from tools.evaluate.faces import crop_of
from tools.evaluate.inpainting import masked_scores
from tools.factory.wear import wear
from tools.fit import fit_landmarks
from tools.photos import Photographs, annotations
from tools.sheets.chain import Photographer, Shown
from tools.sheets.failure import PARTS, Failure, FailureScore


def calibrate(options: argparse.Namespace) -> dict[str, object]:
    """JSON: normal (median, 95th percentile of ideal results), results (the same of the chain's), and order: Spearman's
    correlation of the score, and of each part, with the true error inside the hole."""
    score = FailureScore(*(network(name, options.quality, options.provider) for name in ("deleter", "landmarks")))
    ideal, made, error = [], [], []
    for clean, shown, points in _pairs(options):
        ideal.append(score.judge(shown.before, clean, shown.mask, points))
        made.append(score.judge(shown.before, shown.after, shown.mask, points))
        error.append(-masked_scores(clean, shown.after, shown.mask)[0])
    if len(made) < 3:
        raise ValueError("fewer than three clean photographs with a face: nothing to calibrate on")
    order = {part: spearman([one.parts[part] for one in made], error) for part in PARTS}
    return {"normal": _spread(ideal), "results": _spread(made), "pictures": len(made),
            "order": {"score": spearman([one.score for one in made], error), **order}}  # fmt: skip


def _pairs(options: argparse.Namespace) -> Iterator[tuple[np.ndarray, Shown, np.ndarray]]:
    """Clean crop (256, 256, 3), what became of it in glasses, its (68, 2) points, of Helen's photographs."""
    photos, labels, model = Photographs(options.data), annotations(options.data), load_face_model("live")
    photographer = Photographer(options)
    try:
        for number, photo in enumerate(photos.of_set("helen", "train")[: options.calibrate]):
            crop, points = crop_of(photos.read(photo), labels[photo.name].points)
            bare = photographer(photo.name, crop)
            if bare is None or bare.worn or bare.padded:
                continue
            rng = np.random.default_rng((options.seed, number))
            kind = Glasses.DARK if number % 4 == 0 else Glasses.CLEAR
            worn = wear(crop, fit_landmarks(model, points, np.ones(68, np.float32)), rng, kind=kind, model=model)
            shown = photographer(photo.name, worn.image)
            if shown is None or not shown.worn or shown.padded:
                continue
            assert shown.face.crop_from_frame is not None
            here = transform_points(shown.face.crop_from_frame, bare.face.landmarks)
            yield aligned_crop(crop, shown.face.crop_from_frame), shown, here
    finally:
        photographer.close()


def _spread(failures: list[Failure]) -> dict[str, list[float]]:
    return {part: [float(np.percentile([one.parts[part] for one in failures], q)) for q in (50, 95)] for part in PARTS}


def spearman(a: list[float], b: list[float]) -> float:
    """Correlation of ranks."""
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1])
