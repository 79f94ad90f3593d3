import cv2
import numpy as np
import pytest

from engines.networks.classes import Region
from realtime.align import STRIP
from realtime.lenses import LEAST_LENS_PX, lenses_of, unbend_points, unbend_strip
from realtime.paste import unbend_frame

CENTRES = np.array([[80.0, 100.0], [176.0, 100.0]])  # crop pixels
RADIUS = 30


def labels() -> np.ndarray:
    """(128, 256) two round lenses with a reflection in one, in rims."""
    drawn = np.full((128, 256), Region.SKIN, np.uint8)
    for x, y in CENTRES.astype(int):
        cv2.circle(drawn, (x, y - 40), RADIUS + 3, int(Region.FRAME), -1)
        cv2.circle(drawn, (x, y - 40), RADIUS, int(Region.CLEAR_LENS), -1)
    cv2.circle(drawn, (180, 55), 5, int(Region.GLARE), -1)
    return drawn


def face() -> np.ndarray:
    """(256, 256, 3) of soft colours."""
    small = np.random.default_rng(4).integers(40, 220, (20, 20, 3), dtype=np.uint8)
    return cv2.resize(small, (256, 256), interpolation=cv2.INTER_CUBIC)


def seen_through(image: np.ndarray, scale: float) -> np.ndarray:
    """The image as lenses of that scale show it."""
    rows, columns = np.mgrid[:256, :256].astype(np.float32)
    out = image.copy()
    for x, y in CENTRES.astype(np.float32):
        across, down = x + (columns - x) * np.float32(scale), y + (rows - y) * np.float32(scale)
        bent = cv2.remap(image, across, down, cv2.INTER_CUBIC)
        inside = (columns - x) ** 2 + (rows - y) ** 2 <= RADIUS**2
        out[inside] = bent[inside]
    return out


def test_lenses_lie_on_either_side_of_the_nose():
    left, right = lenses_of(labels(), 128, 1.1)
    np.testing.assert_allclose([left.centre, right.centre], CENTRES, atol=0.3)
    assert right.weight[55, 180] == 255 and left.weight[:, 128:].max() == 0
    assert (left.weight > 127).sum() == pytest.approx(np.pi * RADIUS**2, rel=0.05)


def test_a_lens_without_power_or_hardly_in_view_is_none():
    assert lenses_of(labels(), 128, 1.004) == ()
    cut = labels()
    cut[:, 128:] = Region.SKIN
    cut[60:64, 150:186] = Region.CLEAR_LENS
    assert 4 * 36 < LEAST_LENS_PX and len(lenses_of(cut, 128, 1.1)) == 1


@pytest.mark.parametrize("scale", [0.95, 1.12])
def test_what_a_lens_bent_lies_straight_again(scale):
    true = face()
    seen = seen_through(true, scale)
    found = lenses_of(labels(), 128, scale)
    inside = np.zeros((128, 256), bool)
    for x, y in CENTRES.astype(int):
        cv2.circle(mask := np.zeros((128, 256), np.uint8), (x, y - 40), RADIUS - 4, 1, -1)
        inside |= mask > 0

    def error(picture):
        return np.abs(picture[STRIP].astype(int) - true[STRIP])[inside].mean()

    straight = seen.copy()
    straight[STRIP] = unbend_strip(seen[STRIP], found)
    assert error(straight) < 1.0 < 4.0 < error(seen)
    outside = np.stack([lens.weight for lens in found]).max(0) == 0
    assert (straight[STRIP][outside] == seen[STRIP][outside]).all()


def test_a_frame_is_unbent_at_its_own_size():
    true = face()
    crop_from_frame = np.array([[0.5, 0, 10.0], [0, 0.5, 5.0]])
    frame_from_crop = cv2.invertAffineTransform(crop_from_frame)
    frame, wanted = (
        cv2.warpAffine(one, frame_from_crop, (480, 480), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        for one in (seen_through(true, 1.1), true)
    )
    before = frame.copy()
    unbend_frame(frame, lenses_of(labels(), 128, 1.1), crop_from_frame)
    x, y = cv2.transform(CENTRES[:1][None], frame_from_crop)[0, 0].astype(int)
    near = (slice(y - 40, y + 40), slice(x - 40, x + 40))
    after, unchanged = (np.abs(one[near].astype(int) - wanted[near]).mean() for one in (frame, before))
    assert after < 2 < unchanged
    assert (frame[:60] == before[:60]).all()


def test_points_behind_a_lens_move_away_from_its_centre_and_others_stay():
    found = lenses_of(labels(), 128, 1.1)
    moved = unbend_points(np.array([[90.0, 100.0], [128.0, 100.0], [-5.0, 300.0]]), found)
    np.testing.assert_allclose(moved, [[91.0, 100.0], [128.0, 100.0], [-5.0, 300.0]], atol=0.05)


def test_a_mask_moves_with_what_it_covers():
    mask = np.zeros((128, 256), np.uint8)
    mask[58:62, 98:102] = 255  # a glint 20 px from the left lens's centre
    mask[90:, :] = 255
    out = unbend_strip(mask, lenses_of(labels(), 128, 1.2))
    assert np.nonzero(out[60, :128] > 127)[0].mean() == pytest.approx(80 + 1.2 * 19.5, abs=0.6)
    assert (out[95:, :] == 255).all()
