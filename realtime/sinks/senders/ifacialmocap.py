"""iFacialMocap's text line over UDP, port 49983: shapes 0..100, angles in degrees, the head's place in metres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.drive import turn_angles
from realtime.frame import Face
from realtime.sinks.senders.base import Moment, position_mm

PORT = 49983


class IFacialMocap:
    """One face. Angles about x (down), y (to the subject's left), z, in that order, as the app sends them."""

    many = False

    def encode(self, faces: Sequence[Face], moment: Moment) -> list[bytes]:
        drive = faces[0].drive if faces else None
        if drive is None:
            return []
        shapes = "".join(f"{short_name(name)}-{round(100 * drive.shapes[name])}|" for name in ARKIT_NAMES)
        across, up, away = position_mm(drive.pose, moment.size)
        place = _numbers((across / 1000, up / 1000, -away / 1000))  # ARKit's camera looks along -z
        bones = f"=head#{_degrees(drive.pose.rotation)},{place}|"
        bones += f"rightEye#{_degrees(drive.right.rotation)}|leftEye#{_degrees(drive.left.rotation)}|"
        return [(shapes + bones).encode()]


def short_name(name: str) -> str:
    """eyeBlinkLeft -> eyeBlink_L. The two shapes whose side is a direction keep it: jawLeft, mouthRight."""
    for side in ("Left", "Right"):
        stem = name.removesuffix(side)
        if stem != name and stem not in ("jaw", "mouth"):
            return f"{stem}_{side[0]}"
    return name


def _degrees(rotation: np.ndarray) -> str:
    yaw, pitch, roll = np.degrees(turn_angles(rotation))
    return _numbers((pitch, yaw, roll))


def _numbers(values: Sequence[float]) -> str:
    return ",".join(f"{value + 0.0:.5f}" for value in values)
