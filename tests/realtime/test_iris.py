"""Irises drawn at known places."""

import time

import cv2
import numpy as np
import pytest

from realtime.eye_picture import HEIGHT, PX_PER_MM, WIDTH, eye_picture
from realtime.iris import find_iris

MIDDLE = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])


def eye(x: float, y: float, *, opening: float = 1.0, iris: int = 60, skin: int = 170, noise: float = 2.0) -> np.ndarray:
    """(HEIGHT, WIDTH) uint8: skin, an almond of white, a disc with a pupil and a glint, drawn eight times finer."""
    fine = 8
    picture = np.full((HEIGHT * fine, WIDTH * fine), skin, np.uint8)
    centre = ((MIDDLE + 0.5) * fine).astype(int)
    white = np.zeros_like(picture)
    middle, axes = tuple(int(v) for v in centre), (16 * fine, max(int(8 * opening * fine), 1))
    cv2.ellipse(white, middle, axes, 0, 0, 360, 255, -1)
    inside = np.full_like(picture, 225)
    at = (round((x + 0.5) * fine), round((y + 0.5) * fine))
    cv2.circle(inside, at, int(6.7 * fine), iris, -1)
    cv2.circle(inside, at, int(2.5 * fine), 15, -1)
    cv2.circle(inside, (at[0] - 2 * fine, at[1] - 2 * fine), fine, 255, -1)
    picture = np.where(white > 0, inside, picture).astype(np.uint8)
    cv2.ellipse(picture, middle, axes, 0, 180, 360, 40, fine)
    small = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.clip(small + np.random.default_rng(0).normal(0, noise, small.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("iris", [40, 120])
@pytest.mark.parametrize("across", [-6.0, -2.3, 0.0, 3.4, 6.0])
@pytest.mark.parametrize("down", [-1.5, 0.0, 1.7])
def test_the_centre_is_found_to_a_fraction_of_a_pixel(iris, across, down):
    found = find_iris(eye(MIDDLE[0] + across, MIDDLE[1] + down, iris=iris))
    assert abs(found.x - MIDDLE[0] - across) < 0.6 and abs(found.y - MIDDLE[1] - down) < 0.8


def test_steps_of_a_third_of_a_pixel_are_told_apart():
    xs = [find_iris(eye(MIDDLE[0] + k / 3, MIDDLE[1])).x for k in range(-9, 10)]
    slope = np.polyfit(np.arange(-9, 10) / 3, xs, 1)[0]
    assert slope == pytest.approx(1, abs=0.1)
    assert np.std(np.array(xs) - np.polyval(np.polyfit(range(19), xs, 1), range(19))) < 0.2


def test_strength_falls_with_the_opening_and_not_with_the_light():
    strengths = [find_iris(eye(*MIDDLE, opening=o)).strength for o in (1.0, 0.6, 0.3, 0.05)]
    assert strengths == sorted(strengths, reverse=True) and strengths[3] < 0.2 * strengths[0]
    dim = find_iris((eye(*MIDDLE) * 0.4).astype(np.uint8)).strength
    assert dim == pytest.approx(strengths[0], rel=0.15)


def test_the_eye_is_cut_out_upright_and_to_scale():
    crop = np.full((128, 256), 170, np.uint8)
    cv2.circle(crop, (100, 60), 14, 30, -1)
    for roll in (0.0, 0.4):
        picture, eye_from_crop = eye_picture(crop, np.array([96.0, 60.0]), 2 * PX_PER_MM, roll)
        found = find_iris(picture)
        there = eye_from_crop[:, :2] @ (100, 60) + eye_from_crop[:, 2]
        assert (found.x, found.y) == pytest.approx(tuple(there), abs=0.5)
        assert np.hypot(*(there - MIDDLE)) == pytest.approx(2.0)  # 4 px of a crop twice as fine


def test_it_is_cheap():
    picture = eye(*MIDDLE)
    find_iris(picture)
    start = time.process_time()
    for _ in range(200):
        find_iris(picture)
    assert (time.process_time() - start) / 200 < 0.001
