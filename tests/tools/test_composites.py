"""Composites for the detector: boxes where the faces are, inside the canvas, the same by seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from realtime.align import box_of, transform_points
from realtime.tracking import overlap
from tests.tools.photographs import drawn_face, write_photographs
from tools.composites import Composer, Portraits, Scene, placed, portraits, surroundings, visible
from tools.photos import Photographs, annotations


def composer(tmp_path: Path, **scene: float) -> Composer:
    write_photographs(tmp_path, count=8)
    photos = Photographs(tmp_path)
    chosen = photos.of_set("helen", "train")
    faces = portraits(photos, chosen, annotations(tmp_path), tmp_path / "cache" / "faces.npy")
    return Composer(faces, [photos.read(photo) for photo in photos.of_set("background")], Scene(**scene))  # type: ignore[arg-type]


def test_canvases_are_reproducible_and_their_boxes_lie_inside(tmp_path: Path) -> None:
    maker = composer(tmp_path)
    sizes = []
    for seed in range(60):
        image, boxes = maker.canvas(np.random.default_rng(seed))
        again, same = maker.canvas(np.random.default_rng(seed))
        assert image.shape == (256, 256, 3) and image.dtype == np.uint8
        assert np.array_equal(image, again) and np.array_equal(boxes, same)
        assert (boxes >= 0).all() and (boxes <= 255).all() and (boxes[:, 2:] > boxes[:, :2]).all()
        if len(boxes) > 1:
            shared = overlap(boxes, boxes)
            np.fill_diagonal(shared, 0)
            assert shared.max() < 0.05, "no face hides another"
        sizes += list((boxes[:, 2:] - boxes[:, :2]).max(1))
    assert min(sizes) < 40 and max(sizes) > 150


def test_a_box_holds_the_face(tmp_path: Path) -> None:
    """On flat grey all that differs is the pasted face: it fills its box."""
    maker = composer(tmp_path, bare=0.0, whole=0.0, glasses=0.0)
    maker.backgrounds = [np.full((64, 64, 3), 128, np.uint8)]
    for seed in range(10):
        canvas, boxes = maker._pasted(np.random.default_rng(seed))
        laid = np.abs(canvas.astype(int) - 128).max(-1) > 6
        for x0, y0, x1, y1 in boxes.astype(int):
            assert laid[y0:y1, x0:x1].mean() > 0.6


def test_the_cache_is_used_again(tmp_path: Path) -> None:
    maker = composer(tmp_path)
    photos = Photographs(tmp_path)
    again = portraits(photos, photos.of_set("helen", "train"), annotations(tmp_path), tmp_path / "cache" / "faces.npy")
    assert isinstance(again, Portraits) and np.array_equal(again.points, maker.faces.points)


def test_surroundings_keep_the_points_on_the_face() -> None:
    image, points = drawn_face(600, np.random.default_rng(0))
    part, moved = surroundings(image, points)
    assert max(part.shape) <= 256
    eye, moved_eye = (np.round(p[36:42].mean(0)).astype(int) for p in (points, moved))
    assert np.abs(part[moved_eye[1], moved_eye[0]].astype(int) - image[eye[1], eye[0]]).max() < 40


def test_placing_and_visibility() -> None:
    matrix = placed(np.array([10.0, 20.0]), np.array([100.0, 50.0]), 2.0, np.radians(90))
    assert np.allclose(transform_points(matrix, np.array([[10.0, 20.0], [11.0, 20.0]])), [[100, 50], [100, 52]])
    boxes = np.array([[-40.0, 0, 40, 80], [-60, 0, 20, 80], [10, 10, 20, 20]])
    assert np.allclose(visible(boxes, 256, least=0.4), [[0, 0, 40, 80], [10, 10, 20, 20]])
    assert np.allclose(box_of(np.array([[1.0, 5], [3, 2]])), [1, 2, 3, 5])
