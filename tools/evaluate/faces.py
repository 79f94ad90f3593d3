"""Faces to measure on: photographs with landmarks, true ones where they are known, else those of our own networks."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime.align import aligned_crop, crop_from_landmarks, transform_points
from realtime.frame import Frame
from realtime.stages.landmarks import Landmarks
from realtime.stages.locate import DetectionSettings, Locate
from realtime.tracking import Tracker
from tools.evaluate.chain import network
from tools.photos import Photographs, annotations, decode

ENDINGS = (".webp", ".png", ".jpg", ".jpeg", ".bmp")
FACES = 16  # looked for in a picture; the largest counts


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """A picture (H, W, 3) uint8 and the (68, 2) landmarks of its main face."""

    name: str
    image: np.ndarray
    landmarks: np.ndarray


class FaceFinder:
    """(H, W, 3) uint8 picture -> (68, 2) landmarks of its largest face, by detector and landmark network, or None."""

    def __init__(self, quality: str = "auto", provider: str = "auto"):
        self.detector, self.landmarks = (network(name, quality, provider) for name in ("detector", "landmarks"))

    def __call__(self, image: np.ndarray) -> np.ndarray | None:
        tracker = Tracker(limit=FACES)
        frame, faces = Locate(self.detector, tracker, DetectionSettings(stills=True))(Frame(image, 0), ())
        _, faces = Landmarks(self.landmarks, tracker, start=0.3, careful=True)(frame, faces)
        if not faces:
            return None
        return max(faces, key=lambda face: float(np.prod(face.box[2:] - face.box[:2]))).landmarks


def add_face_arguments(parser: argparse.ArgumentParser, sets: tuple[str, ...]) -> None:
    parser.add_argument("--sets", nargs="+", default=list(sets), help="of the photographs, where --data holds faces/")
    parser.add_argument("--split", default="val", help="of the photographs' index")
    parser.add_argument(
        "--points", type=Path, nargs="*", default=[], help="npz files of landmarks (names, points, score)"
    )


def faces_of(options: argparse.Namespace) -> Iterator[LabelledFace]:
    """The faces of `--data`: photographs by set and split, or any folder of pictures; pictures without a face are left
    out. Landmarks: `landmarks68.npz` or the photographs' labels or `--points` where they are known, else our networks.

    Raises FileNotFoundError where there is no picture.
    """
    finder: FaceFinder | None = None
    for name, image, known in _pictures(options):
        if known is None and finder is None:
            finder = FaceFinder(options.quality, options.provider)
        points = finder(image) if known is None and finder is not None else known
        if points is not None:
            yield LabelledFace(name, image, np.asarray(points, np.float32))


def _pictures(options: argparse.Namespace) -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
    if (options.data / "faces").is_dir():
        photos = Photographs(options.data)
        labels = annotations(options.data, options.points)
        for photo in (p for name in options.sets for p in photos.of_set(name, options.split)):
            label = labels.get(photo.name)
            complete = label is not None and bool((label.weight > 0).all())
            yield photo.name, photos.read(photo), label.points if complete and label is not None else None
        return
    known = _points_beside(options.data)
    paths = sorted(path for path in options.data.rglob("*") if path.suffix.lower() in ENDINGS)
    if not paths:
        raise FileNotFoundError(f"no pictures ({', '.join(ENDINGS)}) in {options.data}")
    for path in paths:
        yield str(path.relative_to(options.data)), decode(path.read_bytes(), str(path)), known.get(path.stem)


def _points_beside(folder: Path) -> dict[str, np.ndarray]:
    path = folder / "landmarks68.npz"
    if not path.exists():
        return {}
    listed = np.load(path)
    return {str(name): points for name, points in zip(listed["names"], listed["points"], strict=True)}


def crop_of(image: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The (256, 256, 3) aligned crop, and the (68, 2) points in it."""
    matrix = crop_from_landmarks(landmarks)
    return aligned_crop(image, matrix), transform_points(matrix, landmarks)


def finder_with(options: argparse.Namespace) -> Callable[[str, np.ndarray], np.ndarray | None]:
    """(name, picture) -> landmarks: those of `--points` when it is given, else our networks'."""
    if options.points:
        known = annotations(options.data, options.points)
        return lambda name, image: known[name].points if name in known else None
    finder = FaceFinder(options.quality, options.provider)
    return lambda name, image: finder(image)
