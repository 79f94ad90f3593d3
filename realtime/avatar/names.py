"""Which ARKit blendshape, head or eye a name in an avatar file means, whoever wrote the file."""

from __future__ import annotations

import re

from realtime.face.blendshapes import ARKIT_NAMES

DIRECTIONS = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")  # their "Left" is no side: jaw_L is not said


def _aliases() -> dict[str, str]:
    """Lower-case letters and digits -> ARKit name: as it is, and with L or R for the side."""
    found = {name.lower(): name for name in ARKIT_NAMES}
    for name in ARKIT_NAMES:
        for side in ("Left", "Right"):
            if name.endswith(side) and name not in DIRECTIONS:
                found[f"{name.removesuffix(side)}{side[0]}".lower()] = name
    return found


ALIASES = _aliases()
HEADS = {"head": "head"}
EYES = {name: side for side, letter in (("left", "l"), ("right", "r"))
        for name in (f"{side}eye", f"eye{side}", f"{letter}eye", f"eye{letter}", f"{side}eyeball", f"eyeball{letter}",
                     f"eyeball{side}")}  # fmt: skip


def arkit_name(label: str) -> str | None:
    """ARKit's name for jawOpen, JawOpen, jaw_open, mouthSmile_L, blendShape1.jawOpen, Face_EyeBlinkLeft ..."""
    return _find(label, ALIASES)


def is_head(label: str) -> bool:
    """Head, mixamorig:Head, J_Bip_C_Head ...; not HeadTop_End."""
    return _find(label, HEADS) is not None


def eye_side(label: str) -> str | None:
    """"left" or "right" for LeftEye, eye.L, CC_Base_R_Eye, mixamorig:RightEye ...; None for anything else."""
    return _find(label, EYES)


def _find(label: str, table: dict[str, str]) -> str | None:
    """What the whole label means, or else its longest known ending that begins behind a separator."""
    words = [word for word in re.split(r"[^0-9A-Za-z]+", label) if word]
    endings = ("".join(words[first:]).lower() for first in range(len(words)))
    return next((table[ending] for ending in endings if ending in table), None)
