"""python -m tools.identity_labels: whose face a photograph shows, as dlib's recogniser describes it, for training only.

The recogniser (ResNet, 99.4 % on LFW) is in the public domain (CC0): `tools.train` distils it into our own G, and
tells the regressor with it which faces must get like shapes. Needs the packages dlib (or dlib-bin) and the model file
that `face_recognition_models` installs; neither is ours.

Writes an npz: names "set/file", features (N, 128) float16, of unit length.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tools.photos import Photographs, annotations

Answer = tuple[str, np.ndarray]


@cache
def _dlib(recogniser: Path) -> tuple[Any, Any]:
    import dlib

    return dlib, dlib.face_recognition_model_v1(str(recogniser))


@cache
def _photographs(data: Path) -> Photographs:
    return Photographs(data)


def describe(data: Path, recogniser: Path, marked: tuple[str, np.ndarray]) -> Answer:
    """(128,) unit vector of the face whose 68 points are given."""
    name, points = marked
    dlib, embed = _dlib(recogniser)
    corners = dlib.points([dlib.point(round(float(x)), round(float(y))) for x, y in points])
    (left, top), (right, bottom) = points.min(0).round().astype(int), points.max(0).round().astype(int)
    shape = dlib.full_object_detection(dlib.rectangle(int(left), int(top), int(right), int(bottom)), corners)
    said = np.array(embed.compute_face_descriptor(_photographs(data).read(name), shape), np.float32)
    return name, (said / np.linalg.norm(said)).astype(np.float16)


def described(data: Path, recogniser: Path, points: Mapping[str, np.ndarray], workers: int) -> Iterator[Answer]:
    """The answers for all marked photographs."""
    with ProcessPoolExecutor(workers) as pool:
        found = pool.map(partial(describe, data, recogniser), points.items(), chunksize=32)
        yield from tqdm(found, total=len(points), unit="picture", disable=None)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.identity_labels", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder above faces/")
    parser.add_argument("--recogniser", type=Path, required=True, help="dlib_face_recognition_resnet_model_v1.dat")
    parser.add_argument("--points", type=Path, nargs="+", required=True, help="npz files with 68-point labels")
    parser.add_argument("--out", type=Path, required=True, help="npz to write")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args(arguments)
    points = {name: label.points for name, label in annotations(chosen.data, chosen.points).items()}
    answers = list(described(chosen.data, chosen.recogniser, points, chosen.workers))
    if not answers:
        print(f"no marked photograph in {', '.join(map(str, chosen.points))}", file=sys.stderr)
        return 1
    columns = dict(zip(("names", "features"), map(np.array, zip(*answers, strict=True)), strict=True))
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(chosen.out, **columns)
    print(f"{chosen.out}: {len(answers)} photographs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
