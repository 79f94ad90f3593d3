"""Taking the light off a known face, and components of observations with gaps and outliers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra `train`")

from realtime.face.camera import project, rotate_normals
from realtime.face.coefficients import COUNT, SLICES, pose
from realtime.face.light import directional, shade
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel, load_face_model
from realtime.face.regions import FACE_SKIN, FaceRegion
from shaders.software import rasterise
from tools.face_build.robust_pca import robust_components
from tools.face_build.sampled_skin import estimate_light, sample_skin, without_light


def lit_face(model: FaceModel, light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A 256x256 picture of the mean face under `light`, and its 68 points."""
    y = np.zeros(COUNT, np.float32)
    y[SLICES["pose"]] = [0, 0.2, 0, 1.1, 128, 110]
    vertices = model.vertices(y)
    normals = rotate_normals(vertex_normals(vertices, model.triangles), pose(y))
    colours = np.clip(model.albedo_mean * shade(normals, light)[:, None], 0, 1)
    _, triangle, weights = rasterise(project(vertices, pose(y)), model.triangles, (256, 256), cull=True)
    picture = np.full((256, 256, 3), 90, np.uint8)
    hit = triangle >= 0
    picture[hit] = np.round((colours[model.triangles[triangle[hit]]] * weights[hit][..., None]).sum(1) * 255)
    return picture, model.landmarks_of(y)


def test_the_light_comes_off_a_known_face() -> None:
    model = load_face_model("live")
    skin = np.flatnonzero(np.isin(model.regions, FACE_SKIN))
    plain = np.isin(model.regions[skin], (FaceRegion.SKIN, FaceRegion.NOSE))
    picture, points = lit_face(model, directional(np.array([0.6, 0.4, 0.7]), 0.7, 0.45))
    sample = sample_skin(model, skin, picture, points, np.ones(68))
    assert sample is not None
    albedo, weights = without_light(sample, estimate_light(sample, model.albedo_mean[skin], plain))
    seen = weights > 0.3
    tone = np.median(albedo[seen] / model.albedo_mean[skin][seen])
    error = np.abs(albedo[seen] / tone - model.albedo_mean[skin][seen]).mean()
    before = sample.colours[seen] / np.median(sample.colours[seen] / model.albedo_mean[skin][seen])
    assert error < 0.04
    assert error < 0.5 * np.abs(before - model.albedo_mean[skin][seen]).mean()


def test_a_face_that_does_not_fit_is_left_out() -> None:
    model = load_face_model("live")
    points = np.random.default_rng(0).uniform(0, 255, (68, 2))
    assert sample_skin(model, np.arange(10), np.zeros((256, 256, 3), np.uint8), points, np.ones(68)) is None


def test_components_survive_gaps_and_outliers() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 0.1, (3, 150))
    rows = (0.5 + rng.standard_normal((200, 3)) @ truth).astype(np.float32)
    weights = (rng.random((200, 50)) > 0.15).astype(np.float32)
    spoilt = rows.copy()
    spoilt[:20, :30] = 0.0  # like dark glasses in a tenth of the pictures
    mean, components, oddness = robust_components(spoilt, weights, 3)
    assert np.abs(mean - 0.5).mean() < 0.03
    basis = np.linalg.qr(components.T)[0]
    lost = truth.T - basis @ (basis.T @ truth.T)
    assert np.linalg.norm(lost) < 0.25 * np.linalg.norm(truth)
    assert np.median(oddness[:20]) > 1.5 * np.median(oddness[20:])
