"""python -m tools.own_landmarks: weak 68-point labels made better by what our own N_L says of the same photographs.

A weak label (`tools.weak_landmarks`) and the mean of our network's many looks err in different ways: their mean is
nearer the truth than either, and where they disagree widely the label is not to be trusted at all. For self-training.

Reads and writes the npz of `tools.weak_landmarks`; `score` becomes negative where the two lie apart by more than LIMIT
of the outer eye corners' distance, so that trainings leave the photograph out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from realtime.align import LANDMARK_CROP_SIZE, MIRROR, box_of, invert, landmark_crop_from_box, roll_of, transform_points
from realtime.detection import Runnable
from realtime.planes import planes
from realtime.stages.landmarks import warp_small
from tools.evaluate.chain import network
from tools.photos import Photographs

LOOKS = 4  # and as many at the mirror image
LIMIT = 0.12
OURS = 0.6  # weight of our own answer in the mean


def looked(net: Runnable, image: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(68, 2) median of the network's answers about crops around the given points, and about their mirror images."""
    right = image.shape[1] - 1
    mirrored = np.ascontiguousarray(image[:, ::-1])
    box, roll = box_of(points), roll_of(points)
    answers = []
    for _ in range(LOOKS):
        shift, turn = rng.normal(0, 0.03, 4) * (box[2] - box[0]), rng.normal(0, 0.06)
        seen = box + shift.astype(np.float32)
        other = np.array([right - seen[2], seen[1], right - seen[0], seen[3]], np.float32)
        for picture, place, angle in ((image, seen, roll + turn), (mirrored, other, -roll - turn)):
            matrix = landmark_crop_from_box(place, angle)
            found = net.run({"crop": planes(warp_small(picture, matrix, LANDMARK_CROP_SIZE))})["points"]
            answers.append(transform_points(invert(matrix), np.array(found, np.float32).reshape(68, 2)))
    answers[1::2] = [(p * (-1, 1) + (right, 0))[MIRROR] for p in answers[1::2]]
    return np.median(answers, axis=0)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.own_landmarks", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder above faces/")
    parser.add_argument("--points", type=Path, required=True, help="npz of tools.weak_landmarks")
    parser.add_argument("--out", type=Path, required=True, help="npz to write")
    parser.add_argument("--quality", default="auto", choices=["auto", "light", "full"])
    parser.add_argument("--provider", default="auto")
    chosen = parser.parse_args(arguments)
    photos, net = Photographs(chosen.data), network("landmarks", chosen.quality, chosen.provider)
    with np.load(chosen.points) as arrays:
        columns = {name: arrays[name] for name in arrays.files}
    apart = np.zeros(len(columns["names"]))
    points = columns["points"].copy()
    for k, name in enumerate(tqdm(columns["names"].tolist(), unit="picture", disable=None)):
        weak = columns["points"][k]
        ours = looked(net, photos.read(name), weak, np.random.default_rng(k))
        apart[k] = np.linalg.norm(ours - weak, axis=1).mean() / max(float(np.linalg.norm(weak[36] - weak[45])), 1.0)
        points[k] = OURS * ours + (1 - OURS) * weak
    score = np.where(apart > LIMIT, -1.0, columns["score"])
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(chosen.out, **{**columns, "points": points.astype(np.float32), "score": score})
    print(f"{chosen.out}: {int((apart <= LIMIT).sum())} of {len(apart)} kept; {100 * np.median(apart):.2f} % apart")
    return 0


if __name__ == "__main__":
    sys.exit(main())
