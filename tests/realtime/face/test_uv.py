"""The atlas: no overlaps on the face's skin, painting into it, unwrapping a picture through it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from realtime.face.camera import project
from realtime.face.coefficients import Pose
from realtime.face.model import load_face_model
from realtime.face.regions import FACE_SKIN, FaceRegion
from realtime.face.uv import Unwrapper, atlas_of, paint_atlas
from shaders.software import rasterise

SIZE = 256


@pytest.mark.parametrize("resolution", ["live", "full"])
def test_the_face_lies_in_the_atlas_without_overlaps(resolution: str) -> None:
    """No skin triangle is turned over, and together they cover their area once."""
    model = load_face_model(resolution)  # type: ignore[arg-type]
    skin = model.triangles[np.isin(model.regions[model.triangles], FACE_SKIN).all(1)]
    a, b, c = (model.uv[skin[:, k]].astype(np.float64) for k in range(3))
    area = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    turned = area * np.sign(np.median(area))
    assert (turned <= 0).mean() < 0.002  # slivers inside nostrils and lids, at the stored precision
    assert turned[turned < 0].sum() > -1e-4
    placed = np.zeros((len(model.uv), 3), np.float32)
    placed[:, :2] = model.uv * 1024 - 0.5
    _, triangle, _ = rasterise(placed, skin, (1024, 1024))
    covered = (triangle >= 0).mean()
    assert abs(turned.sum() - covered) < 0.01 * covered
    assert covered > 0.25


def test_the_atlas_is_a_frontal_picture_mirrored_in_its_middle() -> None:
    model = load_face_model("live")
    marks = model.uv[model.landmarks]
    assert abs(marks[30, 0] - 0.5) < 0.01 and abs(marks[8, 0] - 0.5) < 0.01
    assert marks[36, 0] < 0.5 < marks[45, 0]  # the subject's left is to the right
    assert marks[27, 1] < marks[33, 1] < marks[57, 1] < marks[8, 1]  # v runs down
    np.testing.assert_allclose(marks[36] * [-1, 1] + [1, 0], marks[45], atol=0.01)


def test_painting_shows_vertex_colours() -> None:
    model = load_face_model("live")
    colours = np.zeros_like(model.mean)
    colours[:, 0] = (model.mean[:, 0] > 0).astype(np.float32)
    picture = paint_atlas(model, colours, SIZE)
    cheek = model.uv[model.landmarks[[3, 13]]] * SIZE
    right, left = (picture[int(v), int(u), 0] for u, v in cheek)
    assert right == 0 and left == 255


@pytest.fixture(scope="module")
def unwrapped() -> tuple[np.ndarray, np.ndarray]:
    """A picture whose red and green are its own x and y, unwrapped from a face turned 30 degrees to its left."""
    model = load_face_model("live")
    rows, columns = np.mgrid[:256, :256]
    image = np.stack([columns, rows, np.zeros_like(rows)], -1).astype(np.uint8)
    return Unwrapper(model, SIZE).unwrap(image, project(model.mean, Pose(0, np.radians(30), 0, 1.1, 120, 110)))


def test_unwrapping_looks_the_picture_up_where_the_face_is(unwrapped: tuple[np.ndarray, np.ndarray]) -> None:
    model = load_face_model("live")
    texture, weight = unwrapped
    seen = project(model.mean, Pose(0, np.radians(30), 0, 1.1, 120, 110))
    for mark in (30, 33, 8, 36, 39, 48):
        u, v = model.uv[model.landmarks[mark]]
        row, column = int(v * SIZE), int(u * SIZE)
        np.testing.assert_allclose(texture[row, column, :2], seen[model.landmarks[mark], :2], atol=4)
    assert weight.min() >= 0 and weight.max() <= 1.0001


def test_what_is_turned_away_has_no_weight(unwrapped: tuple[np.ndarray, np.ndarray]) -> None:
    model = load_face_model("live")
    _, weight = unwrapped
    ears = [np.flatnonzero((model.regions == FaceRegion.EAR) & (side * model.mean[:, 0] > 0)) for side in (1, -1)]
    left, right = (weight[tuple((model.uv[ear] * SIZE).astype(int)[:, ::-1].T)].mean() for ear in ears)
    assert left < 0.05 < right


def test_outside_the_picture_there_is_nothing() -> None:
    model = load_face_model("live")
    elsewhere = project(model.mean, Pose(0, 0, 0, 1, 500, 500))
    _, weight = Unwrapper(model, SIZE).unwrap(np.zeros((64, 64, 3), np.uint8), elsewhere)
    assert weight.max() == 0


def test_unwrapping_is_quick() -> None:
    model = load_face_model("live")
    unwrapper, seen = Unwrapper(model, SIZE), project(model.mean, Pose(0, 0, 0, 1, 128, 128))
    image = np.zeros((256, 256, 3), np.uint8)
    unwrapper.unwrap(image, seen)
    times = []
    for _ in range(7):
        start = time.thread_time()
        unwrapper.unwrap(image, seen)
        times.append(time.thread_time() - start)
    assert min(times) < 0.02  # about 2 ms on a quiet core
    assert atlas_of(model, SIZE) is unwrapper.atlas
