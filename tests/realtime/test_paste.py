import numpy as np
import pytest

from realtime.align import STRIP_TOP, aligned_crop, crop_from_landmarks
from realtime.paste import blend, divide, lift_shadow, paste_strip, region_of
from tests.realtime.stages.conftest import landmarks_at, picture_of


def test_blend_is_exact_for_every_weight():
    values = np.arange(256, dtype=np.uint8)
    target = np.repeat(values[:, None, None], 256, 1).repeat(3, 2).copy()
    source = np.full_like(target, 77)
    weight = np.repeat(values[None], 256, 0)
    share = weight[..., None].astype(int)
    wanted = (target.astype(int) * (255 - share) + 77 * share + 127) // 255
    blend(target, source, weight)
    np.testing.assert_array_equal(target, wanted)


def test_divide_restores_a_shaded_surface_and_stops_at_the_floor():
    ratio = np.array([[1.0, 0.8, 0.5, 0.1]], np.float32)[..., None].repeat(3, 2)
    shaded = (np.full((1, 4, 3), 100) * ratio).astype(np.uint8)
    divide(shaded, ratio, 0.25)
    assert shaded[0, :, 0].tolist() == [100, 100, 100, 40]


def test_divide_takes_away_the_light_that_a_lens_adds():
    shining = np.array([[[150, 120, 90], [100, 100, 100]]], np.uint8)
    divide(shining, np.array([[[1.5, 1.5, 0.9], [1.0, 1.0, 1.0]]], np.float32), 0.25)
    assert shining[0].tolist() == [[100, 80, 100], [100, 100, 100]], "each colour by its own ratio"


@pytest.mark.parametrize(
    ("centre", "eyes", "roll"), [((320, 240), 100, 0.0), ((200, 260), 60, 0.4), ((400, 200), 260, -0.3)]
)
def test_pasting_a_crop_back_unchanged_hardly_changes_the_frame(centre, eyes, roll):
    frame = picture_of()
    crop_from_frame = crop_from_landmarks(landmarks_at(centre, eyes, roll))
    crop = aligned_crop(frame.image, crop_from_frame)
    mask = np.zeros((128, 256), np.uint8)
    mask[30:100, 40:200] = 255
    image = frame.image.copy()
    paste_strip(image, crop[STRIP_TOP : STRIP_TOP + 128], mask, STRIP_TOP, crop_from_frame)
    assert np.abs(image.astype(int) - frame.image).max() <= 4


def test_only_masked_pixels_change_and_all_of_them_do():
    frame = picture_of()
    crop_from_frame = crop_from_landmarks(landmarks_at((320, 240), 104))
    mask = np.zeros((128, 256), np.uint8)
    mask[40:60, 100:140] = 255
    image = frame.image.copy()
    paste_strip(image, np.full((128, 256, 3), 255, np.uint8), mask, STRIP_TOP, crop_from_frame)
    changed = (image != frame.image).any(2)
    assert 20 * 40 <= changed.sum() <= 22 * 42
    ys, xs = np.nonzero(image.min(2) == 255)
    left, top = 320 - 127.5 + 100, 240 - 104 + STRIP_TOP + 40  # the crop is not scaled here
    np.testing.assert_allclose([xs.min(), xs.max(), ys.min(), ys.max()], [left, left + 39, top, top + 19], atol=1)


def test_nothing_outside_the_frame_is_touched_or_needed():
    matrix = crop_from_landmarks(landmarks_at((-400, -400), 100))
    image = np.zeros((48, 64, 3), np.uint8)
    mask = np.full((128, 256), 255, np.uint8)
    paste_strip(image, np.full((128, 256, 3), 255, np.uint8), mask, STRIP_TOP, matrix)
    assert image.max() == 0
    assert region_of(np.zeros((128, 256), np.uint8), STRIP_TOP, matrix, image.shape) is None


def test_a_shadow_is_lifted_in_the_frame():
    frame = picture_of()
    crop_from_frame = crop_from_landmarks(landmarks_at((320, 240), 104))
    ratio = np.ones((128, 256, 3), np.float32)
    ratio[40:80, 60:200] = 0.7
    image = np.full_like(frame.image, 140)
    image[240 - 104 + STRIP_TOP + 40 : 240 - 104 + STRIP_TOP + 80, 252 : 253 + 140] = 98
    lift_shadow(image, ratio, STRIP_TOP, crop_from_frame, 0.3)
    middle = image[240 - 104 + STRIP_TOP + 43 : 240 - 104 + STRIP_TOP + 77, 256:389]
    assert np.abs(middle.astype(int) - 140).max() <= 1 and image[0, 0, 0] == 140
