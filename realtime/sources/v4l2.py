"""What cameras a Linux machine has and what they can do, asked of the kernel (V4L2 ioctls); none is started."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from realtime.sources.cameras import Camera, Mode

Ioctl = Callable[[int, int, bytearray], int]  # (file descriptor, request, argument changed in place)

SYSFS = Path("/sys/class/video4linux")
DEVICES = Path("/dev")

# linux/videodev2.h: request = direction << 30 | size of the structure << 16 | 'V' << 8 | number
QUERYCAP = 2 << 30 | 104 << 16 | ord("V") << 8 | 0
ENUM_FMT = 3 << 30 | 64 << 16 | ord("V") << 8 | 2
ENUM_FRAMESIZES = 3 << 30 | 44 << 16 | ord("V") << 8 | 74
ENUM_FRAMEINTERVALS = 3 << 30 | 52 << 16 | ord("V") << 8 | 75
CAP_VIDEO_CAPTURE, CAP_DEVICE_CAPS = 0x1, 0x80000000
BUF_TYPE_VIDEO_CAPTURE = 1
DISCRETE = 1  # of frame sizes and intervals; others are ranges


def list_v4l2(sysfs: Path = SYSFS, devices: Path = DEVICES, ioctl: Ioctl | None = None) -> list[Camera]:
    """Every device that captures video, by number. A device that may not be opened is listed without modes."""
    if ioctl is None:
        import fcntl

        ioctl = fcntl.ioctl
    cameras = []
    for entry in sorted(sysfs.glob("video*"), key=_number):
        camera = _camera(entry, devices / entry.name, ioctl)
        if camera is not None:
            cameras.append(camera)
    return cameras


def _number(entry: Path) -> int:
    return int(entry.name.removeprefix("video"))


def _camera(entry: Path, device: Path, ioctl: Ioctl) -> Camera | None:
    """None for devices that do not capture (metadata nodes, outputs)."""
    try:
        name = (entry / "name").read_text().strip()
    except OSError:
        name = entry.name
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return Camera(_number(entry), name, str(device), ())
    try:
        capability = _ask(ioctl, descriptor, QUERYCAP, bytearray(104))
        if capability is None:
            return None
        everything, this_node = struct.unpack_from("=II", capability, 84)
        if not (this_node if everything & CAP_DEVICE_CAPS else everything) & CAP_VIDEO_CAPTURE:
            return None
        return Camera(_number(entry), name, str(device), tuple(_modes(ioctl, descriptor)))
    finally:
        os.close(descriptor)


def _modes(ioctl: Ioctl, descriptor: int) -> Iterator[Mode]:
    for code in _formats(ioctl, descriptor):
        for width, height in _sizes(ioctl, descriptor, code):
            for rate in _rates(ioctl, descriptor, code, width, height):
                yield Mode(code.to_bytes(4, "little").decode("ascii", "replace").strip(), width, height, rate)


def _formats(ioctl: Ioctl, descriptor: int) -> Iterator[int]:
    for index in range(64):
        asked = bytearray(struct.pack("=II56x", index, BUF_TYPE_VIDEO_CAPTURE))
        answer = _ask(ioctl, descriptor, ENUM_FMT, asked)
        if answer is None:
            return
        yield struct.unpack_from("=I", answer, 44)[0]


def _sizes(ioctl: Ioctl, descriptor: int, code: int) -> Iterator[tuple[int, int]]:
    """The discrete sizes, or the smallest and largest of a range."""
    for index in range(256):
        answer = _ask(ioctl, descriptor, ENUM_FRAMESIZES, bytearray(struct.pack("=II36x", index, code)))
        if answer is None:
            return
        kind, a, b, _, c, d = struct.unpack_from("=6I", answer, 8)
        if kind == DISCRETE:
            yield a, b
        else:  # min width, max width, step, min height, max height, step
            yield from ((a, c), (b, d))
            return


def _rates(ioctl: Ioctl, descriptor: int, code: int, width: int, height: int) -> Iterator[Fraction]:
    for index in range(256):
        asked = bytearray(struct.pack("=IIII36x", index, code, width, height))
        answer = _ask(ioctl, descriptor, ENUM_FRAMEINTERVALS, asked)
        if answer is None:
            return
        kind, numerator, denominator = struct.unpack_from("=3I", answer, 16)
        if numerator and denominator:
            yield Fraction(denominator, numerator)
        if kind != DISCRETE:  # a range begins with its shortest interval
            return


def _ask(ioctl: Ioctl, descriptor: int, request: int, argument: bytearray) -> bytearray | None:
    """The answer, or None where the driver has no (more) answers."""
    try:
        ioctl(descriptor, request, argument)
    except OSError:
        return None
    return argument
