"""Which photographs the factory may use, and one of them ready to wear glasses: aligned crop, points, fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from realtime.align import MIRROR, aligned_crop, crop_from_landmarks, invert, transform_points
from realtime.face.coefficients import pose
from realtime.face.model import FaceModel
from tools.factory.cleanliness import looks_bare
from tools.fit import FitOptions, fit_landmarks
from tools.photos import Annotation, Photographs, annotations

SETS = ("celeba", "aaf", "utkface", "gan", "helen")
SHARES = {"celeba": 1.0, "aaf": 1.0, "utkface": 0.8, "gan": 2.5, "helen": 2.5}  # per photograph: sharp ones more often
LOW_SCORE = 0.25  # a machine's points below this score are often misplaced
WORST_YAW = np.radians(48)  # beyond, a machine's points are mostly wrong
WORST_FIT = 0.065  # mean distance of fitted from given points, over the outer eye corners
FIT = FitOptions(steps=5)  # within 0.1 degrees of nine steps, in half the time
MOST_PADDING = 0.35  # share of the strip that may lie outside the photograph


@dataclass(frozen=True)
class Subject:
    """crop (256, 256, 3) uint8; points (68, 2) and coefficients (239,) in its pixels; weights (68,)."""

    name: str
    crop: np.ndarray
    points: np.ndarray
    weight: np.ndarray
    coefficients: np.ndarray


class Subjects:
    """Draws photographs without eyeglasses from some sets of one split."""

    def __init__(
        self, data: Path, split: str, sets: Sequence[str] = SETS, points: Sequence[Path] = (),
        exclude: Path | None = None,
    ):  # fmt: skip
        self.photographs = Photographs(data)
        banned = set(exclude.read_text().split()) if exclude else set()
        self.guess = exclude is None  # a list of who wears glasses is better than the guess
        labels = annotations(data, points, 0.5)
        scores = _low_scores(points)
        self.annotations: dict[str, Annotation] = {}
        shares = []
        for name in sets:
            for photo in self.photographs.of_set(name, split):
                if photo.name in labels and photo.name not in banned and photo.name not in scores:
                    self.annotations[photo.name] = labels[photo.name]
                    shares.append(SHARES.get(name, 1.0))
        if not shares:
            raise ValueError(f"no photographs with points in {', '.join(sets)} ({split}): give --points")
        self.names = list(self.annotations)
        self.cumulative = np.cumsum(shares) / np.sum(shares)

    @cached_property
    def backgrounds(self) -> list[str]:
        """Names of pictures without people."""
        return [photo.name for photo in self.photographs.of_set("background")]

    def background(self, rng: np.random.Generator) -> np.ndarray:
        """A random picture without people, (H, W, 3) uint8."""
        return self.photographs.read(self.backgrounds[int(rng.integers(len(self.backgrounds)))])

    def draw(self, model: FaceModel, rng: np.random.Generator) -> Subject:
        """A random subject; photographs that seem to wear glasses, or that the model cannot fit, are passed over."""
        for _ in range(60):
            name = self.names[int(np.searchsorted(self.cumulative, rng.random()))]
            subject = self.prepare(model, name, bool(rng.random() < 0.5))
            if subject is not None:
                return subject
        raise ValueError("sixty photographs in a row are unusable: are these the right points for these pictures?")

    def prepare(self, model: FaceModel, name: str, mirror: bool = False) -> Subject | None:
        """One photograph aligned and fitted; None when it should not be used."""
        photo, label = self.photographs.read(name), self.annotations[name]
        points, weight = label.points, label.weight
        if mirror:
            photo = np.ascontiguousarray(photo[:, ::-1])
            points = (points * (-1, 1) + (photo.shape[1] - 1, 0))[MIRROR].astype(np.float32)
            weight = weight[MIRROR]
        crop_from_photo = crop_from_landmarks(points)
        if _padding(photo.shape, crop_from_photo) > MOST_PADDING:
            return None
        crop = aligned_crop(photo, crop_from_photo)
        if self.guess and not looks_bare(crop):
            return None
        in_crop = transform_points(crop_from_photo, points)
        coefficients = fit_landmarks(model, in_crop, weight, FIT)
        error = np.linalg.norm(model.landmarks_of(coefficients) - in_crop, axis=1) @ weight / weight.sum()
        if abs(pose(coefficients).yaw) > WORST_YAW or not error < WORST_FIT * np.linalg.norm(in_crop[36] - in_crop[45]):
            return None
        return Subject(name, crop, in_crop, weight, coefficients)


def _padding(shape: tuple[int, ...], crop_from_photo: np.ndarray) -> float:
    """Share of the crop's periocular strip that the photograph does not cover."""
    corners = np.array([[0.0, 40], [255, 40], [255, 168], [0, 168]])
    strip = transform_points(invert(crop_from_photo), corners)
    whole = np.array([[0, 0], [shape[1], 0], [shape[1], shape[0]], [0, shape[0]]], np.float32)
    inside, _ = cv2.intersectConvexConvex(strip, whole)
    return 1 - inside / max(cv2.contourArea(strip), 1.0)


def _low_scores(points: Sequence[Path]) -> set[str]:
    found: set[str] = set()
    for path in points:
        labels = np.load(path)
        found |= {str(name) for name, score in zip(labels["names"], labels["score"], strict=True) if score < LOW_SCORE}
    return found
