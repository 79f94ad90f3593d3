"""What each vertex of the face model belongs to."""

from __future__ import annotations

from enum import IntEnum


class FaceRegion(IntEnum):
    """Names and numbers are those of `engines.networks.classes.Region` where that has them; L_EYE, R_EYE: eyeballs."""

    SKIN = 1
    L_BROW = 2
    R_BROW = 3
    L_EYE = 4
    R_EYE = 5
    NOSE = 6
    MOUTH = 7  # the mouth's inside, gums included
    U_LIP = 8
    L_LIP = 9
    TEETH = 20
    TONGUE = 21
    EAR = 22
    HEAD = 23  # crown, back and sides behind the face
    NECK = 24
    EYE_SOCKET = 25  # behind the lids


EYEBALLS = (FaceRegion.L_EYE, FaceRegion.R_EYE)
IN_MOUTH = (FaceRegion.MOUTH, FaceRegion.TEETH, FaceRegion.TONGUE)
FACE_SKIN = (FaceRegion.SKIN, FaceRegion.L_BROW, FaceRegion.R_BROW, FaceRegion.NOSE, FaceRegion.U_LIP, FaceRegion.L_LIP)
REFINED = (*FACE_SKIN, FaceRegion.EAR, FaceRegion.HEAD, FaceRegion.NECK)  # what the fine texture T_final colours
