"""Cameras: what the kernel says of them, which one is meant, and how they behave and fail while running."""

import errno
import logging
import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime.errors import SourceError
from realtime.sources import open_source
from realtime.sources.camera import CameraSource, CameraWatch
from realtime.sources.camera_opencv import OpenCvCameraSource, probe_cameras
from realtime.sources.cameras import Camera, Mode, choose_mode, find_camera
from realtime.sources.v4l2 import ENUM_FMT, ENUM_FRAMEINTERVALS, ENUM_FRAMESIZES, QUERYCAP, list_v4l2
from tests.realtime.clips import write_clip

MJPG, YUYV = (int.from_bytes(code, "little") for code in (b"MJPG", b"YUYV"))
SIZES = {MJPG: [(640, 480), (1280, 720)], YUYV: [(640, 480)]}


class Kernel:
    """Answers the ioctls of one camera as linux/videodev2.h lays them out."""

    def __init__(self, capture: bool = True):
        self.capture = capture

    def __call__(self, descriptor: int, request: int, argument: bytearray) -> int:
        if request == QUERYCAP:
            struct.pack_into("=II", argument, 84, 0x84A00001, 0x04200001 if self.capture else 0x04A00000)
            return 0
        index = struct.unpack_from("=I", argument)[0]
        answers = {ENUM_FMT: self._format, ENUM_FRAMESIZES: self._size, ENUM_FRAMEINTERVALS: self._interval}
        try:
            answers[request](argument, index)
        except IndexError:
            raise OSError(errno.EINVAL, "no more") from None
        return 0

    def _format(self, argument, index):
        struct.pack_into("=I", argument, 44, [MJPG, YUYV][index])

    def _size(self, argument, index):
        code = struct.unpack_from("=I", argument, 4)[0]
        struct.pack_into("=3I", argument, 8, 1, *SIZES[code][index])

    def _interval(self, argument, index):
        code, _, _ = struct.unpack_from("=3I", argument, 4)
        rates = [(1, 30), (1, 15)] if code == MJPG else [(2, 15)]
        struct.pack_into("=3I", argument, 16, 1, *rates[index])


@pytest.fixture
def machine(tmp_path):
    """Folders that look like /sys/class/video4linux and /dev with two nodes."""
    sysfs, devices = tmp_path / "sys", tmp_path / "dev"
    for number, name in ((10, "Second"), (2, "HD Webcam: Front")):
        (sysfs / f"video{number}").mkdir(parents=True)
        (sysfs / f"video{number}" / "name").write_text(name + "\n")
        devices.mkdir(exist_ok=True)
        (devices / f"video{number}").touch()
    return sysfs, devices


def test_the_kernel_is_understood(machine):
    cameras = list_v4l2(*machine, Kernel())
    assert [(camera.number, camera.name) for camera in cameras] == [(2, "HD Webcam: Front"), (10, "Second")]
    assert cameras[0].device == str(machine[1] / "video2")
    assert cameras[0].modes == (
        Mode("MJPG", 640, 480, Fraction(30)),
        Mode("MJPG", 640, 480, Fraction(15)),
        Mode("MJPG", 1280, 720, Fraction(30)),
        Mode("MJPG", 1280, 720, Fraction(15)),
        Mode("YUYV", 640, 480, Fraction(15, 2)),
    )
    assert cameras[0].describe().endswith("video2): 1280x720 at 30, 640x480 at 30")


def test_nodes_that_do_not_capture_and_that_may_not_be_opened(machine):
    assert list_v4l2(*machine, Kernel(capture=False)) == []
    os.unlink(machine[1] / "video10")
    assert [camera.modes == () for camera in list_v4l2(*machine, Kernel())] == [False, True]
    assert list_v4l2(machine[0] / "nothing") == []


FRONT = Camera(0, "HD Webcam: Front", "/dev/video0", ())
BACK = Camera(2, "Logi Cam", "/dev/video2", ())


def test_cameras_are_found_by_number_device_and_name():
    cameras = [FRONT, BACK, Camera(3, "Logi Cam", "/dev/video3", ())]
    assert find_camera("2", cameras) is BACK
    assert find_camera("/dev/video0", cameras) is FRONT
    assert find_camera("logi", cameras) is BACK
    with pytest.raises(SourceError, match=r"several cameras .*: 0: HD Webcam: Front \(/dev/video0\); 2: Logi"):
        find_camera("cam", cameras)
    with pytest.raises(SourceError, match="no camera '7'; cameras here: 0: HD Webcam"):
        find_camera("7", cameras)
    with pytest.raises(SourceError, match="none at all"):
        find_camera("0", [])


