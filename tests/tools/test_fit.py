"""The landmark fit on faces whose coefficients are known, and on hand-marked photographs where they are at hand."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from realtime.face.blendshapes import expression_bounds
from realtime.face.coefficients import COUNT, SLICES, rotation_matrix
from realtime.face.model import load_face_model
from tools.fit import fit_landmarks, landmark_error

HELEN = Path(__file__).parents[3] / "shared" / "data" / "faces" / "helen_landmarks68.npz"


def random_face(rng: np.random.Generator, yaw_degrees: float) -> np.ndarray:
    y = np.zeros(COUNT, np.float32)
    y[SLICES["identity"]] = rng.standard_normal(80)
    y[SLICES["expression"]] = rng.uniform(0, 1, 64) * (rng.random(64) < 0.1)
    y[SLICES["pose"]] = [rng.normal(0, 0.12), np.radians(yaw_degrees), rng.normal(0, 0.2), 1.2, 128, 110]
    return y


@pytest.mark.parametrize("yaw", [0, 25, -50])
def test_known_faces_come_back(yaw: float) -> None:
    model, rng = load_face_model("live"), np.random.default_rng(abs(yaw))
    low, high = expression_bounds()
    distances, turns = [], []
    for _ in range(12):
        truth = random_face(rng, yaw)
        points = model.landmarks_of(truth)
        found = fit_landmarks(model, points)
        distances.append(np.linalg.norm(model.landmarks_of(found) - points, axis=1).mean())
        between = rotation_matrix(*truth[233:236]).T @ rotation_matrix(*found[233:236])
        turns.append(np.degrees(np.arccos(np.clip((np.trace(between) - 1) / 2, -1, 1))))
        expression = found[SLICES["expression"]]
        assert found.dtype == np.float32 and np.all(expression >= low - 1e-6) and np.all(expression <= high + 1e-6)
    assert max(distances) < 1.3 and np.mean(distances) < 1.0  # px, the eyes are 108 px apart
    assert np.mean(turns) < 2.0


def test_points_without_weight_do_not_matter() -> None:
    model, rng = load_face_model("live"), np.random.default_rng(5)
    truth = random_face(rng, 10)
    points = model.landmarks_of(truth)
    weights = np.ones(68)
    weights[[60, 64, 20]] = 0
    spoiled = points.copy()
    spoiled[[60, 64, 20]] = np.nan
    np.testing.assert_allclose(fit_landmarks(model, points, weights), fit_landmarks(model, spoiled, weights), atol=1e-5)


def test_a_wild_point_pulls_little() -> None:
    model, rng = load_face_model("live"), np.random.default_rng(6)
    truth = random_face(rng, 0)
    points = model.landmarks_of(truth)
    wild = points.copy()
    wild[33] += 40
    moved = np.linalg.norm(model.landmarks_of(fit_landmarks(model, wild)) - points, axis=1)
    assert np.delete(moved, 33).mean() < 2.0


@pytest.mark.parametrize("points", [np.zeros((68, 2)), np.full((68, 2), np.nan)])
def test_hopeless_points_are_refused(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="at least 8"):
        fit_landmarks(load_face_model("live"), points)


def test_one_fit_is_quick() -> None:
    model = load_face_model("live")
    points = model.landmarks_of(random_face(np.random.default_rng(0), 0))
    fit_landmarks(model, points)
    start = time.thread_time()
    for _ in range(10):
        fit_landmarks(model, points)
    assert (time.thread_time() - start) / 10 < 0.05  # about 8 ms on a quiet core


@pytest.mark.skipif(not HELEN.is_file(), reason=f"no hand-marked photographs at {HELEN}")
def test_hand_marked_photographs_are_fitted_closely() -> None:
    model = load_face_model("live")
    points = np.load(HELEN)["points"][::20]
    errors = [landmark_error(model, fit_landmarks(model, p), p) for p in points]
    assert np.mean(errors) < 0.03
