"""The 64 expression shapes: the source's blendshapes under ARKit's names, gaze that turns the eyeballs, and what it lacks.

Made here: tongueOut, tongueUp, tongueSide, nostrilFlare, browSqueeze, lipPuffUpper, lipPuffLower.
"""

from __future__ import annotations

import numpy as np

from realtime.face.blendshapes import EXPRESSION_NAMES
from tools.face_build.eyeballs import LOOK, Eyeball, dilated, looking
from tools.face_build.source import FACE, GUMS, TEETH, SourceHead

BODY = TEETH.stop  # vertices taken from the source; our own eyeballs follow


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
    """(V,) 0..1 along the tongue: 0 at its root and elsewhere, 1 at its tip."""
    mean = head.mean
    gums, teeth = mean[GUMS], mean[TEETH]
    lower = teeth[:, 1] < np.median(teeth[:, 1])
    arch = teeth[lower]
    half_width = np.array([np.abs(arch[np.abs(arch[:, 2] - z) < 4, 0]).min(initial=np.inf) for z in gums[:, 2]])
    half_width = np.where(np.isfinite(half_width), half_width, np.abs(arch[:, 0]).max() - 10)
    front = arch[:, 2].max()
    inside = (np.abs(gums[:, 0]) < half_width + 1.0) & (gums[:, 2] < front - 5)
    inside &= (gums[:, 1] < teeth[~lower, 1].min() + 8) & (gums[:, 1] > arch[:, 1].min() + 6)
    tip, root = gums[inside, 2].max(), gums[inside, 2].max() - 45
    along = np.clip((gums[:, 2] - root) / (tip - root), 0, 1)
    mask = np.zeros(len(mean))
    mask[GUMS] = inside * along**1.5
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
        "tongueOut": tongue * [0, -4, 30],
        "tongueUp": tongue * [0, 12, 1],
        "tongueSide": tongue * [11, 0, 0],
        "nostrilFlare": nostrils * [2.8, 0.6, 0],
        "browSqueeze": brows * [-3.2, 0, 0] + np.abs(brows) * [0, -1, 0.6],
        "lipPuffUpper": upper_lip * [0, 0, 5],
        "lipPuffLower": lower_lip * [0, 0, 5],
    }
