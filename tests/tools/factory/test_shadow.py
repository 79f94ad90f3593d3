"""Shadows of a bar in front of a wall, against geometry."""

from __future__ import annotations

import numpy as np
import pytest

from tools.factory.parts import Mesh, join, rounded_section, tube
from tools.factory.shadow import occlusion

GAP = 20.0


@pytest.fixture(scope="module")
def wall() -> np.ndarray:
    rows, columns = np.mgrid[:100, :120].astype(np.float32)
    return np.stack([columns, -rows, np.zeros_like(rows)], 2)


@pytest.fixture(scope="module")
def bar() -> Mesh:
    """Horizontal, 6 px thick, at row 30, GAP in front of the wall."""
    path = np.stack([np.linspace(20, 100, 9), np.full(9, -30.0), np.full(9, GAP)], 1)
    return tube(path, np.full((9, 2), 3.0), rounded_section(12, 6), 0, np.array([0.0, 1, 0]))


@pytest.mark.parametrize("elevation", [0.0, 30.0, 45.0])
def test_the_shadow_falls_where_geometry_says(wall, bar, elevation):
    light = np.array([0, np.sin(np.radians(elevation)), np.cos(np.radians(elevation))])
    hidden = occlusion(bar, join([]), 0.0, wall, light, 0.02)
    column = hidden[:, 60]
    assert column.max() > 0.9 and hidden[:, 5].max() < 0.05
    middle = (column * np.arange(100)).sum() / column.sum()
    assert abs(middle - (30 + GAP * np.tan(np.radians(elevation)))) < 1.0


def test_a_larger_lamp_makes_a_softer_shadow_of_the_same_amount(wall, bar):
    light = np.array([0.0, 0.0, 1.0])
    hard, soft = (occlusion(bar, join([]), 0.0, wall, light, s)[:, 60] for s in (0.02, 0.2))
    assert soft.max() < 0.8 * hard.max()
    assert abs(soft.sum() - hard.sum()) < 0.15 * hard.sum()


def test_glass_shades_as_much_as_it_keeps_back(wall, bar):
    dark = occlusion(join([]), bar, 0.4, wall, np.array([0.0, 0.0, 1.0]), 0.02)
    assert dark[30, 60] == pytest.approx(0.4, abs=0.03)


def test_what_is_nearer_to_the_lamp_is_not_shaded(wall, bar):
    before = wall + np.array([0, 0, 2 * GAP], np.float32)
    assert occlusion(bar, join([]), 0.0, before, np.array([0.0, 0.0, 1.0]), 0.02).max() < 0.01
