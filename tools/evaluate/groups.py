"""Whom and what a figure was measured on: skin tone of the face, kind of glasses, and a mean for each group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

TONES = ("light", "medium", "dark")
ITA_DEG = (28.0, 0.0)  # individual typology angle: above the first light, below the second dark
CHEEKS = ((31, 1, 48), (35, 15, 54))  # landmarks: wing of the nose, jaw, corner of the mouth


def skin_tone_group(image: np.ndarray, landmarks: np.ndarray) -> str:
    """One of TONES from the median colour of both cheeks: the individual typology angle of CIELAB (Chardon 1991).

    It sees the light of the photograph too: a dim picture of light skin may count as darker.
    image (H, W, 3) uint8 RGB, landmarks (68, 2) its pixels.
    """
    mask = np.zeros(image.shape[:2], np.uint8)
    for triangle in CHEEKS:
        corners = landmarks[list(triangle)]
        shrunk = corners.mean(0) + 0.6 * (corners - corners.mean(0))
        cv2.fillConvexPoly(mask, np.round(shrunk).astype(np.int32), 255)
    pixels = image[mask > 0]
    if not len(pixels):
        return TONES[1]
    colour = np.float32(np.median(pixels, axis=0) / 255)[None, None]
    lightness, _, yellow = cv2.cvtColor(colour, cv2.COLOR_RGB2LAB)[0, 0]
    angle = float(np.degrees(np.arctan2(lightness - 50, yellow)))
    return TONES[0] if angle > ITA_DEG[0] else TONES[1] if angle > ITA_DEG[1] else TONES[2]


def group_means(scores: Mapping[str, Sequence[tuple[str, float]]]) -> dict[str, dict[str, float]]:
    """{figure: [(group, value), ...]} -> {figure: {group: mean}}, groups in the order of their names."""
    found: dict[str, dict[str, float]] = {}
    for figure, values in scores.items():
        groups = sorted({group for group, _ in values})
        found[figure] = {g: float(np.mean([v for group, v in values if group == g])) for g in groups}
    return found


def eye_region(landmarks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(h, w) bool: both eyes with their lids, the outline of the eye's landmarks grown by a sixth of its width."""
    mask = np.zeros(shape[:2], np.uint8)
    for first in (36, 42):
        outline = landmarks[first : first + 6]
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(outline).astype(np.int32)), 255)
    width = float(np.linalg.norm(landmarks[36] - landmarks[39]))
    reach = max(1, round(width / 6))
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)) > 0
