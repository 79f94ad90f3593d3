"""VMC protocol 2.8 as a performer: OSC over UDP, port 39539. Axes of Unity: left-handed, y up, z forward, metres."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from realtime.face.coefficients import rotation_matrix
from realtime.face.drive import Drive
from realtime.frame import Face
from realtime.sinks.senders import osc
from realtime.sinks.senders.base import Moment
from realtime.sinks.senders.vmc_names import perfect_sync, vrm0, vrm1
from realtime.smoothing import quaternion_from_rotation, slerp

PORT = 39539
NECK = 0.4  # of the head's turn that the neck makes
STILL = np.array([1.0, 0.0, 0.0, 0.0])
CALIBRATED, NORMAL = 3, 0  # state and mode of /VMC/Ext/OK
NAMES: dict[str, Callable[[Mapping[str, float], str], dict[str, float]]] = {
    "vrm0": lambda shapes, case: vrm0(shapes),
    "vrm1": lambda shapes, case: vrm1(shapes),
    "perfectsync": perfect_sync,
}


class Vmc:
    """names: which of `NAMES` are sent, in this order. case: of perfect sync's names, pascal or camel."""

    many = False

    def __init__(self, names: Sequence[str] = ("vrm0", "perfectsync"), case: str = "pascal"):
        self.names, self.case = tuple(names), case

    def encode(self, faces: Sequence[Face], moment: Moment) -> list[bytes]:
        drive = faces[0].drive if faces else None
        return osc.bundles([*self._state(moment, drive is not None), *(self._face(drive) if drive else ())])

    def _state(self, moment: Moment, tracked: bool) -> list[bytes]:
        return [
            osc.message("/VMC/Ext/OK", 1, CALIBRATED, NORMAL, int(tracked)),
            osc.message("/VMC/Ext/T", float(moment.time_s)),
        ]

    def _face(self, drive: Drive) -> list[bytes]:
        messages = [transform("/VMC/Ext/Root/Pos", "root", STILL)]
        messages += [transform("/VMC/Ext/Bone/Pos", name, turn) for name, turn in bones(drive).items()]
        weights: dict[str, float] = {}
        for name in self.names:
            weights |= NAMES[name](drive.shapes, self.case)
        messages += [osc.message("/VMC/Ext/Blend/Val", name, float(weight)) for name, weight in weights.items()]
        return [*messages, osc.message("/VMC/Ext/Blend/Apply")]


def bones(drive: Drive) -> dict[str, np.ndarray]:
    """Local (4,) quaternions w, x, y, z of the bones that a face moves, by Unity's names, in our axes."""
    pose = drive.pose
    whole = quaternion_from_rotation(rotation_matrix(pose.pitch, pose.yaw, pose.roll))
    return {
        "Neck": slerp(STILL, whole, NECK),
        "Head": slerp(STILL, whole, 1 - NECK),  # shares of one turn have one axis: together they make it
        "LeftEye": quaternion_from_rotation(drive.left.rotation),
        "RightEye": quaternion_from_rotation(drive.right.rotation),
    }


def transform(address: str, name: str, turn: np.ndarray) -> bytes:
    """A bone at its own place, turned by a (4,) quaternion w, x, y, z of our axes (x to the subject's left)."""
    w, x, y, z = (float(v) for v in turn)
    to_unity = (x, -y, -z, w)  # its x runs to the avatar's right
    return osc.message(address, name, 0.0, 0.0, 0.0, *(number + 0.0 for number in to_unity))  # never minus zero
