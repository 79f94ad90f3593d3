"""Laying one picture over another: a known displacement is found beside a hole, whatever the light."""

import cv2
import numpy as np

from realtime.registration import local_shift


def texture(seed: int = 0) -> np.ndarray:
    """(64, 128) float32 0..255, blotches of some pixels."""
    noise = np.random.default_rng(seed).normal(0, 1, (64, 128)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return 128 + 30 * smooth / smooth.std()


def moved(picture: np.ndarray, right: float, down: float) -> np.ndarray:
    """`seen` of a shift s = (right, down): seen(x) = picture(x + s)."""
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return cv2.warpAffine(picture, matrix, picture.shape[::-1], flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)


def test_a_displacement_is_found_through_a_hole_and_in_another_light() -> None:
    remembered = texture()
    seen = moved(remembered, 0.8, -0.5)
    seen += np.linspace(-25, 25, 128, dtype=np.float32)  # one side lies in the shade now
    weight = np.ones_like(remembered)
    weight[:, :6] = weight[:, -6:] = 0
    seen[24:34], weight[24:34] = 0, 0  # a rim
    shift = np.zeros((32, 64, 2), np.float32)
    for _ in range(4):
        whole = cv2.resize(shift, (128, 64))
        columns, rows = np.meshgrid(np.arange(128, dtype=np.float32), np.arange(64, dtype=np.float32))
        here = cv2.remap(remembered, columns + whole[..., 0], rows + whole[..., 1], cv2.INTER_LINEAR)
        shift += local_shift(here, seen, weight, 6.0)
    middle = shift[4:-4, 8:-8]
    assert np.abs(middle - (0.8, -0.5)).mean() < 0.1
    assert np.abs(shift[12:17, 8:-8] - (0.8, -0.5)).mean() < 0.15  # under the rim too


def test_nothing_known_or_nothing_to_see_moves_nothing() -> None:
    flat, weight = np.full((64, 128), 90, np.float32), np.ones((64, 128), np.float32)
    assert np.abs(local_shift(flat, flat + 20, weight, 6.0)).max() < 1e-3
    assert np.abs(local_shift(texture(1), texture(2), 0 * weight, 6.0)).max() < 1e-3
