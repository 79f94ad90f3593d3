"""Whole packets of one known face, laid out by hand from each protocol's documented layout; no encoder of ours is used.

The face: shapes as in SHAPES, the others 0; its head turned by a quarter to its left, 100 mm to the image's right of
the middle, 50 mm above it and a metre away. It is seen 2.5 s after the start, at 30 frames a second, in 640x480.
"""

from __future__ import annotations

import struct

import numpy as np

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import COUNT, SLICES, Pose
from realtime.face.drive import Drive, Eye
from realtime.frame import Face
from tests.realtime.stages.conftest import face_at

TIME_S = 2.5
SHAPES = {
    "eyeBlinkLeft": 1.0, "eyeBlinkRight": 0.5, "eyeLookOutLeft": 0.25, "jawLeft": 0.125, "jawOpen": 0.5,
    "mouthRight": 0.75, "mouthSmileLeft": 0.5, "mouthSmileRight": 0.5, "browDownLeft": 0.25, "tongueOut": 0.875,
}  # fmt: skip


def golden_face() -> Face:
    head = Pose(0.0, np.pi / 2, 0.0, 0.64, 319.5 + 64, 239.5 - 32)
    coefficients = np.zeros(COUNT, np.float32)
    coefficients[SLICES["pose"]] = (0.0, np.pi / 2, 0.0, 0.64, 319.5 + 64, 239.5 - 32)
    weights = dict.fromkeys(ARKIT_NAMES, 0.0) | SHAPES
    drive = Drive(weights, head, Eye(yaw=np.pi / 8), Eye(pitch=np.pi / 16))
    return face_at(track=3).with_(coefficients=coefficients, drive=drive)


# --- VMC: OSC 1.0, big-endian; strings end in a zero and fill four bytes ---------------------------------------------


def _text(text: str) -> bytes:
    return text.encode() + b"\0" * (4 - len(text) % 4)


def _value(name: str, weight: float) -> bytes:
    return _text("/VMC/Ext/Blend/Val") + b",sf\0" + _text(name) + struct.pack(">f", weight)


def _bone(address: str, name: str, turn: tuple[float, float, float, float]) -> bytes:
    return _text(address) + b",sfffffff\0\0\0" + _text(name) + bytes(12) + struct.pack(">4f", *turn)


def _bundle(*messages: bytes) -> bytes:
    elements = b"".join(struct.pack(">i", len(message)) + message for message in messages)
    return b"#bundle\0" + b"\0\0\0\0\0\0\0\x01" + elements


_SIN18, _COS18 = 0.3090169943749474, 0.9510565162951535  # the neck's 36 degrees, halved
_SIN27, _COS27 = 0.4539904997395468, 0.8910065241883679  # the head's 54
_SIN11, _COS11 = 0.19509032201612825, 0.9807852804032304  # an eye's 22.5
_SIN5, _COS5 = 0.0980171403295606, 0.9951847266721969  # the other's 11.25
_VRM0 = {
    "A": 0.375, "I": 0, "U": 0, "E": 0.125, "O": 0, "Joy": 0.5, "Angry": 0.0625, "Sorrow": 0, "Fun": 0, "Blink": 0.5,
    "Blink_L": 0.5, "Blink_R": 0, "LookUp": 0, "LookDown": 0, "LookLeft": 0.125, "LookRight": 0, "Neutral": 0,
}  # fmt: skip
_CLIPS = {
    "EyeBlinkLeft": 1, "EyeLookDownLeft": 0, "EyeLookInLeft": 0, "EyeLookOutLeft": 0.25, "EyeLookUpLeft": 0,
    "EyeSquintLeft": 0, "EyeWideLeft": 0, "EyeBlinkRight": 0.5, "EyeLookDownRight": 0, "EyeLookInRight": 0,
    "EyeLookOutRight": 0, "EyeLookUpRight": 0, "EyeSquintRight": 0, "EyeWideRight": 0, "JawForward": 0,
    "JawLeft": 0.125, "JawRight": 0, "JawOpen": 0.5, "MouthClose": 0, "MouthFunnel": 0, "MouthPucker": 0,
    "MouthLeft": 0,
    "MouthRight": 0.75, "MouthSmileLeft": 0.5, "MouthSmileRight": 0.5, "MouthFrownLeft": 0, "MouthFrownRight": 0,
    "MouthDimpleLeft": 0, "MouthDimpleRight": 0, "MouthStretchLeft": 0, "MouthStretchRight": 0, "MouthRollLower": 0,
    "MouthRollUpper": 0, "MouthShrugLower": 0, "MouthShrugUpper": 0, "MouthPressLeft": 0, "MouthPressRight": 0,
    "MouthLowerDownLeft": 0, "MouthLowerDownRight": 0, "MouthUpperUpLeft": 0, "MouthUpperUpRight": 0,
    "BrowDownLeft": 0.25, "BrowDownRight": 0, "BrowInnerUp": 0, "BrowOuterUpLeft": 0, "BrowOuterUpRight": 0,
    "CheekPuff": 0, "CheekSquintLeft": 0, "CheekSquintRight": 0, "NoseSneerLeft": 0, "NoseSneerRight": 0,
    "TongueOut": 0.875,
}  # fmt: skip


