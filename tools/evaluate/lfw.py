"""Protocol `lfw`: are two pictures of one person? Told from shape coefficients alone (paper, Table 1).

Data: a folder with `images/` and `pairs.csv` (`fold,a,b,same`), or the photographs' folder (then LFW's development
view). Every picture goes through the whole chain; `--glasses` renders eyeglasses on it first. Two pictures are as alike
as the cosine of their identities, each about the mean identity of all pictures; `--recogniser` asks G instead. JSON:
accuracy and accuracy_std over the folds (the threshold of a fold is the best of the others; a single fold is cut into
ten), eer100 (100 % - equal error rate), nauc (area under the ROC curve), each a percentage with its _std over the
folds; pairs, pictures, misses (pictures without a face: nobody's likeness).
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from realtime.face.model import load_face_model
from realtime.frame import Face, Glasses
from realtime.planes import planes
from realtime.regressor import shrunk
from tools.evaluate.chain import network
from tools.evaluate.invariance import Judge, identity_of
from tools.evaluate.picture import curve
from tools.evaluate.whole_chain import WholeChain, worn_crop
from tools.factory.wear import wear
from tools.fit import fit_landmarks
from tools.photos import Photographs, decode

FOLDS = 10
LIKELY_KINDS = (Glasses.CLEAR, Glasses.CLEAR, Glasses.CLEAR, Glasses.DARK)  # what a picture gets to wear


@dataclass(frozen=True)
class Pairs:
    """first, second: names of pictures; same (N,) bool; fold (N,) int."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    same: np.ndarray
    fold: np.ndarray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--glasses", action="store_true", help="render eyeglasses on every picture first")
    parser.add_argument("--recogniser", action="store_true", help="ask G about the crops, not the shape coefficients")


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics and the ROC curve. Raises FileNotFoundError without pairs."""
    pairs, read = listed_pairs(options.data)
    if options.limit:
        pairs = first_pairs(pairs, options.limit)
    chain, judged = WholeChain(options), identity_of
    try:
        if options.recogniser:
            judged = recognised(network("recogniser", options.quality, options.provider, options.checkpoint))
        found = identities(pairs, read, chain, options.seed if options.glasses else None, judged)
    finally:
        chain.close()
    return verification(pairs, found)


def recognised(recogniser: Any) -> Callable[[Face], np.ndarray]:
    """What tells people apart by G: (128,) features of a face's crop, glasses already taken off."""

    def features_of(face: Face) -> np.ndarray:
        if face.crop is None:
            raise ValueError("a face without its crop")
        return np.array(recogniser.run({"crop": planes(shrunk(face.crop))})["features"], np.float64)[0]

    return features_of


def listed_pairs(data: Path) -> tuple[Pairs, Callable[[str], np.ndarray]]:
    """The pairs, and what reads a picture by its name."""
    if (data / "pairs.csv").exists():
        return _read_pairs(data / "pairs.csv"), lambda name: decode((data / "images" / name).read_bytes(), name)
    path = data / "faces" / "lfw_view1_pairs.csv"
    if not path.exists():
        raise FileNotFoundError(f"no pairs: {data} holds neither pairs.csv nor faces/lfw_view1_pairs.csv")
    photos = Photographs(data)
    known = {photo.file: photo for photo in photos.of_set("lfw_view1")}
    return _read_pairs(path), lambda name: photos.read(known[name])


def _read_pairs(path: Path) -> Pairs:
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    if not rows:
        raise ValueError(f"{path} lists no pair")
    same, fold = np.array([row["same"] == "1" for row in rows]), np.array([int(row["fold"]) for row in rows])
    return Pairs(tuple(row["a"] for row in rows), tuple(row["b"] for row in rows), same, fold)


def first_pairs(pairs: Pairs, count: int) -> Pairs:
    """At most `count` pairs, evenly out of all, so that both answers and every fold stay."""
    chosen = np.unique(np.linspace(0, len(pairs.same) - 1, count).astype(int))
    return Pairs(
        tuple(pairs.first[k] for k in chosen), tuple(pairs.second[k] for k in chosen), pairs.same[chosen],
        pairs.fold[chosen],
    )  # fmt: skip


