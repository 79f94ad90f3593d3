"""Which cameras there are, which one is meant, and how it is to be driven."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from realtime.errors import SourceError

MOST_PROBED = 10  # camera numbers tried where the system cannot list them


@dataclass(frozen=True, slots=True)
class Mode:
    """One way a camera can deliver: fourcc (MJPG, YUYV, ...), width, height in pixels, frames a second."""

    fourcc: str
    width: int
    height: int
    rate: Fraction


@dataclass(frozen=True, slots=True)
class Camera:
    """number: what the user calls it. device: what is opened. modes: empty where the system does not tell."""

    number: int
    name: str
    device: str
    modes: tuple[Mode, ...]

    def describe(self) -> str:
        """One line: number, name, sizes and the highest rate of each."""
        sizes: dict[tuple[int, int], Fraction] = {}
        for mode in self.modes:
            size = (mode.width, mode.height)
            sizes[size] = max(sizes.get(size, Fraction(0)), mode.rate)
        listed = ", ".join(f"{w}x{h} at {float(rate):g}" for (w, h), rate in sorted(sizes.items(), reverse=True))
        return f"{self.number}: {self.name} ({self.device}){': ' + listed if listed else ''}"


def list_cameras() -> list[Camera]:
    """By number. On Linux from the kernel; elsewhere by trying the first numbers, which takes a while."""
    if sys.platform == "linux":
        from realtime.sources.v4l2 import list_v4l2

        return list_v4l2()
    from realtime.sources.camera_opencv import probe_cameras

    return probe_cameras(MOST_PROBED)


def find_camera(text: str, cameras: Sequence[Camera]) -> Camera:
    """By number, device, or part of its name in any case. Raises SourceError that lists what there is."""
    for camera in cameras:
        if text in (str(camera.number), camera.device):
            return camera
    named = [camera for camera in cameras if text.lower() in camera.name.lower()]
    if len({camera.name for camera in named}) == 1:  # one camera may have several nodes of the same name
        return named[0]
    there = "; ".join(camera.describe().partition(")")[0] + ")" for camera in named or cameras) or "none at all"
    if named:
        raise SourceError(f"several cameras are called like {text!r}: {there}")
    raise SourceError(f"no camera {text!r}; cameras here: {there}")


def choose_mode(modes: Sequence[Mode], size: tuple[int, int], rate: Fraction) -> Mode | None:
    """The mode nearest to what is wanted: size first, then enough frames a second, then MJPG (faster over USB)."""

    def distance(mode: Mode) -> tuple[float, float, bool]:
        off_size = abs(mode.width - size[0]) + abs(mode.height - size[1])
        return off_size, abs(float(mode.rate - rate)), mode.fourcc != "MJPG"

    return min(modes, key=distance, default=None)
