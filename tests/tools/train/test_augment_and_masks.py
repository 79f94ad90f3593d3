import cv2
import numpy as np
import pytest

from engines.networks.classes import Region
from realtime.align import STRIP_TOP, transform_points
from realtime.landmark_map import landmark_map
from tests.tools.train.hand_made import points
from tools.train.augment import FLIPPED, after, jitter_similarity, relight, sense
from tools.train.masks import deleted_mask, drawn_glasses, grown, jittered


def test_flip_swaps_left_and_right_classes():
    assert FLIPPED[Region.L_EYE] == Region.R_EYE and FLIPPED[Region.R_BROW] == Region.L_BROW
    np.testing.assert_array_equal(FLIPPED[FLIPPED], np.arange(256))


def test_after_composes_in_order():
    rng = np.random.default_rng(1)
    first, second = jitter_similarity(rng), jitter_similarity(rng)
    np.testing.assert_allclose(
        transform_points(after(second, first), points()),
        transform_points(second, transform_points(first, points())),
        atol=1e-3,
    )


def test_light_and_sensor_keep_the_shape_and_are_seeded():
    image = np.random.default_rng(0).integers(0, 255, (128, 256, 3), dtype=np.uint8)
    for seed in range(12):
        one, two = (sense(relight(image, r), r) for r in (np.random.default_rng(seed), np.random.default_rng(seed)))
        assert one.shape == image.shape and one.dtype == np.uint8
        np.testing.assert_array_equal(one, two)


def test_deleted_is_frame_dark_lens_and_glare():
    labels = np.arange(15, dtype=np.uint8)[None]
    assert np.flatnonzero(deleted_mask(labels)[0]).tolist() == [11, 13, 14]


@pytest.mark.parametrize("dark", [False, True])
def test_drawn_glasses_leave_or_cover_the_eyes(dark):
    eyes = points()[[36, 39, 42, 45]].reshape(2, 2, 2).mean(1)
    for seed in range(20):
        mask = drawn_glasses(points(), np.random.default_rng(seed), dark)
        share = (mask > 0).mean()
        assert (0.04 if dark else 0.008) < share < 0.3
        if dark:
            assert all(mask[round(y), round(x)] for x, y in eyes)
        again = jittered(mask.copy(), np.random.default_rng(seed))
        assert (again >= mask).all()


def test_grown_by_a_disc():
    mask = np.zeros((21, 21), np.uint8)
    mask[10, 10] = 255
    assert (grown(mask, 3) > 0)[10].sum() == 7 and (grown(mask, 0) == mask).all()


def test_landmark_map_lies_under_the_points():
    drawing = landmark_map(points())
    assert drawing.shape == (128, 256) and drawing.dtype == np.float32 and 0 <= drawing.min() and drawing.max() <= 1
    for x, y in points()[36:48]:
        near = drawing[round(float(y)) - STRIP_TOP - 1 :][:3, round(float(x)) - 1 :][:, :3]
        assert near.max() > 0.5
    half = landmark_map(points() + np.array([0.5, 0.0]))
    assert cv2.absdiff(half, drawing).max() > 0.2  # sub-pixel motion is seen
    assert landmark_map(points() + 5000).max() == 0
