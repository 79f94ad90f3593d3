"""A webcam through PyAV's capture devices (V4L2 on Linux): newest frame wins, times from the driver."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from realtime.errors import SourceError, reason
from realtime.frame import Frame
from realtime.sources.audio import copy_packet
from realtime.sources.base import Properties, Silent
from realtime.sources.cameras import Camera, choose_mode
from realtime.sources.video import as_rgb

logger = logging.getLogger(__name__)

MICROSECOND = Fraction(1, 1_000_000)
PYAV_NAMES = {"MJPG": "mjpeg", "YUYV": "yuyv422", "NV12": "nv12", "RGB3": "rgb24", "BGR3": "bgr24", "YU12": "yuv420p"}
GONE = {errno.ENODEV, errno.ENXIO, errno.EIO, errno.ENOENT, errno.ESHUTDOWN}


class CameraSource(Silent):
    """size: (width, height) and rate wanted; the camera's nearest mode is taken. Raises SourceError.

    driver: libavdevice's input format. open_device: av.open.
    """

    def __init__(
        self,
        camera: Camera,
        size: tuple[int, int] = (640, 480),
        rate: Fraction = Fraction(30),
        driver: str = "v4l2",
        open_device: Callable[..., av.container.InputContainer] = av.open,
    ):
        self._label = f"camera {camera.number} ({camera.name})"
        self._device = Path(camera.device)
        options = _options(camera, size, rate)
        try:
            self._container = open_device(camera.device, format=driver, options=options)
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"{self._label}: {why_not(error)}") from error
        self._packets: Any = None
        self._borrows = driver == "v4l2"  # its packets are the device's own memory, which goes back at once
        stream = self._container.streams.video[0]
        self._stream = stream
        self._properties = Properties(
            name=self._label,
            stem="camera",
            size=(stream.codec_context.width, stream.codec_context.height),
            rate=Fraction(stream.average_rate or rate),
            time_base=MICROSECOND,
            live=True,
        )

    @property
    def properties(self) -> Properties:
        return self._properties

    def frames(self) -> Iterator[Frame]:
        watch = CameraWatch(self._label)
        size = self._properties.size
        first: int | None = None
        index = 0
        for picture in self._pictures():
            stamp = picture.pts or 0
            time = round(stamp * Fraction(picture.time_base or MICROSECOND) / MICROSECOND)
            first = time if first is None else first
            image = as_rgb(picture)
            watch.see(image, (time - first) * 1e-6)
            yield Frame(image, index, time - first, MICROSECOND, source_size=size)
            index += 1

    def close(self) -> None:
        """Behind the last use of `frames`. A packet that outlives its device crashes FFmpeg when it is freed."""
        if self._packets is not None:
            self._packets.close()  # it holds the last one
        self._container.close()

    def _pictures(self) -> Iterator[av.VideoFrame]:
        self._packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(self._packets)
                if self._borrows:
                    packet = copy_packet(packet)
            except StopIteration:
                words = "was unplugged" if is_gone(self._device) else "stopped sending pictures"
                raise SourceError(f"{self._label}: {words}") from None
            except (av.FFmpegError, OSError) as error:
                words = "was unplugged" if is_gone(self._device) else why_not(error, running=True)
                raise SourceError(f"{self._label}: {words}") from error
            try:
                yield from packet.decode()
            except av.InvalidDataError:
                logger.debug("%s: a damaged picture was left out", self._label)  # common in a webcam's first frames


def _options(camera: Camera, size: tuple[int, int], rate: Fraction) -> dict[str, str]:
    mode = choose_mode(camera.modes, size, rate)
    if mode is None:
        return {"video_size": f"{size[0]}x{size[1]}", "framerate": str(rate)}
    options = {"video_size": f"{mode.width}x{mode.height}", "framerate": str(mode.rate)}
    if mode.fourcc in PYAV_NAMES:
        options["input_format"] = PYAV_NAMES[mode.fourcc]
    return options


def is_gone(device: Path, within_s: float = 0.5) -> bool:
    """Whether a device's node vanishes now: some drivers wake their reader with an odd error before it does."""
    if not device.is_absolute():
        return False
    until = time.monotonic() + within_s
    while device.exists():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def why_not(error: Exception, running: bool = False) -> str:
    """What an operating-system error means for a camera."""
    number = getattr(error, "errno", None)
    if running and number in GONE:
        return "was unplugged"
    if number in GONE:
        return "is not there any more"
    if number == errno.EBUSY:
        return "is in use by another program; close that first"
    if number in (errno.EACCES, errno.EPERM):
        return "may not be opened: add yourself to the group `video` (sudo usermod -aG video $USER), log in again"
    return f"does not work: {reason(error)}"


class CameraWatch:
    """Says what a camera really delivers: its rate, measured; and that all its pictures are black."""

    WARM_UP = 10  # frames during which exposure and rate settle
    COUNTED = 30
    BLACK = 8  # no pixel of a covered camera is brighter

    def __init__(self, label: str):
        self._label = label
        self._seen = 0
        self._brightest = 0
        self._start_s = 0.0
        self.rate: float | None = None

    def see(self, image: np.ndarray, time_s: float) -> None:
        """(H, W, 3) uint8 and its time."""
        self._seen += 1
        if self._seen > self.WARM_UP + self.COUNTED:
            return
        self._brightest = max(self._brightest, int(image[::8, ::8].max()))
        if self._seen == self.WARM_UP:
            self._start_s = time_s
        if self._seen == self.WARM_UP + self.COUNTED:
            self._say(image, time_s - self._start_s)

    def _say(self, image: np.ndarray, elapsed_s: float) -> None:
        if elapsed_s > 0:
            self.rate = self.COUNTED / elapsed_s
            logger.info("%s: %dx%d at %.1f fps", self._label, image.shape[1], image.shape[0], self.rate)
        if self._brightest <= self.BLACK:
            logger.warning(
                "%s: every picture is black: is its cover closed, or another program using it?", self._label
            )
