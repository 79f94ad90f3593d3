"""Pictures with known faces for the detector: photographs pasted at all scales and turns onto faceless backgrounds.

A canvas is (S, S, 3) uint8 RGB with boxes (F, 4) float32 pixels x0, y0, x1, y1 around the 68 points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from realtime.align import box_of, transform_points
from realtime.tracking import overlap
from tools.augment import Sensor, photometric, recolour
from tools.drawn_glasses import draw_glasses
from tools.photos import Annotation, Photograph, Photographs

PHOTO_SIDE = 256  # photographs are kept at most this large
REACH = 2.6  # side of what is kept around a face, over the longer side of its box


@dataclass(frozen=True)
class Scene:
    """How canvases are made. Sizes are the longer sides of boxes, over the canvas's side."""

    side: int = 256
    smallest: float = 0.06
    largest: float = 1.0
    bare: float = 0.12  # canvases without a face
    whole: float = 0.2  # canvases filled by one photograph
    glasses: float = 0.35
    most_faces: int = 7


@dataclass(frozen=True)
class Portraits:
    """images (N, 256, 256, 3) uint8, zero beyond sizes (N, 2) width, height; points (N, 68, 2) pixels."""

    images: np.ndarray
    sizes: np.ndarray
    points: np.ndarray


def portraits(
    photos: Photographs, chosen: Sequence[Photograph], labels: Mapping[str, Annotation], pictures: Path
) -> Portraits:
    """Decode once into a memory-mapped file: the face with its surroundings, but not its neighbours' faces."""
    table = pictures.with_suffix(".npz")
    names = np.array([photo.name for photo in chosen])
    if not (table.exists() and pictures.exists() and np.array_equal(np.load(table)["names"], names)):
        pictures.parent.mkdir(parents=True, exist_ok=True)
        images = np.lib.format.open_memmap(pictures, "w+", np.uint8, (len(chosen), PHOTO_SIDE, PHOTO_SIDE, 3))
        sizes, points = np.empty((len(chosen), 2), np.int32), np.empty((len(chosen), 68, 2), np.float32)
        for i, photo in enumerate(chosen):
            part, points[i] = surroundings(photos.read(photo), labels[photo.name].points)
            sizes[i] = part.shape[1], part.shape[0]
            images[i, : part.shape[0], : part.shape[1]] = part
        images.flush()
        np.savez(table, names=names, sizes=sizes, points=points)
    saved = np.load(table)
    return Portraits(np.load(pictures, mmap_mode="r"), saved["sizes"], saved["points"])


