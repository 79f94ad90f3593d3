"""Names of blendshapes and bones, in the styles that programs write."""

import pytest

from realtime.avatar.names import arkit_name, eye_side, is_head
from realtime.face.blendshapes import ARKIT_NAMES

STYLES = {
    "ARKit": str,
    "Live Link Face": lambda name: name[0].upper() + name[1:],
    "iFacialMocap": lambda name: name.replace("Left", "_L").replace("Right", "_R") if name not in BARE else name,
    "Blender": lambda name: name.replace("Left", ".L").replace("Right", ".R") if name not in BARE else name,
    "Maya": lambda name: f"blendShape1.{name}",
    "Maya, FaceCap": lambda name: f"head_blendShape1_0.{name}".replace("Left", "_L") if name not in BARE else name,
    "a prefix": lambda name: f"Face_ARKit_{name}",
    "snake case": lambda name: "".join(f"_{c.lower()}" if c.isupper() else c for c in name),
    "upper case": str.upper,
    "FBX": lambda name: f"Model::{name}",
}
BARE = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")


@pytest.mark.parametrize("style", STYLES)
def test_every_shape_is_known_in_every_style(style):
    assert {name: arkit_name(STYLES[style](name)) for name in ARKIT_NAMES} == {name: name for name in ARKIT_NAMES}


@pytest.mark.parametrize(
    "label", ["", "_", "Basis", "hair_L", "mouth_L", "jaw", "Fcl_MTH_A", "blink", "jawOpen2", "Left"]
)
def test_other_names_are_none_of_them(label):
    assert arkit_name(label) is None


@pytest.mark.parametrize("label", ["Head", "head", "mixamorig:Head", "J_Bip_C_Head", "CC_Base_Head", "Armature|Head"])
def test_heads(label):
    assert is_head(label) and eye_side(label) is None


@pytest.mark.parametrize("label", ["HeadTop_End", "head_end", "forehead", "Neck", "headset"])
def test_no_heads(label):
    assert not is_head(label)


@pytest.mark.parametrize(
    "label", ["LeftEye", "eye_L", "eye.L", "Eye_Left", "mixamorig:LeftEye", "CC_Base_L_Eye", "leftEyeball", "EyeLeft"]
)
def test_eyes_know_their_side(label):
    assert eye_side(label) == "left"
    mirrored = label.replace("Left", "Right").replace("left", "right")
    mirrored = mirrored.replace("_L", "_R").replace(".L", ".R")
    assert eye_side(mirrored) == "right"
    assert eye_side(label + "_end") is None
