"""Protocol `invariance`: do eyeglasses change whom the coefficients describe?

Clean photographs go through the whole chain as they are and with rendered eyeglasses, clear and dark. JSON: invariance,
mean ||identity(with) - identity(without)|| over the mean distance between the identities of different photographs;
invariance_clear, invariance_dark; invariance_kept (the same with glasses left on: what the removal gains); people;
pictures; invariance by skin tone, lens and rim family (`groups.py`). Photographs that wear eyeglasses
already, as the deleter sees it, are left out.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from realtime.face.coefficients import SLICES
from realtime.face.model import load_face_model
from realtime.frame import Face, Glasses
from tools.evaluate.faces import LabelledFace, add_face_arguments, crop_of, faces_of
from tools.evaluate.groups import Groups, skin_tone_group
from tools.evaluate.measures import mean_distance
from tools.evaluate.picture import curve
from tools.evaluate.whole_chain import WholeChain
from tools.factory.wear import wear
from tools.fit import fit_landmarks

Judge = Callable[[np.ndarray], Face | None]
KINDS = (Glasses.CLEAR, Glasses.DARK)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_face_arguments(parser, ("helen", "celeba"))


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics, and the cumulative curves of the ratio of every photograph."""
    removing, keeping = WholeChain(options), WholeChain(options, remove=False)
    try:
        return evaluate_invariance(itertools.islice(faces_of(options), options.limit), removing, keeping, options.seed)
    finally:
        removing.close()
        keeping.close()


def evaluate_invariance(
    faces: Iterable[LabelledFace], removing: Judge, keeping: Judge, seed: int = 0
) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics and curves; raises ValueError when fewer than two clean photographs show a face."""
    model = load_face_model("live")
    bare: list[np.ndarray] = []
    moved: dict[str, list[float]] = {"clear": [], "dark": [], "kept": []}
    grouped: list[tuple[float, dict[str, str]]] = []
    for number, labelled in enumerate(faces):
        crop, points = crop_of(labelled.image, labelled.landmarks)
        before = removing(crop)
        if before is None or before.glasses is not Glasses.NONE:
            continue
        identity = identity_of(before)
        bare.append(identity)
        coefficients = fit_landmarks(model, points, np.ones(68, np.float32))
        for kind in KINDS:
            sample = wear(crop, coefficients, np.random.default_rng((seed, number, int(kind))), kind=kind, model=model)
            for name, judge in ((kind.name.lower(), removing), ("kept", keeping)):
                after = judge(sample.image)
                if after is not None:
                    moved[name].append(float(np.linalg.norm(identity_of(after) - identity)))
                    if judge is removing:
                        tone = skin_tone_group(crop, points)
                        groups = {"skin_tone": tone, "lens": kind.name.lower(), "kind": sample.family}
                        grouped.append((moved[name][-1], groups))
    if len(bare) < 2:
        raise ValueError("fewer than two clean photographs with a face: nothing to compare")
    apart = mean_distance(np.array(bare))
    ratio = {name: np.array(values) / apart for name, values in moved.items()}
    both = np.concatenate([ratio["clear"], ratio["dark"]])
    by_group = Groups()
    for distance, groups in grouped:
        by_group.add("invariance", distance / apart, **groups)
    metrics = {
        "invariance": float(both.mean()), "invariance_clear": float(ratio["clear"].mean()),
        "invariance_dark": float(ratio["dark"].mean()), "invariance_kept": float(ratio["kept"].mean()),
        "people": len(bare), "pictures": len(both),
        **by_group.report(),
    }  # fmt: skip
    return metrics, curve(ratio, 1.0, f"identity moved by eyeglasses, mean {metrics['invariance']:.3f}")


def identity_of(face: Face) -> np.ndarray:
    """(80,) identity coefficients. Raises ValueError for a face that was not regressed."""
    if face.coefficients is None:
        raise ValueError("a face without coefficients")
    return np.asarray(face.coefficients[SLICES["identity"]], np.float64)
