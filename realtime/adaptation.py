"""Fits blendshapes to a person while they are followed: their own range of each, and no trace of the head's turn.

Slow and bounded: nothing a person does in a second changes what a shape means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import Pose

EYES = np.array([name.startswith(("eyeBlink", "eyeLook")) for name in ARKIT_NAMES])  # measured elsewhere


@dataclass(frozen=True, slots=True)
class AdaptationSettings:
    """span_s: how long an extreme of a shape is remembered. low, high: how far its floor may rise, its top may fall.

    least_span: of a shape between floor and top. dead: weights this small are noise. pose_s: how long the bond between
    a shape and the head's turn is remembered. most_pose: the largest share of a weight that the turn may explain.
    """

    span_s: float = 45.0
    low: float = 0.12
    high: float = 0.55
    least_span: float = 0.3
    dead: float = 0.02
    pose_s: float = 20.0
    most_pose: float = 0.35


class Adaptation:
    """State of one track. All arrays have the 52 shapes in `ARKIT_NAMES`' order."""

    def __init__(self, settings: AdaptationSettings | None = None):
        self.settings = settings or AdaptationSettings()
        count = len(ARKIT_NAMES)
        self._floor, self._top = np.zeros(count), np.full(count, self.settings.high)
        self._turns = TurnRegression(count, self.settings.pose_s)

    def fit(self, shapes: dict[str, float], head: Pose, dt: float) -> dict[str, float]:
        """52 weights 0..1 as regressed -> as this person's, 0..1. dt: seconds since the last, 0 for a new start."""
        settings = self.settings
        raw = np.array([shapes[name] for name in ARKIT_NAMES])
        turned = np.clip(self._turns.take(raw, head, dt), -settings.most_pose, settings.most_pose)
        straight = np.clip(raw - turned, 0, 1)
        self._follow(straight, dt)
        fitted = (straight - self._floor - settings.dead) / np.maximum(self._top - self._floor, settings.least_span)
        fitted = np.where(EYES, raw, np.clip(fitted, 0, 1))
        return {name: float(weight) for name, weight in zip(ARKIT_NAMES, fitted, strict=True)}

    def _follow(self, weights: np.ndarray, dt: float) -> None:
        """Floor and top: a low and a high quantile of each shape, followed slowly, and the top at once upwards."""
        settings = self.settings
        step = min(dt / settings.span_s, 0.1)
        self._floor += step * np.where(weights < self._floor, -2.0, 0.25) * np.minimum(
            np.abs(weights - self._floor) * 4, 1.0
        )
        self._floor = np.clip(self._floor, 0.0, settings.low)
        sinking = self._top + step * 0.2 * (settings.high - self._top)
        self._top = np.clip(np.maximum(sinking, weights), settings.high, 1.0)


class TurnRegression:
    """Recursive least squares of each shape on the head's turn, with forgetting and a ridge towards no bond at all.

    What a turn of the head explains of a shape is the networks' error: people smile whichever way they face.
    """

    RIDGE = 0.02  # radians^2 times seconds of evidence that a bond needs before it is believed

    def __init__(self, count: int, memory_s: float):
        self._memory_s = memory_s
        size = len(features(Pose(0, 0, 0, 1, 0, 0)))
        self._moments, self._mixed = np.zeros((size, size)), np.zeros((size, count))
        self._weight = 0.0

    def take(self, weights: np.ndarray, head: Pose, dt: float) -> np.ndarray:
        """(count,) weights -> how much of each the turn explains, measured from a head that looks ahead."""
        seen = features(head)
        keep = np.exp(-dt / self._memory_s)
        full = np.r_[1.0, seen[1:]]
        self._moments = keep * self._moments + dt * np.outer(full, full)
        self._mixed = keep * self._mixed + dt * np.outer(full, weights)
        ridge = np.diag(np.r_[1e-3, np.full(len(seen) - 1, self.RIDGE)])
        bond = np.linalg.solve(self._moments + ridge, self._mixed)
        return seen[1:] @ bond[1:]


def features(head: Pose) -> np.ndarray:
    """(6,) float64: 1, yaw to the left and to the right, pitch down and up, yaw squared: 0 straight ahead but the 1."""
    yaw, pitch = head.yaw, head.pitch
    return np.array([1.0, max(yaw, 0.0), max(-yaw, 0.0), max(pitch, 0.0), max(-pitch, 0.0), yaw * yaw])
