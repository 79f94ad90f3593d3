import numpy as np
import pytest

from realtime.detection import detect, detect_at_scales, sides_for
from tests.realtime.stages.conftest import ScriptedNetwork


def finds_the_white_square(inputs):
    """An exact detector: the box of the white pixels of its input."""
    image = inputs["image"]
    assert image.dtype == np.float32 and image.shape[2] % 32 == 0 and image.shape[3] % 32 == 0
    ys, xs = np.nonzero(image[0, 0] > 0.9)
    box = [xs.min(), ys.min(), xs.max(), ys.max()]
    boxes = np.array([[box, [0, 0, 5, 5], np.add(box, 1)]], np.float32)
    return {"boxes": boxes, "scores": np.array([[0.9, 0.1, 0.8]], np.float32)}


@pytest.mark.parametrize(("size", "side"), [((640, 480), 320), ((1280, 720), 320), ((100, 75), 320), ((333, 500), 640)])
def test_boxes_come_back_in_frame_pixels(size, side):
    image = np.zeros((size[1], size[0], 3), np.uint8)
    x0, y0, x1, y1 = (int(v) for v in np.array([0.25, 0.25, 0.75, 0.75]) * (*size, *size))
    image[y0 : y1 + 1, x0 : x1 + 1] = 255
    boxes, scores = detect(ScriptedNetwork(finds_the_white_square), image, side, 0.5)
    assert len(boxes) == 1 and scores[0] == pytest.approx(0.9)
    np.testing.assert_allclose(boxes[0], [x0, y0, x1, y1], atol=1.5 * max(1, max(size) / side))


def test_one_face_seen_at_two_scales_is_one_face():
    image = np.zeros((480, 640, 3), np.uint8)
    image[100:300, 200:400] = 255
    assert len(detect_at_scales(ScriptedNetwork(finds_the_white_square), image, (320, 640), 0.5)[0]) == 1


@pytest.mark.parametrize(
    ("shape", "smallest", "sides"),
    [((480, 640), 40, (256,)), ((720, 1280), 40, (256, 512)), ((16, 16), 40, (256,)),
     ((1080, 1920), 40, (256, 512, 768)), ((6000, 8000), 24, (256, 512, 1024, 2048))],
)  # fmt: skip
def test_larger_pictures_are_looked_at_more_finely(shape, smallest, sides):
    assert sides_for(shape, smallest) == sides


def test_every_picture_width_has_an_end_of_sides():
    for width in range(16, 3000):
        assert sides_for((16, width), 40.0)[-1] >= min(width * 0.4, 2048)
