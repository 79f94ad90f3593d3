"""Protocol `scans` on scans made from the face model itself, and the geometry under it."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("scipy")

from realtime.face.coefficients import COUNT, SLICES, rotation_matrix
from realtime.face.model import FaceModel, load_face_model
from realtime.face.regions import FACE_SKIN
from tools.evaluate.scans import distances, figures, heat_map, mean_head, read_scan, scans_in
from tools.evaluate.surface import Surface, closest_on_triangles, similarity3, transformed


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_face_model("live")


@pytest.fixture(scope="module")
def person() -> np.ndarray:
    coefficients = np.zeros(COUNT, np.float32)
    coefficients[SLICES["identity"]] = np.random.default_rng(3).standard_normal(80)
    coefficients[SLICES["pose"]] = [0, 0, 0, 1, 0, 0]
    return coefficients


@pytest.fixture
def folder(tmp_path: Path, model: FaceModel, person: np.ndarray) -> Path:
    """The person's face, turned, shifted and 3 % larger, as points between the vertices, with one ear of clutter."""
    rng = np.random.default_rng(0)
    vertices = model.vertices(person).astype(np.float64)
    skin = np.isin(model.regions, FACE_SKIN)
    triangles = model.triangles[skin[model.triangles].all(1)]
    chosen = triangles[rng.integers(len(triangles), size=6000)]
    weights = rng.dirichlet(np.ones(3), 6000)
    points = (vertices[chosen] * weights[..., None]).sum(1)
    moved = np.hstack([1.03 * rotation_matrix(0.1, -0.2, 0.05), [[10.0], [-20], [30]]])
    np.save(tmp_path / "points.npy", transformed(moved, points).astype(np.float32))
    cv2.imwrite(str(tmp_path / "photo.jpg"), np.full((64, 48, 3), 128, np.uint8))
    marks = transformed(moved, vertices[model.landmark_vertices(person)])
    with (tmp_path / "landmarks3d.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["index68", "x", "y", "z"])
        rows.writerows([[k, *marks[k]] for k in (30, 36, 39, 42, 45, 48, 54, 8)])
    return tmp_path


def test_the_person_fits_her_own_scan(folder: Path, model: FaceModel, person: np.ndarray) -> None:
    scan = scans_in(folder)[0]
    own, near = distances(scan, person, model)
    assert own.mean() < 0.02 and len(own) == near.sum()
    other = figures(distances(scan, mean_head(person), model)[0])
    assert 0.5 < other["mean_mm"] < 5 and other["median_mm"] <= other["p90_mm"]
    picture = heat_map(scan, own, near)
    red, blue = picture[..., 0] > 128, picture[..., 2] > 100
    assert blue.sum() > 2000 and red.sum() == 0


def test_a_known_bump_is_measured(folder: Path, model: FaceModel, person: np.ndarray) -> None:
    scan = read_scan(folder)
    tip = scan.landmarks[30]
    bumped = scan.points.copy()
    near_chin = np.linalg.norm(bumped - scan.landmarks[8], axis=1) < 15
    bumped[near_chin, 2] += 8
    np.save(folder / "points.npy", bumped)
    errors, _ = distances(read_scan(folder), person, model)
    inside = near_chin[np.linalg.norm(bumped - tip, axis=1) < 95]
    assert 3 < errors[inside].mean() < 9 and errors[~inside].mean() < 0.6


def test_what_is_missing_is_named(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(FileNotFoundError, match="no scans"):
        scans_in(tmp_path_factory.mktemp("empty"))
    (folder / "photo.jpg").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"photo.jpg"):
        read_scan(folder)


def test_nearest_points_of_triangles() -> None:
    corners = np.array([[[0.0, 0, 0], [2, 0, 0], [0, 2, 0]]] * 3)
    points = np.array([[0.5, 0.5, 1], [3, -1, 0], [2, 2, 5]])
    assert np.allclose(closest_on_triangles(points, corners), [[0.5, 0.5, 0], [2, 0, 0], [1, 1, 0]])
    vertices = np.array([[0.0, 0, 0], [2, 0, 0], [0, 2, 0], [2, 2, 0]])
    _, gap = Surface(vertices, np.array([[0, 1, 2], [1, 3, 2]])).closest(points)
    assert np.allclose(gap, [1, np.sqrt(2), 5])


def test_similarity_is_recovered() -> None:
    points = np.random.default_rng(1).normal(size=(20, 3))
    true = np.hstack([1.7 * rotation_matrix(0.3, 0.5, -0.2), [[1.0], [2], [3]]])
    assert np.allclose(similarity3(points, transformed(true, points)), true)
