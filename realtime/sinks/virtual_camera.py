"""A camera that other programs see (extra `camera`, pyvirtualcam): v4l2loopback on Linux, OBS or Unity Capture."""

from __future__ import annotations

import importlib.util
import logging
import os
import struct
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from realtime.errors import DependencyError, SinkError, reason
from realtime.sinks.fitting import even, fitted

logger = logging.getLogger(__name__)

LABEL = "Nakedeye"
LOAD = f"sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label={LABEL}"
INSTALL = f"sudo apt install v4l2loopback-dkms && {LOAD}"
STREAMON = 1 << 30 | 4 << 16 | ord("V") << 8 | 18  # linux/videodev2.h
VIDEO_OUTPUT = 2
PLATFORMS = {
    "win32": "winget install OBSProject.OBSStudio",
    "darwin": "brew install --cask obs",
}
THEN = "then start its virtual camera once (OBS: Start Virtual Camera), and stop it"


class VirtualCamera:
    """A `Channel` to a virtual camera.

    size: (width, height) of its pictures; others are fitted in. rate: what its readers are told. device: its name
    (`/dev/video2`, `OBS Virtual Camera`), None for the first that is free. Raises DependencyError.
    """

    def __init__(self, size: tuple[int, int], rate: Fraction, device: str | None = None):
        self._size = even(size)
        self._camera = open_camera(self._size, float(rate), device)
        logger.info("virtual camera: %s, %dx%d (%s)", self._camera.device, *self._size, self._camera.backend)

    @property
    def device(self) -> str:
        return str(self._camera.device)

    def send(self, picture: np.ndarray, time_s: float) -> None:
        """Raises SinkError."""
        try:
            self._camera.send(fitted(picture, self._size))
        except Exception as error:
            raise SinkError(f"virtual camera {self.device}: takes no more pictures: {reason(error)}") from error

    def close(self) -> None:
        device = self.device
        self._camera.close()
        if sys.platform.startswith("linux"):
            release_loopback(device)


def open_camera(size: tuple[int, int], rate: float, device: str | None) -> Any:
    """A pyvirtualcam.Camera. Raises DependencyError that names the one command that is missing."""
    try:
        import pyvirtualcam
    except ImportError as why:
        raise DependencyError(f"a virtual camera needs the extra `camera`: pip install -e '.[camera]' ({why})") from why
    try:
        return pyvirtualcam.Camera(*size, rate, fmt=pyvirtualcam.PixelFormat.RGB, device=device)
    except (RuntimeError, ValueError) as error:
        reasons = "\n".join(f"  {line}" for line in str(error).splitlines())
        raise DependencyError(f"no virtual camera:\n{reasons}\n{what_is_missing(device)}") from error


def release_loopback(device: str) -> None:
    """v4l2loopback 0.12 with exclusive_caps forgets that a writer has gone: the next one could not use the device.

    It remembers writers that begin to stream, so one does for a moment. Other versions refuse that, and need it not.
    """
    import fcntl

    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return
    try:
        fcntl.ioctl(descriptor, STREAMON, struct.pack("=i", VIDEO_OUTPUT))
    except OSError as error:
        logger.debug("%s: needed no release: %s", device, error)
    finally:
        os.close(descriptor)


def what_stands_ready() -> tuple[bool, str]:
    """For `doctor`: whether there is a virtual camera to send to, and which, or the one command that is missing."""
    if importlib.util.find_spec("pyvirtualcam") is None:
        return False, "no virtual camera library: pip install 'nakedeye[camera]'"
    if not sys.platform.startswith("linux"):
        return True, "the library is there; OBS or Unity Capture must be installed"
    devices = loopback_devices()
    if devices:
        return True, f"virtual camera {', '.join(devices)}: -o camera"
    return False, f"no virtual camera; {what_is_missing()}"


def what_is_missing(
    device: str | None = None,
    platform: str = sys.platform,
    loaded: Path = Path("/sys/module/v4l2loopback"),
    modules: Path | None = None,
    devices: Sequence[str] | None = None,
) -> str:
    """The one command to run, as a sentence.

    loaded: exists while the kernel module runs. modules: the kernel's modules. devices: loopback devices there are.
    """
    instead = "; or send a stream instead: -o udp://127.0.0.1:5000"
    if not platform.startswith("linux"):
        return f"run: {PLATFORMS.get(platform, 'pip install pyvirtualcam')}, {THEN}{instead}"
    modules = modules or Path("/lib/modules") / os.uname().release
    devices = loopback_devices() if devices is None else devices
    if loaded.exists() and devices:
        others = [one for one in devices if one != device]
        if device is not None and device not in devices:
            return f"{device} is no loopback device; these are: {', '.join(devices)}; run with: -o camera:{others[0]}"
        return f"{', '.join(devices)} is there but taken: close the programs that use it, or run: sudo modprobe " \
            f"-r v4l2loopback && {LOAD.replace('devices=1', f'devices={len(devices) + 1}')}"  # fmt: skip
    if loaded.exists():
        return f"run: sudo modprobe -r v4l2loopback && {LOAD}{instead}"
    if any(modules.rglob("v4l2loopback.ko*")):
        return f"run: {LOAD}{instead}"
    return f"run: {INSTALL}{instead}"


def loopback_devices(sysfs: Path = Path("/sys/devices/virtual/video4linux")) -> list[str]:
    """Linux: devices of v4l2loopback, which are those without hardware that have its `format` attribute."""
    found = (entry.name for entry in sysfs.glob("video*") if (entry / "max_openers").exists())
    return [f"/dev/{name}" for name in sorted(found, key=lambda name: int(name.removeprefix("video")))]
