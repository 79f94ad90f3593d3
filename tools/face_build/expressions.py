"""The 64 expression shapes: the source's under ARKit's names, gaze that turns the eyeballs, and what the source lacks.

Made here: tongueOut, tongueUp, tongueSide, nostrilFlare, browSqueeze, lipPuffUpper, lipPuffLower.
"""

from __future__ import annotations

import numpy as np

from realtime.face.blendshapes import EXPRESSION_NAMES
from tools.face_build.eyeballs import LOOK, Eyeball, dilated, looking
from tools.face_build.source import FACE, GUMS, TEETH, SourceHead

BODY = TEETH.stop  # vertices taken from the source; our own eyeballs follow
# Where the tongue lies in the mean head, mm.
TONGUE_ROOT_Z, TONGUE_BEND_Z, TONGUE_TIP_Z = -22.0, 2.0, 18.6
TONGUE_WIDTH, TONGUE_FLOOR_Y = 16.8, -84.3


def expression_basis(head: SourceHead, eyes: tuple[Eyeball, Eyeball]) -> np.ndarray:
    """(64, BODY + both eyeballs, 3) float32 mm, in the order of EXPRESSION_NAMES. eyes: left, right."""
    made = made_shapes(head)
    balls = sum(len(eye.offsets) for eye in eyes)
    basis = np.zeros((len(EXPRESSION_NAMES), BODY + balls, 3), np.float32)
    for number, name in enumerate(EXPRESSION_NAMES):
        basis[number, :BODY] = made[name][:BODY] if name in made else from_source(head, name)[:BODY]
        basis[number, BODY:] = np.concatenate([eyeball_motion(name, eye, side) for side, eye in enumerate(eyes)])
    return basis


def from_source(head: SourceHead, name: str) -> np.ndarray:
    """(V, 3) the source's shape of that name, its left and right halves added or set against each other."""
    shapes = head.expression
    if name in shapes:
        return shapes[name]
    if name in ("browInnerUp", "cheekPuff"):
        return shapes[f"{name}_L"] + shapes[f"{name}_R"]
    if name.endswith("Asymmetry"):
        stem = name.removesuffix("Asymmetry")
        return (shapes[f"{stem}_L"] - shapes[f"{stem}_R"]) / 2
    stem, side = (name[:-4], "_L") if name.endswith("Left") else (name[:-5], "_R")
    if stem == "pupilDilate":
        return np.zeros_like(head.mean, np.float32)
    return shapes[stem + side]


def eyeball_motion(name: str, eye: Eyeball, side: int) -> np.ndarray:
    """(N, 3) what the shape does to one eyeball; side 0 is left."""
    ending = ("Left", "Right")[side]
    if name == f"pupilDilate{ending}":
        return dilated(eye)
    if name.startswith("eyeLook") and name.endswith(ending):
        direction = name.removeprefix("eyeLook").removesuffix(ending)
        if direction in LOOK:
            return looking(eye, direction, is_left=side == 0)
    return np.zeros_like(eye.offsets)


def tongue_mask(head: SourceHead) -> np.ndarray:
    """(V,) 0..1 along the tongue: near 0 at its root, 1 at its tip; exactly 0 elsewhere.

    The tongue is joined to the gums in the source: it is what moves with the jaw, lies within the lower arch (which
    narrows like an ellipse to the front) and above the mouth's floor.
    """
    x, y, z = head.mean[GUMS].T
    with_jaw = np.abs(head.expression["jawOpen"][GUMS]).max(1) > 1
    half_width = TONGUE_WIDTH * np.sqrt(np.clip(1 - (np.maximum(z - TONGUE_BEND_Z, 0) / 18) ** 2, 0, 1))
    above_floor = y > TONGUE_FLOOR_Y + 0.06 * (z - TONGUE_ROOT_Z)
    inside = with_jaw & (np.abs(x) < half_width) & above_floor & (z < TONGUE_TIP_Z + 1)
    along = np.clip((z - TONGUE_ROOT_Z) / (TONGUE_TIP_Z - TONGUE_ROOT_Z), 0.01, 1)
    mask = np.zeros(len(head.mean))
    mask[GUMS] = inside * along**1.2
    return mask


def made_shapes(head: SourceHead) -> dict[str, np.ndarray]:
    points = head.mean[head.landmarks]
    tongue = tongue_mask(head)[:, None]

    def bump(centre: np.ndarray, radius: tuple[float, float, float]) -> np.ndarray:
        weight = np.zeros((len(head.mean), 1))
        distance = (((head.mean[FACE] - centre) / radius) ** 2).sum(1)
        weight[FACE, 0] = np.exp(-distance)
        return weight

    nostrils = bump(points[35], (6, 7, 9)) - bump(points[31], (6, 7, 9))
    brows = bump(points[22], (11, 11, 14)) - bump(points[21], (11, 11, 14))
    upper_lip = bump((points[33] + 2 * points[51]) / 3, (17, 7, 12))
    lower_lip = bump((2 * points[57] + points[8]) / 3, (17, 9, 14))
    return {
        "tongueOut": tongue * [0, 2, 34],
        "tongueUp": tongue * [0, 12, 1],
        "tongueSide": tongue * [11, 0, 0],
        "nostrilFlare": nostrils * [2.8, 0.6, 0],
        "browSqueeze": brows * [-3.2, 0, 0] + np.abs(brows) * [0, -1, 0.6],
        "lipPuffUpper": upper_lip * [0, 0, 5],
        "lipPuffLower": lower_lip * [0, 0, 5],
    }
