"""What a VRM file (0.x or 1.0) says about itself: expressions, which move morph targets, and humanoid bones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from realtime.avatar.gltf import Gltf
from realtime.avatar.names import arkit_name

# (mesh, target, weight at full strength): what one expression does
Binds = list[tuple[int, int, float]]
# Preset expressions that stand in where a file has no "perfect sync" (ARKit-named) expression.
PRESETS = {
    "a": "jawOpen", "aa": "jawOpen", "u": "mouthPucker", "ou": "mouthPucker", "o": "mouthFunnel", "oh": "mouthFunnel",
    "blink_l": "eyeBlinkLeft", "blinkleft": "eyeBlinkLeft", "blink_r": "eyeBlinkRight", "blinkright": "eyeBlinkRight",
}  # fmt: skip


def expressions(gltf: Gltf) -> dict[str, Binds]:
    """ARKit name -> morph targets, of the expressions so named; of presets where no expression is."""
    named: dict[str, Binds] = {}
    presets: dict[str, Binds] = {}
    for label, binds in _all(gltf):
        if (name := arkit_name(label)) is not None:
            named.setdefault(name, binds)
        elif label.lower() in PRESETS:
            presets.setdefault(PRESETS[label.lower()], binds)
    return named or presets


def bone(gltf: Gltf, name: str) -> int | None:
    """The node of a humanoid bone ("head", "leftEye", "rightEye"); None where the file names none."""
    one = _extension(gltf, "VRMC_vrm").get("humanoid", {}).get("humanBones", {}).get(name)
    if one is not None:
        return int(one["node"])
    bones = _extension(gltf, "VRM").get("humanoid", {}).get("humanBones", [])
    return next((int(entry["node"]) for entry in bones if entry.get("bone") == name), None)


def _all(gltf: Gltf) -> Iterator[tuple[str, Binds]]:
    for group in _extension(gltf, "VRM").get("blendShapeMaster", {}).get("blendShapeGroups", []):
        binds = [(bind["mesh"], bind["index"], bind["weight"] / 100) for bind in group.get("binds") or []]
        for label in (group.get("name", ""), group.get("presetName", "")):
            yield label, binds
    known = _extension(gltf, "VRMC_vrm").get("expressions", {})
    for kind in ("custom", "preset"):
        for label, expression in known.get(kind, {}).items():
            binds = [(gltf.document["nodes"][bind["node"]]["mesh"], bind["index"], bind["weight"])
                     for bind in expression.get("morphTargetBinds") or []]  # fmt: skip
            yield label, binds


def _extension(gltf: Gltf, name: str) -> dict[str, Any]:
    found: dict[str, Any] = gltf.document.get("extensions", {}).get(name, {})
    return found
