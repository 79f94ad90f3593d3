"""The avatar's colours, as display values, and where each lies on the head (before it is warped)."""

from __future__ import annotations

import numpy as np

from realtime.face.regions import FaceRegion
from tools.avatar_build.solids import Colour
from tools.avatar_build.warp import smooth

SKIN: Colour = (0.95, 0.74, 0.60)
BLUSH: Colour = (0.93, 0.52, 0.46)
LIPS: Colour = (0.86, 0.50, 0.46)
HAIR: Colour = (0.36, 0.22, 0.15)
HAT: Colour = (0.16, 0.47, 0.60)
HAT_BRIM: Colour = (0.96, 0.72, 0.26)
SCARF: Colour = (0.96, 0.72, 0.26)
INSIDE: Colour = (0.45, 0.13, 0.15)
TEETH: Colour = (0.99, 0.98, 0.95)
TONGUE: Colour = (0.88, 0.42, 0.44)
CHEEK_MM = (46.0, -36.0)
SMOOTHINGS = 2


def paint(points: np.ndarray, regions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V, 3) colours of the head's vertices at rest, in mm before the warp; edges between regions are softened."""
    colours = np.tile(np.array(SKIN), (len(points), 1))
    cheek = np.exp(-(((np.abs(points[:, 0]) - CHEEK_MM[0]) / 15) ** 2) - ((points[:, 1] - CHEEK_MM[1]) / 12) ** 2)
    colours += 0.45 * (cheek * (points[:, 2] > -20))[:, None] * (np.array(BLUSH) - SKIN)
    hair = smooth(hairline(points) / 8)[:, None]
    colours += hair * (np.array(HAIR) - colours)
    for region in (FaceRegion.U_LIP, FaceRegion.L_LIP):
        colours[regions == region] = LIPS
    fixed = np.zeros(len(points), bool)
    for region, colour in ((FaceRegion.MOUTH, INSIDE), (FaceRegion.TEETH, TEETH), (FaceRegion.TONGUE, TONGUE)):
        colours[regions == region] = colour
        fixed |= regions == region
    return _softened(colours, fixed, triangles)


def hairline(points: np.ndarray) -> np.ndarray:
    """(V,) mm: above 0 where hair grows, behind the ears and over them."""
    y, z = points[:, 1], points[:, 2]
    behind_ears = -z - 84 - 0.35 * (y + 40)
    above = y + 70 + 0.2 * (z + 100)
    temples = np.where(y > 0, (y - 12) * 0.6 + (-z - 48), -99.0)
    return np.maximum(np.minimum(behind_ears, above), temples)


def _softened(colours: np.ndarray, fixed: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Each vertex mixed with its neighbours, except those that are `fixed`."""
    for _ in range(SMOOTHINGS):
        total, count = colours.copy(), np.ones((len(colours), 1))
        for a, b in ((0, 1), (1, 2), (2, 0)):
            both = ~fixed[triangles[:, a]] & ~fixed[triangles[:, b]]
            for one, other in ((triangles[both, a], triangles[both, b]), (triangles[both, b], triangles[both, a])):
                np.add.at(total, one, colours[other])
                np.add.at(count, one, 1)
        colours = np.where(fixed[:, None], colours, total / count)
    return colours
