"""A memory-mapped cache of pictures around each face (and of background squares), made once per training folder.

The faces' squares are twice the longer side of the box around the 68 points, 192 pixels wide, so that a training crop
of any jitter and turn is cut out of one small array without decoding a file.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from realtime.align import box_of, transform_points
from tools.photos import Annotation, Photograph, Photographs

log = logging.getLogger(__name__)

SIDE = 192
MARGIN = 2.0  # side of the square over the longer side of the box around the points


@dataclass(frozen=True)
class FaceCrops:
    """images (N, 192, 192, 3) uint8 RGB, memory-mapped; points (N, 68, 2) and weight (N, 68) float32; set (N,) str."""

    images: np.ndarray
    points: np.ndarray
    weight: np.ndarray
    set: np.ndarray


def face_crops(
    photos: Photographs, chosen: Sequence[Photograph], labels: Mapping[str, Annotation], folder: Path, stem: str
) -> FaceCrops:
    """Open the cache `folder`/`stem`.npy, making it first when it is not there or holds other pictures."""
    pictures, table = folder / f"{stem}.npy", folder / f"{stem}.npz"
    names = np.array([photo.name for photo in chosen])
    if not (pictures.exists() and table.exists() and np.array_equal(np.load(table)["names"], names)):
        folder.mkdir(parents=True, exist_ok=True)
        log.info("caching %d faces in %s", len(chosen), pictures)
        partial = folder / f"{stem}.partial.npy"
        images = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(chosen), SIDE, SIDE, 3))
        points = np.empty((len(chosen), 68, 2), np.float32)
        for i, photo in enumerate(chosen):
            crop_from_photo = square(box_of(labels[photo.name].points))
            images[i] = shrunk(photos.read(photo), crop_from_photo)
            points[i] = transform_points(crop_from_photo, labels[photo.name].points)
        images.flush()
        os.replace(partial, pictures)
        weight = np.stack([labels[name].weight for name in names])
        np.savez(table, names=names, points=points, weight=weight, set=np.array([photo.set for photo in chosen]))
    saved = np.load(table)
    return FaceCrops(np.load(pictures, mmap_mode="r"), saved["points"], saved["weight"], saved["set"])


def background_squares(photos: Photographs, split: str, each: int, rng: np.random.Generator) -> np.ndarray:
    """(M, 192, 192, 3) uint8: `each` random squares out of every faceless picture of a split."""
    squares = []
    for photo in photos.of_set("background", split):
        image = photos.read(photo)
        height, width = image.shape[:2]
        for _ in range(each):
            side = int(min(height, width) * rng.uniform(0.35, 1.0))
            top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
            squares.append(
                cv2.resize(image[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            )
    return np.stack(squares)


def square(box: np.ndarray) -> np.ndarray:
    """(2, 3) crop_from_photo of the cached square around a (4,) box."""
    side = max(float(box[2] - box[0]), float(box[3] - box[1]), 1.0) * MARGIN
    scale = SIDE / side
    centre = (box[:2] + box[2:]) / 2
    middle = (SIDE - 1) / 2
    return np.array([[scale, 0, middle - scale * centre[0]], [0, scale, middle - scale * centre[1]]], np.float64)


def shrunk(image: np.ndarray, crop_from_photo: np.ndarray) -> np.ndarray:
    """(192, 192, 3) crop, averaged first where the photograph has more pixels than the crop can show."""
    scale = crop_from_photo[0, 0]
    if scale < 0.6:
        image = cv2.GaussianBlur(image, (0, 0), 0.45 / scale)
    return cv2.warpAffine(image, crop_from_photo, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
