"""Pictures through a real virtual camera (v4l2loopback) and back through our own camera code."""

import threading
from fractions import Fraction

import numpy as np
import pytest

from realtime.errors import DependencyError
from realtime.frame import Frame
from realtime.loop import Loop
from realtime.sinks.leaving import outgoing
from realtime.sinks.virtual_camera import VirtualCamera, what_stands_ready
from realtime.sources.base import Properties, Silent
from realtime.sources.cameras import list_cameras
from realtime.sources.choose import open_source
from realtime.sources.paced import Paced

SIZE = (320, 240)

pytestmark = pytest.mark.camera


def picture(index: int) -> np.ndarray:
    """(240, 320, 3) uint8: left half red, right half as bright as the index says."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[:, :160] = (200, 30, 30)
    image[:, 160:] = 40 + 2 * (index % 100)
    return image


class Pictures(Silent):
    properties = Properties("pictures", "pictures", SIZE, rate=Fraction(15))

    def frames(self):
        for index in range(100000):
            yield Frame(picture(index), index, index, Fraction(1, 15), source_size=SIZE)

    def close(self):
        pass


def assert_ours(images: list[np.ndarray]) -> None:
    greys = []
    for image in images:
        assert image.shape == (SIZE[1], SIZE[0], 3)
        assert np.abs(image[120, 80].astype(int) - (200, 30, 30)).max() <= 12
        right = image[20:-20, 180:300].astype(int)
        assert right.max() - right.min() <= 6
        greys.append(right.mean())
    steps = (np.diff(greys) + 2) % 200 - 2  # the brightness begins anew every 100 pictures
    assert steps.max() <= 150 and np.median(steps) >= 1.5  # never an older picture, the newest each time


def test_what_live_sends_is_what_other_programs_see(loopback):
    """The whole loop without its networks: -o camera on one side, -i Nakedeye on the other."""
    assert what_stands_ready() == (True, f"virtual camera {loopback}: -o camera")
    loop = Loop(Paced(Pictures()), [], [outgoing("camera", Pictures.properties)])
    program = threading.Thread(target=loop.run)
    program.start()
    try:
        camera = next(camera for camera in list_cameras() if camera.device == loopback)
        assert camera.name == "Nakedeye"
        source = open_source("nakedeye", size=SIZE)
        frames = source.frames()
        images = [next(frames).image for _ in range(12)]
        source.close()
    finally:
        loop.stop()
        program.join(30)
    assert source.properties.size == SIZE
    assert_ours(images)


def test_one_that_was_used_can_be_used_again_and_a_taken_one_and_none_are_said(loopback):
    for _ in range(2):
        first = VirtualCamera(SIZE, Fraction(15), loopback)
        first.send(picture(0), 0.0)
        first.close()
    camera = VirtualCamera(SIZE, Fraction(15), loopback)
    camera.send(picture(0), 0.0)
    words = f"(?s)no virtual camera:.*{loopback} is there but taken: close the programs"
    with pytest.raises(DependencyError, match=words):
        VirtualCamera(SIZE, Fraction(15), loopback)
    camera.close()
    with pytest.raises(DependencyError, match=f"/dev/video77 is no loopback device; .*-o camera:{loopback}"):
        VirtualCamera(SIZE, Fraction(15), "/dev/video77")
