"""Whom and what a figure was measured on: skin tone of the face, kind of glasses, and a mean for each group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

TONES = ("light", "medium", "dark")
ITA_DEG = (28.0, 0.0)  # individual typology angle: above the first light, below the second dark
LEAST = 5  # pictures that make a group's mean worth comparing
UNFAIR = 4 / 3
ERRORS = ("nme", "vertex", "gaze_change", "eyelid_change", "invariance")  # beginnings of names: better when small
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


class Groups:
    """Values of figures by axis ("skin_tone", "kind") and group, and which group fares worst."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, list[tuple[str, float]]]] = {}

    def add(self, figure: str, value: float, **groups: str) -> None:
        """One picture's value; groups: axis="group"."""
        for axis, group in groups.items():
            self._values.setdefault(axis, {}).setdefault(figure, []).append((group, value))

    def report(self) -> dict[str, Any]:
        """by_AXIS: {figure: {group: mean}}; group_sizes: {axis: {group: most pictures}}; worst_group "figure axis
        group" and worst_group_ratio, how many times as bad as the mean it is (`times_as_bad`; groups of at least
        LEAST pictures); unfair: all that are worse by more than a third."""
        found: dict[str, Any] = {f"by_{axis}": group_means(scores) for axis, scores in sorted(self._values.items())}
        sizes = {axis: _sizes(scores) for axis, scores in sorted(self._values.items())}
        ratios = {
            f"{figure} {axis} {group}": times_as_bad(figure, mean, float(np.mean([v for _, v in values])))
            for axis, scores in self._values.items()
            for figure, values in scores.items()
            for group, mean in found[f"by_{axis}"][figure].items()
            if sum(g == group for g, _ in values) >= LEAST and len({g for g, _ in values}) > 1
        }
        if ratios:
            worst = max(ratios, key=lambda name: ratios[name])
            found |= {"worst_group": worst, "worst_group_ratio": ratios[worst]}
            found["unfair"] = {name: ratio for name, ratio in sorted(ratios.items()) if ratio > UNFAIR}
        return found | {"group_sizes": sizes} if sizes else found


def times_as_bad(figure: str, value: float, mean: float) -> float:
    """How many times as bad as the mean a group's value is: 1 as good, 2 twice the error or half the score.

    Decibels (psnr...) are compared as errors: 6 dB less is twice as bad. Other names tell errors from scores.
    """
    if figure.startswith("psnr"):
        return float(10 ** ((mean - value) / 20))
    if figure.startswith(ERRORS):
        return value / mean if mean > 0 else 1.0
    return mean / max(value, 1e-3 * mean, 1e-9)


def group_means(scores: Mapping[str, Sequence[tuple[str, float]]]) -> dict[str, dict[str, float]]:
    """{figure: [(group, value), ...]} -> {figure: {group: mean}}, groups in the order of their names."""
    found: dict[str, dict[str, float]] = {}
    for figure, values in scores.items():
        groups = sorted({group for group, _ in values})
        found[figure] = {g: float(np.mean([v for group, v in values if group == g])) for g in groups}
    return found


def _sizes(scores: Mapping[str, Sequence[tuple[str, float]]]) -> dict[str, int]:
    """Pictures of each group, in the figure that has most."""
    counts = [Counter(group for group, _ in values) for values in scores.values()]
    return {group: max(count[group] for count in counts) for group in sorted(set().union(*counts))}


def eye_region(landmarks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(h, w) bool: both eyes with their lids, the outline of the eye's landmarks grown by a sixth of its width."""
    mask = np.zeros(shape[:2], np.uint8)
    for first in (36, 42):
        outline = landmarks[first : first + 6]
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(outline).astype(np.int32)), 255)
    width = float(np.linalg.norm(landmarks[36] - landmarks[39]))
    reach = max(1, round(width / 6))
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)) > 0
