"""Augmentation: deterministic by seed, same shape and type, and drawn glasses sit on the eyes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tools.photographs import drawn_face
from tools import augment
from tools.drawn_glasses import draw_glasses

EFFECTS = ("photometric", "recolour", "side_light", "blur", "shrink", "noise", "cover")


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("shape", [(128, 128, 3), (97, 64, 3)])
def test_same_kind_of_picture_and_same_by_seed(name: str, shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    before = image.copy()
    effect = getattr(augment, name)
    for seed in range(8):
        first, again = (effect(image, np.random.default_rng(seed)) for _ in range(2))
        assert first.shape == shape and first.dtype == np.uint8
        assert np.array_equal(first, again)
    assert np.array_equal(image, before), "the input is left alone"


def test_drawn_glasses_change_the_eyes_and_leave_the_mouth() -> None:
    image, points = drawn_face(200, np.random.default_rng(3))
    changed_eyes = changed_mouth = 0.0
    for seed in range(20):
        worn = draw_glasses(image, points, np.random.default_rng(seed), dark=1.0)
        change = np.abs(worn.astype(int) - image).max(-1)
        (x0, y0), (x1, y1) = points[36:48].min(0).astype(int), points[36:48].max(0).astype(int)
        changed_eyes += (change[y0:y1, x0:x1] > 10).mean() / 20
        (x0, y0), (x1, y1) = points[48:].min(0).astype(int), points[48:].max(0).astype(int)
        changed_mouth += (change[y0:y1, x0:x1] > 10).mean() / 20
    assert changed_eyes > 0.5
    assert changed_mouth < 0.02
