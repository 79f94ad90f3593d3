"""What a sender's encoder is given and promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from realtime.face.coefficients import Pose
from realtime.frame import Face

FOCAL = 1.0  # focal length over the picture's width: a webcam of 53 degrees across; distances scale with it


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where faces were seen. time_s: of the source. rate: frames a second. size: (width, height) px."""

    time_s: float
    rate: Fraction
    size: tuple[int, int]


class Encoder(Protocol):
    """One avatar protocol. Knows no sockets.

    encode: faces, all with `drive`, -> the UDP packets of this frame, in order; () faces: what says that nobody is
    there, or nothing. many: whether it has room for more than one face; if not, it is given one at most.
    """

    many: bool

    def encode(self, faces: Sequence[Face], moment: Moment) -> list[bytes]: ...


def position_mm(pose: Pose, size: tuple[int, int]) -> tuple[float, float, float]:
    """Where the head is: mm from the camera's axis to the image's right, up, and away from the camera.

    Weak perspective knows no distance: it follows from the head's size, as a camera of `FOCAL` sees it.
    """
    scale = max(pose.scale, 1e-6)
    return (pose.x - (size[0] - 1) / 2) / scale, ((size[1] - 1) / 2 - pose.y) / scale, FOCAL * size[0] / scale