def surroundings(image: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of a photograph within REACH of its face, at most 256 pixels wide, and the points in it."""
    box = box_of(points)
    centre, half = (box[:2] + box[2:]) / 2, max(box[2] - box[0], box[3] - box[1]) * REACH / 2
    low = np.maximum(np.floor(centre - half), 0).astype(int)
    high = np.minimum(np.ceil(centre + half) + 1, [image.shape[1], image.shape[0]]).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    scale = min(1.0, PHOTO_SIDE / max(part.shape[:2]))
    size = max(1, int(part.shape[1] * scale)), max(1, int(part.shape[0] * scale))
    ratio = np.array(size) / [part.shape[1], part.shape[0]]
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA), ((points - low + 0.5) * ratio - 0.5).astype(np.float32)


class Composer:
    """Makes canvases out of portraits and backgrounds."""

    def __init__(self, faces: Portraits, backgrounds: Sequence[np.ndarray], scene: Scene | None = None):
        self.faces, self.backgrounds, self.scene = faces, backgrounds, scene or Scene()

    def canvas(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A canvas and its boxes."""
        kind = rng.random()
        if kind < self.scene.bare:
            image, boxes = self._background(rng), np.zeros((0, 4), np.float32)
        elif kind < self.scene.bare + self.scene.whole:
            image, boxes = self._whole(rng)
        else:
            image, boxes = self._pasted(rng)
        return photometric(image, rng, Sensor(noise=0.25, jpeg=0.25, side_light=0.08)), boxes

    def _background(self, rng: np.random.Generator) -> np.ndarray:
        side = self.scene.side
        if rng.random() < 0.06:
            return np.ascontiguousarray(np.broadcast_to(rng.integers(0, 256, 3, np.uint8), (side, side, 3)))
        picture = self.backgrounds[int(rng.integers(len(self.backgrounds)))]
        height, width = picture.shape[:2]
        part = max(8, int(min(height, width) * rng.uniform(0.3, 1.0)))
        top, left = int(rng.integers(0, height - part + 1)), int(rng.integers(0, width - part + 1))
        square = cv2.resize(picture[top : top + part, left : left + part], (side, side), interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(square[:, ::-1]) if rng.random() < 0.5 else square

    def _portrait(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        i = int(rng.integers(len(self.faces.points)))
        width, height = self.faces.sizes[i]
        image, points = np.ascontiguousarray(self.faces.images[i, :height, :width]), self.faces.points[i]
        if rng.random() < self.scene.glasses:
            image = draw_glasses(image, points, rng, dark=0.5)
        if rng.random() < 0.5:
            image, points = np.ascontiguousarray(image[:, ::-1]), (width - 1 - points[:, :1], points[:, 1:])
            points = np.concatenate(points, axis=1)
        return image, points

    def _whole(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A photograph that fills the canvas, its border repeated where it does not reach."""
        side = self.scene.side
        image, points = self._portrait(rng)
        scale = side / min(image.shape[:2]) * rng.uniform(0.75, 1.3)
        middle = np.array([image.shape[1], image.shape[0]]) / 2 + rng.normal(0, 0.06, 2) * min(image.shape[:2])
        matrix = placed(middle, np.array([side, side]) / 2, scale, turn(rng))
        boxes = box_of(transform_points(matrix, points))[None]
        filled = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return filled, visible(boxes, side)

    def _pasted(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Several faces with some of their surroundings, the largest first, none over another's box."""
        side, scene = self.scene.side, self.scene
        canvas, boxes = self._background(rng), np.zeros((0, 4), np.float32)
        count = int(rng.integers(1, scene.most_faces + 1))
        # every canvas has its own largest size, else one large face would leave no room for small ones
        largest = np.exp(rng.uniform(np.log(scene.smallest * 2), np.log(scene.largest)))
        wanted = np.exp(rng.uniform(np.log(scene.smallest), np.log(largest), count)) * side
        for size in sorted(wanted, reverse=True):
            image, points = self._portrait(rng)
            face = box_of(points)
            scale = float(size / max(face[2] - face[0], face[3] - face[1]))
            slack = max(side - size, 0.0) / 2 + 0.12 * size
            matrix = placed(points.mean(0), side / 2 + rng.uniform(-slack, slack, 2), scale, turn(rng))
            box = box_of(transform_points(matrix, points))
            grown = grow(box, 0.35)
            if len(boxes) and overlap(grown[None], np.stack([grow(b, 0.1) for b in boxes])).max() > 0.0:
                continue
            paste(canvas, image, points, matrix, rng)
            boxes = np.concatenate([boxes, box[None]])
        return canvas, visible(boxes, side)


def paste(
    canvas: np.ndarray, image: np.ndarray, points: np.ndarray, matrix: np.ndarray, rng: np.random.Generator
) -> None:
    """Lay a portrait onto the canvas: an ellipse or a rectangle around the face, its edge hard or feathered."""
    height, width = image.shape[:2]
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.6:
        image = cv2.GaussianBlur(image, (0, 0), 0.45 / scale)
    mask = np.zeros((height, width), np.uint8)
    face = box_of(points)
    centre, half = (face[:2] + face[2:]) / 2, (face[2:] - face[:2]) / 2 * rng.uniform(1.1, 2.2, 2)
    middle, axes = (int(centre[0]), int(centre[1] - 0.15 * half[1])), (int(half[0]), int(half[1] * 1.15))
    if rng.random() < 0.6:
        cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1)
    else:
        corner = (middle[0] - axes[0], middle[1] - axes[1])
        cv2.rectangle(mask, corner, (middle[0] + axes[0], middle[1] + axes[1]), 255, -1)
    if rng.random() < 0.6:
        mask = cv2.blur(mask, (int(rng.integers(3, 25)),) * 2)
    if rng.random() < 0.5:
        image = recolour(image, rng)
    size = canvas.shape[1], canvas.shape[0]
    laid = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_LINEAR)
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    if rows.size == 0:
        return
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    share = alpha[part][..., None] * np.float32(1 / 255)
    canvas[part] = (laid[part] * share + canvas[part] * (1 - share)).astype(np.uint8)


def turn(rng: np.random.Generator) -> float:
    """An in-plane turn in radians, mostly small, to 35 degrees."""
    return float(np.radians(np.clip(rng.normal(0, 12), -35, 35) if rng.random() < 0.7 else rng.uniform(-35, 35)))


def placed(source: np.ndarray, target: np.ndarray, scale: float, angle: float) -> np.ndarray:
    """(2, 3) target_from_source: scaled and turned (radians) about `source`, which lands on `target`."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.hstack([linear, (np.asarray(target) - linear @ np.asarray(source))[:, None]])


def grow(box: np.ndarray, share: float) -> np.ndarray:
    """A box larger by `share` of its size on every side."""
    margin = (box[2:] - box[:2]) * share
    return np.concatenate([box[:2] - margin, box[2:] + margin])


def visible(boxes: np.ndarray, side: int, least: float = 0.55) -> np.ndarray:
    """The boxes of which at least this share of the area lies within the canvas, clipped to it."""
    clipped = np.clip(boxes, 0, side - 1)
    area, left = (np.prod(b[:, 2:] - b[:, :2], axis=1) for b in (boxes, clipped))
    return clipped[left >= least * np.maximum(area, 1e-6)].astype(np.float32)
