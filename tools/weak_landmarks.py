"""python -m tools.weak_landmarks: 68 points of photographs that nobody marked, by dlib's predictor, for training only.

The predictor learnt from iBUG 300-W and is for research use; `MODELS.md` says so of all that learns from its points. It
is asked for many jittered boxes of a face and of its mirror image: the mean is steadier than any one answer.
Needs the packages dlib (or dlib-bin) and the model file that `face_recognition_models` installs; neither is ours.

Writes an npz: names "set/file", points (N, 68, 2) float32 pixels, score (N,) of the face detector, spread (N,): mean
distance of the answers from their mean over the distance of the outer eye corners.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from realtime.align import MIRROR
from tools.photos import Photographs

SETS = ("celeba", "aaf", "utkface", "gan")
JITTERS = 8
LEAST_SCORE = -0.2
Answer = tuple[str, np.ndarray, float, float]


@cache
def _dlib(predictor: Path) -> tuple[Any, Any, Any]:
    import dlib

    return dlib, dlib.get_frontal_face_detector(), dlib.shape_predictor(str(predictor))


@cache
def _photographs(data: Path) -> Photographs:
    return Photographs(data)


def mark(data: Path, predictor: Path, name: str) -> Answer | None:
    """The points of a photograph's largest face, or None where no face is found."""
    dlib, detector, predict = _dlib(predictor)
    image = _photographs(data).read(name)
    boxes, scores, _ = detector.run(image, 0 if min(image.shape[:2]) >= 240 else 1, LEAST_SCORE)
    if not boxes:
        return None
    best = max(range(len(boxes)), key=lambda k: boxes[k].area())
    mirrored = np.ascontiguousarray(image[:, ::-1])
    rng = np.random.default_rng(0)
    answers = []
    for _ in range(JITTERS):
        box = _jittered(boxes[best], rng)
        answers.append(_points(predict(image, dlib.rectangle(*box))))
        turned = dlib.rectangle(image.shape[1] - box[2], box[1], image.shape[1] - box[0], box[3])
        flipped = _points(predict(mirrored, turned))
        answers.append(((image.shape[1] - 1, 0) + flipped * (-1, 1))[MIRROR])
    mean = np.median(answers, axis=0)
    apart = max(float(np.linalg.norm(mean[36] - mean[45])), 1.0)
    spread = float(np.linalg.norm(answers - mean, axis=2).mean() / apart)
    return name, mean.astype(np.float32), float(scores[best]), spread


def _jittered(box: Any, rng: np.random.Generator) -> tuple[int, int, int, int]:
    half = box.width() / 2 * np.exp(rng.normal(0, 0.04))
    shift = rng.normal(0, 0.02, 2) * box.width()
    x, y = (box.left() + box.right()) / 2 + shift[0], (box.top() + box.bottom()) / 2 + shift[1]
    return round(x - half), round(y - half), round(x + half), round(y + half)


def _points(shape: Any) -> np.ndarray:
    return np.array([(part.x, part.y) for part in shape.parts()], np.float64)


def marked(data: Path, predictor: Path, names: Sequence[str], workers: int) -> Iterator[Answer]:
    """The answers for all photographs that show a face."""
    with ProcessPoolExecutor(workers) as pool:
        found = pool.map(partial(mark, data, predictor), names, chunksize=32)
        yield from (answer for answer in tqdm(found, total=len(names), unit="picture") if answer is not None)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.weak_landmarks", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder above faces/")
    parser.add_argument("--predictor", type=Path, required=True, help="shape_predictor_68_face_landmarks.dat")
    parser.add_argument("--out", type=Path, required=True, help="npz to write")
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args(arguments)
    photos = _photographs(chosen.data)
    names = [photo.name for name in chosen.sets for photo in photos.of_set(name)]
    answers = list(marked(chosen.data, chosen.predictor, names, chosen.workers))
    if not answers:
        print(f"no face in {', '.join(chosen.sets)} of {chosen.data}", file=sys.stderr)
        return 1
    columns = dict(zip(("names", "points", "score", "spread"), map(np.array, zip(*answers, strict=True)), strict=True))
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(chosen.out, **columns)
    print(f"{chosen.out}: {len(answers)} of {len(names)} photographs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
