"""Live Link Face, as Unreal's face source reads it: UDP port 11111, a packet and a subject per face."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Sequence

import numpy as np

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.drive import Drive, turn_angles
from realtime.frame import Face
from realtime.sinks.senders.base import Moment

PORT = 11111
VERSION = 6
ROTATIONS = tuple(f"{part}{turn}" for part in ("Head", "LeftEye", "RightEye") for turn in ("Yaw", "Pitch", "Roll"))
VALUE_NAMES = (*(name[0].upper() + name[1:] for name in ARKIT_NAMES), *ROTATIONS)  # 61


class LiveLink:
    """subject: its name in Unreal; a second face is called `subject` 2, and so on, in the order of their tracks."""

    many = True

    def __init__(self, subject: str = "Nakedeye"):
        self.subject = subject
        self._numbers: dict[int, int] = {}  # track -> subject

    def encode(self, faces: Sequence[Face], moment: Moment) -> list[bytes]:
        seen = {face.track for face in faces}
        self._numbers = {track: number for track, number in self._numbers.items() if track in seen}
        for face in sorted(faces, key=lambda face: face.track):
            if face.track not in self._numbers:
                taken = set(self._numbers.values())
                self._numbers[face.track] = next(n for n in range(1, len(faces) + 1) if n not in taken)
        packets = []
        for face in faces:
            assert face.drive is not None
            number = self._numbers[face.track]
            name = self.subject if number == 1 else f"{self.subject} {number}"
            packets.append(packet(name, face.drive, moment))
        return packets


def packet(name: str, drive: Drive, moment: Moment) -> bytes:
    """One face's packet. The device's uuid is made from the name, so that a subject is known again."""
    device = f"${uuid.uuid5(uuid.NAMESPACE_DNS, name)}".encode()
    frames = max(moment.time_s, 0.0) * float(moment.rate)
    frame = int(frames + 1e-6)
    head = struct.pack("<I", VERSION) + device + struct.pack(">i", len(name.encode())) + name.encode()
    part = min(max(frames - frame, 0.0), 1.0)
    head += struct.pack(">IfII", frame & 0xFFFFFFFF, part, moment.rate.numerator, moment.rate.denominator)
    found = values(drive)
    return head + struct.pack(f">B{len(found)}f", len(found), *found)


def values(drive: Drive) -> list[float]:
    """The 61 numbers in the order of `VALUE_NAMES`. Angles count in half turns, as Unreal's own face tracking does."""
    weights = [drive.shapes[name] for name in ARKIT_NAMES]
    turns = [turn_angles(one) for one in (drive.pose.rotation, drive.left.rotation, drive.right.rotation)]
    return weights + [angle / np.pi + 0.0 for turn in turns for angle in turn]  # never minus zero
