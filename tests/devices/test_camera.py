"""Our camera code on real V4L2 devices: vivid shows eight colour bars, and can be unplugged."""

import os
import threading
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import SourceError
from realtime.sources.camera import PYAV_NAMES, CameraSource
from realtime.sources.cameras import Camera, Mode
from realtime.sources.choose import open_source
from realtime.sources.switching import SwitchingSource
from tests.devices.conftest import vivid_cameras

SIZE = (320, 180)
BARS = {5: (191, 0, 0), 6: (0, 0, 191), 7: (0, 0, 0)}  # of eight; the driver writes over the others
DRIVER = Path("/sys/bus/platform/drivers/vivid")

pytestmark = pytest.mark.camera


def pictures(source, count: int) -> list:
    frames = source.frames()
    return [next(frames) for _ in range(count)]


def assert_bars(image: np.ndarray) -> None:
    row = image[image.shape[0] * 3 // 4]
    for bar, colour in BARS.items():
        seen = row[int((bar + 0.5) * image.shape[1] / 8)].astype(int)
        assert np.abs(seen - colour).max() <= 12, (bar, seen.tolist())


def test_the_kernels_cameras_are_listed_with_what_they_can(vivid):
    assert [camera.name for camera in vivid[:2]] == ["vivid-000-vid-cap", "vivid-001-vid-cap"]
    assert all(camera.device == f"/dev/video{camera.number}" for camera in vivid)
    modes = vivid[0].modes
    assert {"YUYV", "NV12", "RGB3"} <= {mode.fourcc for mode in modes}
    assert {(320, 180), (640, 480), (1920, 1080)} <= {(mode.width, mode.height) for mode in modes}
    assert max(mode.rate for mode in modes if (mode.width, mode.height) == (320, 180)) == 60


def test_it_streams_with_the_drivers_times_and_true_colours(vivid):
    source = open_source(vivid[0].name, size=SIZE, rate=Fraction(30))
    frames = pictures(source, 20)
    source.close()
    assert source.properties.size == SIZE and source.properties.live
    assert source.properties.name == f"camera {vivid[0].number} (vivid-000-vid-cap)"
    times = [frame.time_s for frame in frames]
    assert times[0] == 0 and np.diff(times).min() > 0.005
    for frame in (frames[0], frames[-1]):
        assert frame.image.shape == (180, 320, 3)
        assert_bars(frame.image)


@pytest.mark.parametrize("fourcc", sorted(set(PYAV_NAMES) - {"MJPG"}))
def test_every_format_is_understood(vivid, fourcc):
    only = tuple(mode for mode in vivid[0].modes if mode.fourcc == fourcc)
    assert only, f"vivid has no {fourcc}"
    source = CameraSource(replace(vivid[0], modes=only), SIZE)
    assert_bars(pictures(source, 2)[-1].image)
    source.close()


def test_a_size_that_it_has_not_becomes_the_nearest(vivid):
    source = open_source(str(vivid[0].number), size=(333, 200), rate=Fraction(30))
    assert pictures(source, 1)[0].image.shape == (180, 320, 3)
    source.close()


def test_a_format_that_it_has_not_is_said(vivid):
    wrong = Camera(vivid[0].number, vivid[0].name, vivid[0].device, (Mode("MJPG", 320, 180, Fraction(30)),))
    with pytest.raises(SourceError, match=r"camera \d+ \(vivid-000-vid-cap\): does not work: "):
        CameraSource(wrong, SIZE)
    assert_bars(pictures(CameraSource(vivid[0], SIZE), 2)[-1].image)  # it was left usable


def test_a_busy_camera_is_said_and_the_other_one_is_free(vivid):
    running = CameraSource(vivid[0], SIZE)
    pictures(running, 2)
    with pytest.raises(SourceError, match="is in use by another program; close that first"):
        CameraSource(vivid[0], SIZE)
    other = CameraSource(vivid[1], SIZE)
    assert_bars(pictures(other, 2)[-1].image)
    other.close()
    running.close()


class Told(list):
    def __call__(self, text: str, bad: bool) -> None:
        self.append((text, bad))


def test_cameras_change_while_running_and_a_busy_one_does_not_take_over(vivid):
    busy = CameraSource(vivid[1], SIZE)
    pictures(busy, 1)
    told = Told()
    first, second = (str(camera.number) for camera in vivid[:2])

    def open_choice(choice):
        return open_source(choice, size=SIZE)

    source = SwitchingSource(open_choice(first), first, open_choice, told)
    frames = source.frames()
    next(frames)
    source.choose(second)
    deadline = time.monotonic() + 60
    while not told and time.monotonic() < deadline:
        next(frames)
    assert "in use by another program" in told[0][0] and "vivid-000-vid-cap) goes on" in told[0][0]
    busy.close()
    source.choose(second)
    while source.choice == first and time.monotonic() < deadline:
        next(frames)
    assert told[1][0] == f"now from camera {second} (vivid-001-vid-cap)"
    assert_bars(next(frames).image)
    source.close()


def plug(name: str, into: str) -> None:
    (DRIVER / into).write_text(name)


@pytest.fixture
def plugged(vivid):
    """The name of the driver's device, which is plugged in again behind the test."""
    if os.geteuid() != 0:
        pytest.skip("only root may unplug the kernel's test cameras")
    name = next(entry.name for entry in DRIVER.iterdir() if entry.name.startswith("vivid"))
    yield name
    if not (DRIVER / name).exists():
        plug(name, "bind")


def test_unplugged_while_running(vivid, plugged):
    source = CameraSource(vivid[0], SIZE)
    frames = source.frames()
    assert_bars(next(frames).image)
    threading.Timer(0.5, plug, (plugged, "unbind")).start()
    with pytest.raises(SourceError, match=r"^camera \d+ \(vivid-000-vid-cap\): was unplugged$"):
        for _ in range(10000):
            next(frames)
    source.close()
    assert vivid_cameras() == []
    with pytest.raises(SourceError, match="no camera"):
        open_source(vivid[0].name, size=SIZE)


def test_unplugged_in_the_window_and_plugged_in_again(vivid, plugged):
    told = Told()
    name = vivid[0].name
    source = SwitchingSource(open_source(name, size=SIZE), name, lambda one: open_source(one, size=SIZE), told)
    frames = source.frames()
    next(frames)
    threading.Timer(0.5, plug, (plugged, "unbind")).start()
    threading.Timer(4.0, plug, (plugged, "bind")).start()
    for frame in frames:
        if frame.cut and len(told) == 2:
            break
    assert "was unplugged; choose another, or plug it in again" in told[0][0] and "now from camera" in told[1][0]
    assert_bars(next(frames).image)
    source.close()
