"""Region labels, landmarks and the sliding contour of the built mesh."""

from __future__ import annotations

import numpy as np
from matplotlib.path import Path as Outline
from scipy.spatial import cKDTree

from realtime.face.landmarks import FRONTAL
from realtime.face.regions import FaceRegion
from tools.face_build.expressions import BODY, tongue_mask
from tools.face_build.source import (
    EYE_SOCKETS,
    FACE,
    GUMS,
    HEAD,
    MOUTH_SOCKET,
    NARROW_FACE,
    TEETH,
    SourceHead,
)  # fmt: skip

INNER_STEPS = 11
CHIN = 8
# Where the jaw points 0-7 and 9-16 lie when their side of the head is turned to the camera (from the source's notes).
BACK_RIGHT = (1278, 1272, 12, 1834, 243, 781, 2199, 1447)
BACK_LEFT = (3661, 4390, 3022, 2484, 4036, 2253, 3490, 3496)


def label_regions(head: SourceHead, ball: int) -> np.ndarray:
    """(BODY + 2 * ball,) uint8 FaceRegion of every vertex; `ball` vertices per eyeball, left then right."""
    labels = np.full(BODY + 2 * ball, FaceRegion.SKIN, np.uint8)
    mean, points = head.mean, head.mean[head.landmarks]
    labels[HEAD], labels[MOUTH_SOCKET], labels[EYE_SOCKETS] = FaceRegion.HEAD, FaceRegion.MOUTH, FaceRegion.EYE_SOCKET
    labels[GUMS], labels[TEETH] = FaceRegion.MOUTH, FaceRegion.TEETH
    labels[GUMS][tongue_mask(head)[GUMS] > 0] = FaceRegion.TONGUE
    labels[BODY : BODY + ball], labels[BODY + ball :] = FaceRegion.L_EYE, FaceRegion.R_EYE
    outer = np.arange(len(labels))[FACE]
    wide = outer >= NARROW_FACE.stop
    at = mean[FACE]
    ear = wide & (np.abs(at[:, 0]) > 73) & (at[:, 1] < 16) & (at[:, 1] > -55) & (at[:, 2] < -70)
    labels[FACE][ear] = FaceRegion.EAR
    labels[FACE][wide & (at[:, 1] > 70)] = FaceRegion.HEAD
    behind_chin = points[CHIN, 2] - at[:, 2]
    under_chin = (at[:, 1] < points[CHIN, 1] - 12 + 0.25 * behind_chin) & (behind_chin > 0)
    labels[FACE][wide & under_chin & (labels[FACE] == FaceRegion.SKIN)] = FaceRegion.NECK
    labels[HEAD][mean[HEAD, 1] < -80] = FaceRegion.NECK

    def inside(outline: np.ndarray) -> np.ndarray:
        return Outline(outline[:, :2]).contains_points(at[:, :2]) & (at[:, 2] > -40) & ~wide

    for region, brow in ((FaceRegion.R_BROW, points[17:22]), (FaceRegion.L_BROW, points[22:27])):
        band = np.concatenate([brow + np.array([0, 2.5, 0]), brow[::-1] - np.array([0, 5.0, 0])])
        labels[FACE][inside(band)] = region
    corners = ((27, -7, 2), (27, 7, 2), (35, 4, 8), (35, 4, -2), (33, 0, -2), (31, -4, -2), (31, -4, 8))
    nose = np.array([points[k] + np.array([dx, dy, 0]) for k, dx, dy in corners])
    labels[FACE][inside(nose)] = FaceRegion.NOSE
    lips = inside(points[48:60])
    seam = np.interp(at[:, 0], *points[[48, 61, 62, 63, 54]][:, :2].T)
    lower_seam = np.interp(at[:, 0], *points[[48, 67, 66, 65, 54]][:, :2].T)
    upper = at[:, 1] > (seam + lower_seam) / 2
    labels[FACE][lips & upper], labels[FACE][lips & ~upper] = FaceRegion.U_LIP, FaceRegion.L_LIP
    return labels


def sliding_contour(
    mean: np.ndarray, normals: np.ndarray, landmarks: np.ndarray, candidates: np.ndarray
) -> np.ndarray:
    """(17, FRONTAL + 1 + INNER_STEPS) vertices for `realtime.face.landmarks.choose_contour`.

    candidates: (M,) vertices of the face's skin to choose from; those of the inner part look to the front.
    """
    surface = cKDTree(mean[candidates])
    facing = candidates[(normals[candidates, 2] > 0.2) & (candidates < NARROW_FACE.stop)]
    front = cKDTree(mean[facing, :2])
    nose = mean[landmarks[33], :2]
    rows = []
    for k in range(17):
        point = mean[landmarks[k]]
        back = mean[BACK_RIGHT[k] if k < CHIN else BACK_LEFT[k - CHIN - 1]] if k != CHIN else point
        outwards = np.linspace(1, 0, FRONTAL, endpoint=False)[:, None]
        jaw = candidates[surface.query(point + outwards * (back - point))[1]]
        rise = 0.25 * (nose[1] - point[1]) * (k not in (0, 1, 15, 16))
        inwards = np.linspace(0, 1, INNER_STEPS + 1)[1:, None]
        cheek = facing[front.query(point[:2] + inwards * np.array([-0.65 * point[0], rise]))[1]]
        row = np.r_[jaw, landmarks[k], cheek]
        rows.append(np.full(len(row), landmarks[k]) if k == CHIN else row)
    return np.array(rows)
