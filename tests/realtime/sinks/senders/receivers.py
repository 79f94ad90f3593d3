"""Receivers as the programs at the other end have them, written from the protocols, not from our encoders."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage


@contextmanager
def listening(timeout_s: float = 5.0) -> Iterator[tuple[socket.socket, int]]:
    """A UDP socket on a free port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(timeout_s)
        yield receiver, receiver.getsockname()[1]


def osc_messages(packet: bytes) -> list[tuple[str, tuple]]:
    """(address, arguments) of all messages of a packet, by python-osc."""
    if OscBundle.dgram_is_bundle(packet):
        parts = [osc_messages(part.dgram) for part in OscBundle(packet)]
        return [one for part in parts for one in part]
    message = OscMessage(packet)
    return [(message.address, tuple(message.params))]


class VmcReceiver:
    """What a marionette holds: bones (name -> 7 numbers), shapes as last applied, how often they were."""

    def __init__(self) -> None:
        self.bones: dict[str, tuple] = {}
        self.shapes: dict[str, float] = {}
        self.root: tuple = ()
        self.frames, self.times, self.states = 0, [], []
        self._pending: dict[str, float] = {}

    def take(self, packet: bytes) -> None:
        for address, arguments in osc_messages(packet):
            if address == "/VMC/Ext/Bone/Pos":
                self.bones[arguments[0]] = arguments[1:]
            elif address == "/VMC/Ext/Root/Pos":
                self.root = arguments
            elif address == "/VMC/Ext/Blend/Val":
                self._pending[arguments[0]] = arguments[1]
            elif address == "/VMC/Ext/Blend/Apply":
                self.shapes, self._pending = self._pending, {}
                self.frames += 1
            elif address == "/VMC/Ext/T":
                self.times.append(arguments[0])
            elif address == "/VMC/Ext/OK":
                self.states.append(arguments)
            else:
                raise AssertionError(f"unknown address {address}")


def read_livelink(packet: bytes) -> dict:
    """As Unreal's plugin reads it: little-endian version, then big-endian."""
    (version,) = struct.unpack_from("<I", packet, 0)
    device = packet[4:41].decode()
    (length,) = struct.unpack_from(">i", packet, 41)
    name = packet[45 : 45 + length].decode()
    frame, part, rate, denominator, count = struct.unpack_from(">IfIIB", packet, 45 + length)
    values = struct.unpack_from(f">{count}f", packet, 45 + length + 17)
    assert len(packet) == 45 + length + 17 + 4 * count
    return {"version": version, "device": device, "name": name, "frame": frame, "part": part,
            "rate": (rate, denominator), "values": values}  # fmt: skip


def read_ifacialmocap(packet: bytes) -> tuple[dict[str, int], dict[str, list[float]]]:
    """Shapes 0..100 and the bones' numbers."""
    shapes, bones = {}, {}
    for part in packet.decode().split("|"):
        if "#" in part:
            name, numbers = part.split("#")
            bones[name.lstrip("=")] = [float(number) for number in numbers.split(",")]
        elif part:
            name, weight = part.rsplit("-", 1)
            shapes[name] = int(weight)
    return shapes, bones


OPENSEEFACE = np.dtype(
    [("time", "<f8"), ("id", "<i4"), ("size", "<f4", 2), ("open", "<f4", 2), ("success", "u1"), ("error", "<f4"),
     ("quaternion", "<f4", 4), ("euler", "<f4", 3), ("place", "<f4", 3), ("confidence", "<f4", 68),
     ("points", "<f4", (68, 2)), ("solid", "<f4", (70, 3)), ("features", "<f4", 14)]
)  # fmt: skip


def read_openseeface(packet: bytes) -> np.ndarray:
    """(faces,) records; open: right, left; points: y, x."""
    return np.frombuffer(packet, OPENSEEFACE)