def identities(
    pairs: Pairs, read: Callable[[str], np.ndarray], judge: Judge, glasses_seed: int | None = None,
    judged: Callable[[Face], np.ndarray] = identity_of,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Identity (80,) of every picture in which a face was found; with a seed each wears rendered eyeglasses."""
    found = {}
    names = sorted({*pairs.first, *pairs.second})
    for number, name in enumerate(tqdm(names, unit="picture", disable=None)):
        image = read(name)
        if glasses_seed is not None:
            image = dressed(image, judge, np.random.default_rng((glasses_seed, number)))
        face = judge(image)
        if face is not None:
            found[name] = judged(face)
    return found


def dressed(image: np.ndarray, judge: Judge, rng: np.random.Generator) -> np.ndarray:
    """The picture's aligned crop with rendered eyeglasses; the picture itself where no face is found."""
    face = judge(image)
    if face is None:
        return image
    crop, _ = worn_crop(face, image)
    model = load_face_model("live")
    found = judge(crop)
    if found is None:
        return crop
    coefficients = fit_landmarks(model, found.landmarks, np.ones(68, np.float32))
    return wear(crop, coefficients, rng, kind=LIKELY_KINDS[int(rng.integers(4))], model=model).image


def verification(pairs: Pairs, found: Mapping[str, np.ndarray]) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics and curve from the (80,) identities of the pictures."""
    names = {*pairs.first, *pairs.second}
    if not found:
        raise ValueError("no face was found in any picture")
    mean = np.mean(list(found.values()), axis=0)
    couples = zip(pairs.first, pairs.second, strict=True)
    likeness = np.array([_likeness(found.get(a), found.get(b), mean) for a, b in couples])
    fold = pairs.fold
    if len(np.unique(fold)) < 2:
        fold = _dealt(pairs.same)
    accuracy, eer, area = [], [], []
    for number in np.unique(fold):
        here = fold == number
        threshold = best_threshold(likeness[~here], pairs.same[~here])
        accuracy.append(100 * float(((likeness[here] > threshold) == pairs.same[here]).mean()))
        eer.append(100 * (1 - equal_error(likeness[here], pairs.same[here])))
        area.append(100 * roc_area(likeness[here], pairs.same[here]))
    metrics = {}
    for name, values in (("accuracy", accuracy), ("eer100", eer), ("nauc", area)):
        metrics |= {name: float(np.mean(values)), f"{name}_std": float(np.std(values))}
    metrics |= {"pairs": len(pairs.same), "pictures": len(names), "misses": len(names) - len(found)}
    series = {"same": 1 - likeness[pairs.same], "different": 1 - likeness[~pairs.same]}
    return metrics, curve(series, 2.0, f"1 - likeness; accuracy {metrics['accuracy']:.1f} %")


def _likeness(a: np.ndarray | None, b: np.ndarray | None, mean: np.ndarray) -> float:
    if a is None or b is None:
        return 0.0
    a, b = a - mean, b - mean
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))


def _dealt(same: np.ndarray) -> np.ndarray:
    """(N,) fold numbers, pairs of either answer dealt out in turn."""
    fold = np.zeros(len(same), int)
    for answer in (True, False):
        rows = np.flatnonzero(same == answer)
        fold[rows] = np.arange(len(rows)) % FOLDS
    return fold


def best_threshold(likeness: np.ndarray, same: np.ndarray) -> float:
    """The likeness that parts (N,) pairs with the fewest errors; in the middle between two of them."""
    order = np.argsort(likeness)
    values, answers = likeness[order], same[order]
    right = np.concatenate([[0], np.cumsum(~answers)]) + answers.sum() - np.concatenate([[0], np.cumsum(answers)])
    best = int(np.argmax(right))
    edges = np.concatenate([[values[0] - 1], (values[1:] + values[:-1]) / 2, [values[-1] + 1]])
    return float(edges[best])


def equal_error(likeness: np.ndarray, same: np.ndarray) -> float:
    """Error rate 0..1 where false acceptances and false rejections are equally frequent."""
    thresholds = np.sort(likeness)
    accepted = 1 - np.searchsorted(np.sort(likeness[~same]), thresholds, "left") / max((~same).sum(), 1)
    rejected = np.searchsorted(np.sort(likeness[same]), thresholds, "left") / max(same.sum(), 1)
    k = int(np.argmin(np.abs(accepted - rejected)))
    return float((accepted[k] + rejected[k]) / 2)


def roc_area(likeness: np.ndarray, same: np.ndarray) -> float:
    """Probability that a pair of one person is liker than a pair of two; ties count half."""
    others = np.sort(likeness[~same])
    below = np.searchsorted(others, likeness[same], "left") + np.searchsorted(others, likeness[same], "right")
    return float(below.mean() / (2 * max(len(others), 1)))
