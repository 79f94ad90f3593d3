"""The photographs and their landmark labels: zips of WebP with an index each (`faces/NAME.csv`), split by file.

Pictures are (H, W, 3) uint8 RGB; points are (68, 2) float32 pixels in iBUG order, pixel centres at integers.
A photograph is named "set/file", e.g. "helen/100032540_1.webp".
"""

from __future__ import annotations

import csv
import os
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from realtime.align import similarity, transform_points

SETS = ("helen", "aaf", "celeba", "utkface", "gan", "background")
# The 49 points of the All-Age-Faces labels: no jaw (0..16), no inner mouth corners (60, 64).
POINTS_49 = np.r_[17:60, 61:64, 65:68]


@dataclass(frozen=True, slots=True)
class Photograph:
    """One line of an index. split: "train" or "val"; never train on val."""

    set: str
    file: str
    shard: str
    split: str
    width: int
    height: int

    @property
    def name(self) -> str:
        return f"{self.set}/{self.file}"


@dataclass(frozen=True, slots=True)
class Annotation:
    """points (68, 2) float32, pixels; weight (68,) float32, 1 hand-made .. 0 unknown (then only roughly placed)."""

    points: np.ndarray
    weight: np.ndarray


class Photographs:
    """Reads pictures out of the zips. Handles are per process: safe to hand to a forked data process."""

    def __init__(self, data: Path):
        self.folder = Path(data) / "faces"
        if not self.folder.is_dir():
            raise FileNotFoundError(
                f"no photographs: {self.folder} is not a folder; --data wants the folder above faces/"
            )
        self._zips: dict[tuple[int, str], zipfile.ZipFile] = {}

    @cached_property
    def index(self) -> dict[str, Photograph]:
        """Every photograph by its name."""
        return {photo.name: photo for name in SETS for photo in self.of_set(name)}

    def of_set(self, name: str, split: str | None = None) -> list[Photograph]:
        """The photographs of one set, in the index's order; empty when the set is not there."""
        path = self.folder / f"{name}.csv"
        if not path.exists():
            return []
        with path.open(newline="") as lines:
            rows = [
                Photograph(name, row["file"], row["shard"], row["split"], int(row["width"]), int(row["height"]))
                for row in csv.DictReader(lines)
            ]
        return [photo for photo in rows if split in (None, photo.split)]

    def read(self, photo: Photograph | str) -> np.ndarray:
        """(H, W, 3) uint8 RGB. Raises ValueError naming the file when it cannot be decoded."""
        if isinstance(photo, str):
            photo = self.index[photo]
        key = (os.getpid(), photo.shard)
        if key not in self._zips:
            self._zips[key] = zipfile.ZipFile(self.folder / photo.shard)
        return decode(self._zips[key].read(photo.file), photo.name)


def decode(encoded: bytes | np.ndarray, name: str = "picture") -> np.ndarray:
    """Encoded picture -> (H, W, 3) uint8 RGB. Raises ValueError when it is none."""
    bgr = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError(f"{name}: not a picture that can be decoded")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def hand_annotations(data: Path) -> dict[str, Annotation]:
    """The labels that come with the photographs: Helen's 68 hand-made points, All-Age-Faces' 49 (the rest weight 0)."""
    folder = Path(data) / "faces"
    helen = np.load(folder / "helen_landmarks68.npz")
    found = {f"helen/{n}.webp": Annotation(p, np.ones(68, np.float32)) for n, p in zip(*_arrays(helen), strict=True)}
    mean = mean_shape([label.points for label in found.values()])
    weight = np.zeros(68, np.float32)
    weight[POINTS_49] = 1.0
    aaf = np.load(folder / "aaf_landmarks49.npz")
    for name, points in zip(*_arrays(aaf), strict=True):
        found[f"aaf/{name}.webp"] = Annotation(completed(points, mean), weight)
    return found


def weak_annotations(files: Iterable[Path], weight: float, score: float = 0.0) -> dict[str, Annotation]:
    """68 points by a machine (npz: names "set/file", points, score), those above `score`, all of one weight."""
    found = {}
    for path in files:
        labels = np.load(path)
        for name, points, sure in zip(*_arrays(labels), labels["score"], strict=True):
            if sure >= score:
                found[str(name)] = Annotation(points.astype(np.float32), np.full(68, weight, np.float32))
    return found


def annotations(data: Path, weak_files: Iterable[Path] = (), weak_weight: float = 0.25) -> dict[str, Annotation]:
    """Hand-made labels, weak ones where there are no others; weak jaws fill All-Age-Faces' missing points."""
    hand, weak = hand_annotations(data), weak_annotations(weak_files, weak_weight)
    merged = {**weak, **hand}
    for name in hand.keys() & weak.keys():
        label, guess = hand[name], weak[name]
        known = label.weight > 0
        size = np.ptp(label.points[known], axis=0).max()
        if known.all() or np.linalg.norm(label.points - guess.points, axis=1)[known].mean() > 0.06 * size:
            continue  # nothing to fill, or the two disagree about where the face is
        points = np.where(known[:, None], label.points, guess.points).astype(np.float32)
        merged[name] = Annotation(points, np.where(known, label.weight, guess.weight).astype(np.float32))
    return merged


def mean_shape(shapes: Iterable[np.ndarray]) -> np.ndarray:
    """(68, 2) average of similarity-aligned shapes, in the first one's frame."""
    stack = [np.asarray(shape, np.float64) for shape in shapes]
    mean = stack[0]
    for _ in range(3):
        mean = np.mean([transform_points(similarity(shape, mean), shape) for shape in stack], axis=0)
    return mean


def completed(points_49: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """(49, 2) -> (68, 2) float32: the missing points where the mean shape has them after a similarity."""
    points = transform_points(similarity(mean[POINTS_49], points_49), mean)
    points[POINTS_49] = points_49
    return points


def _arrays(labels: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return labels["names"], labels["points"]
