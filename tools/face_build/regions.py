"""Region labels, landmarks and the sliding contour of the built mesh."""

from __future__ import annotations

import numpy as np
from matplotlib.path import Path as Outline
from scipy.spatial import cKDTree

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

CONTOUR_STEPS = 12
CHIN = 8


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


def sliding_contour(mean: np.ndarray, landmarks: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """(17, CONTOUR_STEPS) vertices: each jaw point, then ever nearer to the middle of the face.

    When the head turns away, a jaw point is where the cheek's outline is: the outermost of its row. candidates: (M,)
    vertices of the front skin to choose from. The chin stays.
    """
    tree = cKDTree(mean[candidates, :2])
    middle = np.array([0.0, mean[landmarks[33], 1]])
    rows = []
    for k in range(17):
        start = mean[landmarks[k], :2]
        inner = np.array([start[0] * 0.35, start[1] + 0.25 * (middle[1] - start[1]) * (k not in (0, 1, 15, 16))])
        along = np.linspace(0, 1, CONTOUR_STEPS)[1:, None]
        path = start + along * (inner - start)
        row = np.r_[landmarks[k], candidates[tree.query(path)[1]]]
        rows.append(np.full(CONTOUR_STEPS, landmarks[k]) if k == CHIN else row)
    return np.array(rows)
