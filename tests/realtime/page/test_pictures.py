import cv2
import numpy as np
import pytest

from realtime.page.pictures import decode, encode, jpeg_size
from realtime.page.wire import WireError
from tests.realtime.stages.conftest import picture_of


def test_a_picture_survives_within_jpegs_error():
    picture = picture_of(size=(320, 240)).image
    jpeg = encode(picture)
    assert jpeg_size(jpeg) == (320, 240)
    back = decode(memoryview(jpeg))
    assert back.shape == (240, 320, 3) and np.abs(back.astype(int) - picture).mean() < 2


def claiming(jpeg: bytes, width: int, height: int) -> bytes:
    """The same JPEG with another size in its header."""
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + jpeg[at + 9 :]


SMALL = encode(np.zeros((96, 128, 3), np.uint8))
PROGRESSIVE = cv2.imencode(".jpg", np.zeros((96, 128, 3), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
PNG = cv2.imencode(".png", np.zeros((96, 128, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("jpeg", "says"),
    [
        (b"", "no JPEG"),
        (b"\xff\xd8", "no JPEG"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "without a size"),
        (PNG, "no JPEG"),
        (SMALL[:60], "without a size"),
        (b"\xff\xd8" + b"\xff" * 5000, "without a size"),
        (claiming(SMALL, 60000, 60000), "60000x60000"),
        (claiming(SMALL, 1921, 1080), "1921x1080"),
        (claiming(SMALL, 0, 96), "0x96"),
        (encode(np.zeros((32, 128, 3), np.uint8)), "128x32"),
        (PROGRESSIVE, "progressive"),
        (SMALL[:2] + SMALL[-300:-2], "no|without|cannot"),
    ],
)
def test_what_cannot_be_worked_on_is_refused_before_it_is_decoded(jpeg, says):
    with pytest.raises(WireError, match=says):
        decode(jpeg)


def test_random_damage_never_raises_anything_else():
    rng = np.random.default_rng(0)
    jpeg = np.frombuffer(encode(picture_of(size=(128, 96)).image), np.uint8)
    for _ in range(300):
        damaged = jpeg.copy()
        damaged[rng.integers(2, len(jpeg), 6)] = rng.integers(0, 256, 6)
        try:
            assert decode(damaged[: rng.integers(4, len(jpeg))].tobytes()).ndim == 3
        except WireError:
            pass
