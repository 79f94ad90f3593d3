"""Hand-set colours: of eyes, teeth and the mouth's inside for good, of the skin until one has been learnt."""

from __future__ import annotations

import numpy as np

from realtime.face.blendshapes import EXPRESSION_NAMES
from realtime.face.light import AMBIENT
from realtime.face.regions import EYEBALLS, FaceRegion
from tools.face_build.eyeballs import IRIS, PUPIL

COLOURS = {
    FaceRegion.SKIN: (0.76, 0.58, 0.49), FaceRegion.NOSE: (0.77, 0.57, 0.48), FaceRegion.EAR: (0.74, 0.53, 0.45),
    FaceRegion.HEAD: (0.70, 0.54, 0.46), FaceRegion.NECK: (0.70, 0.53, 0.45), FaceRegion.L_BROW: (0.42, 0.31, 0.26),
    FaceRegion.R_BROW: (0.42, 0.31, 0.26), FaceRegion.U_LIP: (0.68, 0.40, 0.37), FaceRegion.L_LIP: (0.71, 0.43, 0.40),
    FaceRegion.TEETH: (0.86, 0.82, 0.75), FaceRegion.TONGUE: (0.64, 0.33, 0.32), FaceRegion.MOUTH: (0.34, 0.12, 0.11),
    FaceRegion.EYE_SOCKET: (0.60, 0.40, 0.35),
}  # fmt: skip
PUPIL_COLOUR, IRIS_COLOUR, LIMBUS_COLOUR = (0.04, 0.035, 0.03), (0.30, 0.20, 0.13), (0.16, 0.11, 0.08)
SCLERA_COLOUR, SCLERA_EDGE = (0.86, 0.84, 0.82), (0.78, 0.64, 0.60)


def hand_set(regions: np.ndarray, eyeball_angle: np.ndarray) -> np.ndarray:
    """(V,) regions and radians from the optical axis -> (V, 3) float32 RGB."""
    colours = np.zeros((len(regions), 3), np.float32)
    for region, colour in COLOURS.items():
        colours[regions == region] = colour
    ball = np.isin(regions, EYEBALLS)
    knots = [0, PUPIL * 1.01, PUPIL * 1.1, IRIS * 0.94, IRIS, IRIS * 1.05, np.radians(45), np.radians(80)]
    ramp = np.array([PUPIL_COLOUR, PUPIL_COLOUR, IRIS_COLOUR, IRIS_COLOUR, LIMBUS_COLOUR, SCLERA_COLOUR, SCLERA_COLOUR,
                     SCLERA_EDGE])  # fmt: skip
    for channel in range(3):
        colours[ball, channel] = np.interp(eyeball_angle[ball], knots, ramp[:, channel])
    return colours


def plain_albedo(regions: np.ndarray, eyeball_angle: np.ndarray, live: int) -> dict[str, np.ndarray]:
    """Arrays of an albedo.npz without any variation."""
    empty = np.zeros((2, 80, len(regions), 3), np.uint8)
    return {
        "mean": hand_set(regions, eyeball_angle), "albedo_live": empty[:, :, :live], "albedo_rest": empty[:, :, live:],
        "albedo_steps": np.ones(80, np.float32), "expression_mean": np.zeros(len(EXPRESSION_NAMES), np.float32),
        "expression_spread": np.zeros((len(EXPRESSION_NAMES),) * 2, np.float32), "light_mean": AMBIENT,
        "light_spread": np.zeros((9, 9), np.float32),
    }  # fmt: skip
