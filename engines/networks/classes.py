"""Classes of the deleter's parsing map M: CelebAMask-HQ's names where they exist, its `eye_g` split in four."""

from __future__ import annotations

from enum import IntEnum


class Region(IntEnum):
    """Value of a pixel of M. IGNORE (255) marks unlabelled pixels in training data only."""

    BACKGROUND = 0
    SKIN = 1
    L_BROW = 2
    R_BROW = 3
    L_EYE = 4
    R_EYE = 5
    NOSE = 6
    MOUTH = 7
    U_LIP = 8
    L_LIP = 9
    HAIR = 10
    FRAME = 11
    CLEAR_LENS = 12
    DARK_LENS = 13
    GLARE = 14
    IGNORE = 255


COUNT = 15
GLASSES = (Region.FRAME, Region.CLEAR_LENS, Region.DARK_LENS, Region.GLARE)
