"""Photographs with what a recogniser said of whose faces they show (`tools.identity_labels`), as training crops."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from realtime.align import CROP_SIZE, crop_from_landmarks, transform_points, warp
from tools.face_crops import face_crops
from tools.photos import Photographs, annotations
from tools.train.augment import after, jitter_similarity

log = logging.getLogger(__name__)
HALF = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25]])  # from the 256 crop to the network's 128
SIDE = CROP_SIZE // 2


class IdentityLabels:
    """Features (128,) float32 by the photograph's name "set/file", of unit length about the mean of all people: their
    cosine is near zero for two people.
    """

    def __init__(self, file: Path):
        with np.load(file) as arrays:
            names, features = arrays["names"], arrays["features"].astype(np.float32)
        features = features - features.mean(0)
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        self.by_name = dict(zip(names.tolist(), features, strict=True))

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def __getitem__(self, name: str) -> np.ndarray:
        return self.by_name[name]


class People:
    """Crops (128, 128, 3) uint8 RGB of the photographs of one split that have both points and features."""

    def __init__(self, data: Path, points: tuple[Path, ...], labels: IdentityLabels, split: str, cache: Path):
        photos, known = Photographs(data), annotations(data, points)
        sets = ("helen", "aaf", "celeba", "utkface", "gan")
        chosen = [p for name in sets for p in photos.of_set(name, split) if p.name in known and p.name in labels]
        if not chosen:
            raise FileNotFoundError(f"no photograph of the split {split} has both points (--points) and features")
        self.faces = face_crops(photos, chosen, known, cache, f"people-{split}")
        self.features = np.stack([labels[photo.name] for photo in chosen])

    def __len__(self) -> int:
        return len(self.features)

    def crop(self, index: int, rng: np.random.Generator | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Crop (128, 128, 3), and its points (68, 2) in pixels of the 256 crop. rng: jitters the alignment."""
        points = self.faces.points[index]
        aligned = crop_from_landmarks(points)
        if rng is not None:
            aligned = after(jitter_similarity(rng, 0.05, 0.07, 5.0), aligned)
        crop = warp(np.asarray(self.faces.images[index]), after(HALF, aligned), (SIDE, SIDE))
        return crop, transform_points(aligned, points)
