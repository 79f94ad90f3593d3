import cv2
import numpy as np
import pytest

from realtime.monochrome import monochrome_curve, tinted

EVERYWHERE = np.ones((128, 256), bool)


def scene(seed: int = 0) -> np.ndarray:
    """(128, 256, 3) smooth colours."""
    small = np.random.default_rng(seed).integers(0, 256, (8, 16, 3), dtype=np.uint8)
    return cv2.resize(small, (256, 128), interpolation=cv2.INTER_CUBIC)


def sepia(image: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.stack([grey * 0.98, grey * 0.88, grey * 0.7], 2).astype(np.uint8)


def test_a_colour_picture_has_no_curve():
    assert monochrome_curve(scene(), EVERYWHERE) is None


@pytest.mark.parametrize("made", [lambda image: np.repeat(image[..., :1], 3, 2), sepia])
def test_colours_of_a_filling_follow_those_around_it(made):
    picture = made(scene())
    noisy = np.clip(picture + np.random.default_rng(1).normal(0, 1, picture.shape), 0, 255).astype(np.uint8)
    curve = monochrome_curve(noisy, EVERYWHERE)
    assert curve is not None
    true = made(scene(3))
    colourless = np.repeat(cv2.cvtColor(true, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    assert np.abs(tinted(colourless, curve).astype(int) - true).mean() < 1.5


def test_only_known_pixels_are_asked():
    picture = np.repeat(scene()[..., :1], 3, 2)
    known = EVERYWHERE.copy()
    known[40:90] = False
    picture[40:90] = scene()[40:90]
    assert monochrome_curve(picture, known) is not None and monochrome_curve(picture, EVERYWHERE) is None
    assert monochrome_curve(picture, ~EVERYWHERE) is None
