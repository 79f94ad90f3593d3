"""python -m tools.shut_lids: weak 68-point labels whose lids close where our lids' network sees closed eyes.

The predictor behind weak labels leaves the lids apart when eyes are shut, and a network that learns from them does the
same. Where `engines.networks.lids` sees a narrower gap than the label has, the upper lid is drawn down to it;
photographs with dark glasses are left alone. Reads and writes the npz of `tools.weak_landmarks`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from realtime.align import STRIP, aligned_crop, crop_from_landmarks, transform_points
from realtime.detection import Runnable
from realtime.eye_picture import eye_picture
from realtime.frame import Glasses
from realtime.planes import planes
from realtime.stages.drive import gap_between
from tools.evaluate.chain import network
from tools.photos import Photographs
from tools.train.lids import EYES, MM_APART, gap_of

NARROW = 0.18  # gap over the eye's width below which the network is believed
LIDS = ((1, 5), (2, 4))  # upper and lower points of an eye's outline


def gaps_in(lids: Runnable, crop: np.ndarray, points: np.ndarray) -> tuple[float, float]:
    """Gaps of the left and the right eye in an aligned crop (256, 256, 3) uint8 with its points (68, 2)."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    across = points[45] - points[36]
    scale, roll = float(np.linalg.norm(across)) / MM_APART, -float(np.arctan2(across[1], across[0]))
    left, right = (gap_between(lids, eye_picture(grey, points[eye][[0, 3]].mean(0), scale, roll)[0]) for eye in EYES)
    return left, right


def shut(outline: np.ndarray, gap: float) -> np.ndarray:
    """(6, 2) points of an eye -> the same with the upper lid drawn down so far that the gap is `gap` of the width."""
    share = gap / max(gap_of(outline), 1e-3)
    closed = outline.copy()
    for upper, lower in LIDS:
        closed[upper] = outline[lower] + share * (outline[upper] - outline[lower])
    return closed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.shut_lids", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder above faces/")
    parser.add_argument("--points", type=Path, required=True, help="npz of tools.weak_landmarks or tools.own_landmarks")
    parser.add_argument("--out", type=Path, required=True, help="npz to write")
    parser.add_argument("--quality", default="auto", choices=["auto", "light", "full"])
    parser.add_argument("--provider", default="auto")
    chosen = parser.parse_args(arguments)
    photos = Photographs(chosen.data)
    lids, deleter = (network(name, chosen.quality, chosen.provider) for name in ("lids", "deleter"))
    with np.load(chosen.points) as arrays:
        columns = {name: arrays[name] for name in arrays.files}
    moved = 0
    for k, name in enumerate(tqdm(columns["names"].tolist(), unit="picture", disable=None)):
        points = columns["points"][k]
        matrix = crop_from_landmarks(points)
        crop = aligned_crop(photos.read(name), matrix)
        gaps = gaps_in(lids, crop, transform_points(matrix, points))
        narrower = [g < NARROW and g < gap_of(points[eye]) for g, eye in zip(gaps, EYES, strict=True)]
        if not any(narrower) or deleter.run({"strip": planes(crop[STRIP])})["kind"].argmax() == Glasses.DARK:
            continue
        for gap, eye, yes in zip(gaps, EYES, narrower, strict=True):
            if yes:
                points[eye] = shut(points[eye], max(gap, 0.0))
                moved += 1
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(chosen.out, **columns)
    print(f"{chosen.out}: {moved} of {2 * len(columns['names'])} eyes closed further")
    return 0


if __name__ == "__main__":
    sys.exit(main())