def golden_vmc() -> list[bytes]:
    """Three datagrams of at most 1400 bytes. Quaternions x, y, z, w of left-handed axes: a turn to one's left is -y."""
    bone, values = "/VMC/Ext/Bone/Pos", [_value(name, weight) for name, weight in (_VRM0 | _CLIPS).items()]
    first, second = values[:23], values[23:52]  # 1396 bytes up to EyeSquintLeft, 1376 up to MouthShrugUpper
    head = [
        _text("/VMC/Ext/OK") + b",iiii\0\0\0" + struct.pack(">4i", 1, 3, 0, 1),
        _text("/VMC/Ext/T") + b",f\0\0" + b"\x40\x20\0\0",
        _bone("/VMC/Ext/Root/Pos", "root", (0.0, 0.0, 0.0, 1.0)),
        _bone(bone, "Neck", (0.0, -_SIN18, 0.0, _COS18)),
        _bone(bone, "Head", (0.0, -_SIN27, 0.0, _COS27)),
        _bone(bone, "LeftEye", (0.0, -_SIN11, 0.0, _COS11)),
        _bone(bone, "RightEye", (_SIN5, 0.0, 0.0, _COS5)),
    ]
    return [_bundle(*head, *first), _bundle(*second), _bundle(*values[52:], b"/VMC/Ext/Blend/Apply\0\0\0\0,\0\0\0")]


# --- Live Link Face: packets and recording ---------------------------------------------------------------------------


def golden_livelink() -> bytes:
    """Subject Nakedeye; its uuid is version 5 of that name in the DNS name space."""
    rest = b"\0\0\0\0"
    half, quarter, eighth = b"\x3f\0\0\0", b"\x3e\x80\0\0", b"\x3e\0\0\0"
    return b"".join([
        b"\x06\0\0\0", b"$07d61198-f3d8-5341-a4e1-f3c3b327ab7e", b"\0\0\0\x08Nakedeye",
        b"\0\0\0\x4b", rest, b"\0\0\0\x1e", b"\0\0\0\x01", b"\x3d",  # frame 75 and no part of one, 30 / 1, 61 values
        b"\x3f\x80\0\0", rest * 2, quarter, rest * 3,  # left eye: blink, look out
        half, rest * 6,  # right eye: blink
        rest, eighth, rest, half,  # jaw forward, left, right, open
        rest * 4, b"\x3f\x40\0\0",  # mouth close, funnel, pucker, left, right
        half, half, rest * 16,  # smiles
        quarter, rest * 9, b"\x3f\x60\0\0",  # brow down left, tongue
        half, rest, rest,  # head: half a half turn to the left
        eighth, rest, rest,  # left eye
        rest, b"\x3d\x80\0\0", rest,  # right eye
    ])  # fmt: skip


GOLDEN_CSV = (
    "Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,"
    "EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,"
    "EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,"
    "MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,"
    "MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,"
    "MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,"
    "BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,"
    "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll\n"
    "00:00:02:15.000,61,1.00000000,0.00000000,0.00000000,0.25000000,0.00000000,0.00000000,0.00000000,0.50000000,"
    "0.00000000,0.00000000,0.00000000,0.00000000,0.00000000,0.00000000,0.00000000,0.00000000,0.12500000,0.50000000,"
    "0.00000000,0.00000000,0.00000000,0.75000000,0.00000000,0.50000000,0.50000000,0.00000000,0.00000000,0.00000000,"
    "0.00000000,0.00000000,0.00000000,0.00000000,0.00000000,0.00000000,0.00000000,0.00000000,0.00000000,0.00000000,"
    "0.00000000,0.00000000,0.00000000,0.25000000,0.00000000,0.00000000,0.00000000,0.00000000,0.00000000,0.00000000,"
    "0.00000000,0.00000000,0.00000000,0.87500000,0.50000000,0.00000000,0.00000000,0.12500000,0.00000000,0.00000000,"
    "0.00000000,0.06250000,0.00000000\n"
)

GOLDEN_IFACIALMOCAP = (
    b"eyeBlink_L-100|eyeLookDown_L-0|eyeLookIn_L-0|eyeLookOut_L-25|eyeLookUp_L-0|eyeSquint_L-0|eyeWide_L-0|"
    b"eyeBlink_R-50|eyeLookDown_R-0|eyeLookIn_R-0|eyeLookOut_R-0|eyeLookUp_R-0|eyeSquint_R-0|eyeWide_R-0|"
    b"jawForward-0|jawLeft-12|jawRight-0|jawOpen-50|mouthClose-0|mouthFunnel-0|mouthPucker-0|mouthLeft-0|"
    b"mouthRight-75|mouthSmile_L-50|mouthSmile_R-50|mouthFrown_L-0|mouthFrown_R-0|mouthDimple_L-0|mouthDimple_R-0|"
    b"mouthStretch_L-0|mouthStretch_R-0|mouthRollLower-0|mouthRollUpper-0|mouthShrugLower-0|mouthShrugUpper-0|"
    b"mouthPress_L-0|mouthPress_R-0|mouthLowerDown_L-0|mouthLowerDown_R-0|mouthUpperUp_L-0|mouthUpperUp_R-0|"
    b"browDown_L-25|browDown_R-0|browInnerUp-0|browOuterUp_L-0|browOuterUp_R-0|cheekPuff-0|cheekSquint_L-0|"
    b"cheekSquint_R-0|noseSneer_L-0|noseSneer_R-0|tongueOut-88|"
    b"=head#0.00000,90.00000,0.00000,0.10000,0.05000,-1.00000|"
    b"rightEye#11.25000,0.00000,0.00000|leftEye#0.00000,22.50000,0.00000|"
)
