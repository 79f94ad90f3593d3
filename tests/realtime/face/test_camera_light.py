"""Projection and light against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.face.camera import project
from realtime.face.coefficients import Pose
from realtime.face.light import AMBIENT, dimmed, directional, shade
from realtime.face.mesh import vertex_normals


def test_projection_is_equation_7() -> None:
    points = np.array([[10, 0, 0], [0, 10, 0], [0, 0, 10]], np.float32)
    seen = project(points, Pose(0, 0, 0, 2, 100, 50))
    np.testing.assert_allclose(seen, [[120, 50, 0], [100, 30, 0], [100, 50, 20]], atol=1e-5)


@pytest.mark.parametrize("pose, axis, sign", [
    (Pose(0.3, 0, 0, 1, 0, 0), 1, 1),  # looks down: the nose sinks in the image
    (Pose(0, 0.3, 0, 1, 0, 0), 0, 1),  # turns to the subject's left: the image's right
])  # fmt: skip
def test_positive_angles(pose: Pose, axis: int, sign: int) -> None:
    nose = project(np.array([[0, 0, 100]], np.float32), pose)[0]
    assert nose[axis] * sign > 20


def test_even_light_shows_the_albedo() -> None:
    normals = np.random.default_rng(0).standard_normal((50, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    np.testing.assert_allclose(shade(normals, AMBIENT), 1, atol=1e-5)


def test_a_lamp_shades_like_lambert_within_the_band_limit() -> None:
    angles = np.linspace(0, np.pi, 60)
    normals = np.c_[np.sin(angles), np.zeros(60), np.cos(angles)]
    shaded = shade(normals, directional(np.array([0, 0, 1.0]), 1.0, 0.0))
    np.testing.assert_allclose(shaded, np.maximum(np.cos(angles), 0), atol=0.1)


def test_normals_of_a_tetrahedron_point_away_from_its_middle() -> None:
    vertices = np.array([[1, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]], np.float32)
    triangles = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    np.testing.assert_allclose(vertex_normals(vertices, triangles), vertices / np.sqrt(3), atol=1e-5)


def test_a_strong_light_is_dimmed_so_that_clay_stays_grey_and_a_weak_one_is_left():
    facing = np.array([[0, 0, 1]], np.float32)
    strong = directional(np.array([0, 0.3, 1]), 1.4, 0.6)
    assert shade(facing, strong)[0] > 1.5 and shade(facing, dimmed(strong))[0] == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(dimmed(0.5 * AMBIENT), 0.5 * AMBIENT)
