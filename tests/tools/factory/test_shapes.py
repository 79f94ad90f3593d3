"""Outlines and parts of eyeglasses."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tools.factory.outlines import FAMILIES, curve, sample_outline
from tools.factory.parts import ellipsoid, fan, mirrored, rounded_section, tube


@pytest.mark.parametrize("family", FAMILIES)
def test_outlines_have_their_boxed_size_and_equal_steps(family):
    for seed in range(5):
        outline = sample_outline(family, np.random.default_rng(seed))
        points = curve(outline)
        assert np.ptp(points, axis=0) == pytest.approx([outline.width_mm, outline.height_mm], rel=0.03)
        steps = np.linalg.norm(np.diff(np.vstack([points, points[:1]]), axis=0), axis=1)
        assert steps.max() < 1.25 * np.median(steps)
        area = 0.5 * np.sum(points[:, 0] * np.roll(points[:, 1], -1) - points[:, 1] * np.roll(points[:, 0], -1))
        assert 0.6 < area / (outline.width_mm * outline.height_mm) < 1.0  # counter-clockwise, not crossing itself


def test_outlines_of_a_family_differ():
    widths = {curve(sample_outline("round", np.random.default_rng(s)))[0, 0] for s in range(10)}
    assert len(widths) == 10


@pytest.mark.parametrize("side", ["as built", "mirrored"])
def test_parts_are_closed_and_wind_outward(side):
    path = np.stack([np.linspace(0, 10, 7), np.sin(np.linspace(0, 2, 7)), np.zeros(7)], 1)
    meshes = [
        tube(path, np.full((7, 2), 0.5), rounded_section(8), 0, np.array([0.0, 1, 0])),
        ellipsoid(np.array([1.0, 2, 3]), np.diag([2.0, 1, 1]), 0, 12, 9),
    ]
    for mesh in meshes:
        mesh = mirrored(mesh) if side == "mirrored" else mesh
        a, b, c = (mesh.vertices[mesh.triangles[:, k]] for k in range(3))
        assert np.einsum("ij,ij->", a, np.cross(b, c)) > 0
    edges = Counter(
        tuple(sorted((int(t[i]), int(t[(i + 1) % 3])))) for t in meshes[0].triangles for i in range(3)
    )
    assert set(edges.values()) == {2}


def test_a_lens_fills_its_outline():
    outline = curve(sample_outline("cat_eye", np.random.default_rng(0)))
    lens = fan(outline, np.zeros(2), 4, 6)
    a, b, c = (lens.vertices[lens.triangles[:, k]] for k in range(3))
    areas = np.cross(b - a, c - a)[:, 2] / 2
    polygon = 0.5 * np.sum(outline[:, 0] * np.roll(outline[:, 1], -1) - outline[:, 1] * np.roll(outline[:, 0], -1))
    assert (areas > 0).all() and areas.sum() == pytest.approx(polygon, rel=1e-6)
