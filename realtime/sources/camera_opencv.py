"""A webcam through OpenCV, where PyAV has no capture device of its own (Windows, macOS)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction

import cv2

from realtime.errors import SourceError
from realtime.frame import Frame
from realtime.meter import Clock
from realtime.sources.base import Properties, Silent
from realtime.sources.camera import MICROSECOND, CameraWatch
from realtime.sources.cameras import Camera

# DirectShow counts cameras as other programs do; Media Foundation uses another order.
BACKEND = {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, cv2.CAP_ANY)
MOST_MISSES = 30  # pictures in a row that do not come before the camera counts as gone


def open_capture(number: int, size: tuple[int, int], rate: Fraction) -> cv2.VideoCapture:
    """MJPG, size and rate as parameters of opening: set later, DirectShow stays with slow uncompressed pictures."""
    wanted = {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_WIDTH: size[0],
        cv2.CAP_PROP_FRAME_HEIGHT: size[1],
        cv2.CAP_PROP_FPS: round(rate),
    }
    return cv2.VideoCapture(number, BACKEND, [value for item in wanted.items() for value in item])


def probe_cameras(most: int, capture: Callable[..., cv2.VideoCapture] = open_capture) -> list[Camera]:
    """The numbers below `most` that open; OpenCV knows neither names nor modes."""
    cameras = []
    for number in range(most):
        opened = capture(number, (640, 480), Fraction(30))
        if opened.isOpened():
            cameras.append(Camera(number, f"camera {number}", str(number), ()))
        opened.release()
    return cameras


class OpenCvCameraSource(Silent):
    """size: (width, height) and rate wanted. Raises SourceError. capture: opens (number, size, rate)."""

    def __init__(
        self,
        number: int,
        size: tuple[int, int] = (640, 480),
        rate: Fraction = Fraction(30),
        capture: Callable[..., cv2.VideoCapture] = open_capture,
        clock: Clock = time.perf_counter,
    ):
        self._label = f"camera {number}"
        self._clock = clock
        self._capture = capture(number, size, rate)
        if not self._capture.isOpened():
            raise SourceError(f"{self._label}: cannot be opened: not there, in use by another program, or not allowed")
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        self._properties = Properties(
            self._label, "camera", (width, height), rate=rate, time_base=MICROSECOND, live=True
        )

    @property
    def properties(self) -> Properties:
        return self._properties

    def frames(self) -> Iterator[Frame]:
        watch = CameraWatch(self._label)
        start = self._clock()
        index = misses = 0
        while misses < MOST_MISSES:
            there, picture = self._capture.read()
            if not there:
                misses += 1
                continue
            misses = 0
            elapsed = self._clock() - start
            image = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
            watch.see(image, elapsed)
            yield Frame(image, index, round(elapsed * 1e6), MICROSECOND, source_size=self._properties.size)
            index += 1
        raise SourceError(f"{self._label}: stopped sending pictures: unplugged, or taken by another program")

    def close(self) -> None:
        self._capture.release()