def test_an_input_that_is_nothing_says_what_was_tried(tmp_path):
    with pytest.raises(SourceError, match=r"as a file or folder, .*clipp\.mp4 does not exist; as a camera, no camera"):
        open_source(str(tmp_path / "clipp.mp4"), cameras=lambda: [FRONT])
    with pytest.raises(SourceError, match=r"^no camera '3'; cameras here: 0: HD Webcam"):
        open_source("3", cameras=lambda: [FRONT])


def test_the_mode_nearest_to_the_wish():
    modes = [Mode("YUYV", 640, 480, Fraction(30)), Mode("MJPG", 640, 480, Fraction(30))]
    modes += [Mode("MJPG", 1280, 720, Fraction(60)), Mode("MJPG", 1280, 720, Fraction(30))]
    assert choose_mode(modes, (640, 480), Fraction(30)) == modes[1]
    assert choose_mode(modes, (1920, 1080), Fraction(60)) == modes[2]
    assert choose_mode([], (640, 480), Fraction(30)) is None


def camera_from(device: str, driver: str = "lavfi", open_device=av.open):
    return CameraSource(Camera(0, "test", device, ()), driver=driver, open_device=open_device)


def _libavdevice(device: str, format: str, options: dict[str, str]):
    return av.open(device, format=format)  # a filter graph knows no video_size


def test_a_capture_device_of_libavdevice_runs(caplog):
    """lavfi is the one capture device that every machine has."""
    with caplog.at_level(logging.INFO):
        source = camera_from("testsrc=size=160x120:rate=25:duration=2", open_device=_libavdevice)
        frames = list(_until_it_stops(source))
    source.close()
    assert source.properties.live and source.properties.size == (160, 120) == frames[0].source_size
    assert len(frames) == 50 and frames[0].pts == 0
    assert frames[10].time_s == pytest.approx(0.4)
    assert any("160x120 at 25.0 fps" in record.message for record in caplog.records)


def _until_it_stops(source):
    with pytest.raises(SourceError, match="stopped sending pictures"):
        yield from source.frames()


def test_black_pictures_are_noticed(caplog):
    watch = CameraWatch("camera 0")
    for index in range(60):
        watch.see(np.full((48, 64, 3), 3, np.uint8), index / 20)
    assert sum("every picture is black" in record.message for record in caplog.records) == 1
    assert watch.rate == pytest.approx(20)


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EBUSY, "in use by another program"), (errno.EACCES, "group `video`"), (errno.ENOENT, "not there any more")],
)
def test_a_camera_that_cannot_be_opened_says_why(number, words):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    with pytest.raises(SourceError, match=words):
        camera_from("/dev/video0", open_device=refuse)


def test_a_missing_device_through_the_real_driver():
    if "video4linux2,v4l2" not in av.formats_available:
        pytest.skip("this PyAV has no V4L2")
    with pytest.raises(SourceError, match=r"camera 0 \(test\): is not there any more"):
        camera_from("/dev/video77", driver="v4l2")


def test_a_camera_unplugged_while_running(tmp_path):
    """Frames before are good; then one clear error."""
    inner = av.open(str(write_clip(tmp_path / "clip.mp4")))

    class Unplugged:
        streams = inner.streams

        def demux(self, stream):
            for number, packet in enumerate(inner.demux(stream)):
                if number == 30:
                    raise OSError(errno.ENODEV, "No such device")
                yield packet

    source = camera_from("/dev/video0", open_device=lambda *_, **__: Unplugged())
    frames = []
    with pytest.raises(SourceError, match=r"camera 0 \(test\): was unplugged"):
        for frame in source.frames():
            frames.append(frame)
    assert len(frames) > 5


def test_opencv_cameras(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4")
    ticks = iter(range(1000))

    def capture(number, size, rate):
        return cv2.VideoCapture(str(clip if number == 1 else Path("nowhere.mp4")))

    assert [camera.number for camera in probe_cameras(3, capture)] == [1]
    source = OpenCvCameraSource(1, capture=capture, clock=lambda: next(ticks) / 100)
    frames = []
    with pytest.raises(SourceError, match="camera 1: stopped sending pictures"):
        for frame in source.frames():
            frames.append(frame)
    assert len(frames) == 49 and frames[3].time_s == pytest.approx(0.04)
    assert np.abs(frames[0].image[5, 5].astype(int) - (200, 30, 30)).max() <= 6
    with pytest.raises(SourceError, match="camera 0: cannot be opened"):
        OpenCvCameraSource(0, capture=capture)
