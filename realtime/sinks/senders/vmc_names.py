"""ARKit weights as the expressions that VRM avatars have: VRM 0 presets, VRM 1 presets, perfect sync clips."""

from __future__ import annotations

from collections.abc import Mapping

from realtime.face.blendshapes import ARKIT_NAMES

VRM1_OF_VRM0 = {
    "A": "aa", "I": "ih", "U": "ou", "E": "ee", "O": "oh", "Joy": "happy", "Angry": "angry", "Sorrow": "sad",
    "Fun": "relaxed", "Blink": "blink", "Blink_L": "blinkLeft", "Blink_R": "blinkRight", "LookUp": "lookUp",
    "LookDown": "lookDown", "LookLeft": "lookLeft", "LookRight": "lookRight", "Neutral": "neutral",
}  # fmt: skip


def perfect_sync(shapes: Mapping[str, float], case: str = "pascal") -> dict[str, float]:
    """The 52 clips of perfect sync, BrowDownLeft (pascal) or browDownLeft (camel)."""
    first = str.upper if case == "pascal" else str.lower
    return {first(name[0]) + name[1:]: shapes[name] for name in ARKIT_NAMES}


def vrm1(shapes: Mapping[str, float]) -> dict[str, float]:
    """The presets of VRM 1."""
    surprised = min(shapes["browInnerUp"], _both(shapes, "eyeWide"))
    return {VRM1_OF_VRM0[name]: weight for name, weight in vrm0(shapes).items()} | {"surprised": surprised}


def vrm0(shapes: Mapping[str, float]) -> dict[str, float]:
    """The presets of VRM 0. Blink is what both eyes share, Blink_L and Blink_R the rest: together they never overshoot.

    Five vowels from jaw, rounding and spreading of the lips; Joy, Angry and Sorrow from corners and brows.
    """
    jaw = shapes["jawOpen"]
    rounded = max(shapes["mouthFunnel"], shapes["mouthPucker"])
    spread = max(_both(shapes, "mouthStretch"), _both(shapes, "mouthSmile"))
    left, right = shapes["eyeBlinkLeft"], shapes["eyeBlinkRight"]
    both = min(left, right)
    smile = _both(shapes, "mouthSmile")
    to_left = (shapes["eyeLookOutLeft"] + shapes["eyeLookInRight"]) / 2
    to_right = (shapes["eyeLookInLeft"] + shapes["eyeLookOutRight"]) / 2
    return {
        "A": jaw * (1 - rounded) * (1 - spread / 2),
        "I": (1 - jaw) * (1 - rounded) * _both(shapes, "mouthStretch"),
        "U": (1 - jaw) * rounded,
        "E": jaw * (1 - rounded) * spread / 2,
        "O": jaw * rounded,
        "Joy": smile,
        "Angry": _both(shapes, "browDown") * (1 - smile),
        "Sorrow": _both(shapes, "mouthFrown"),
        "Fun": 0.0,  # no movement of the face tells it from Joy
        "Blink": both,
        "Blink_L": left - both,
        "Blink_R": right - both,
        "LookUp": _both(shapes, "eyeLookUp"),
        "LookDown": _both(shapes, "eyeLookDown"),
        "LookLeft": to_left,
        "LookRight": to_right,
        "Neutral": 0.0,
    }


def _both(shapes: Mapping[str, float], stem: str) -> float:
    return (shapes[f"{stem}Left"] + shapes[f"{stem}Right"]) / 2
