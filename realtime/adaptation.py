"""Fits blendshapes to a person while they are followed: their own range of each, and no trace of the head's turn.

Slow and bounded: nothing a person does in a second changes what a shape means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import Pose

EYES = np.array([name.startswith(("eyeBlink", "eyeLook")) for name in ARKIT_NAMES])  # measured elsewhere
COUNT = len(ARKIT_NAMES)


@dataclass(frozen=True, slots=True)
class AdaptationSettings:
    """span_s: seconds in which floor and top follow the person, and three times as long until an extreme is forgotten.

    low: how far a shape's floor may rise. high: how far its top may sink, and `used`: what it must have reached once
    to sink at all, so that the noise of a shape that a person does not use is not made larger. dead: less is noise.
    """

    span_s: float = 15.0
    low: float = 0.2
    high: float = 0.5
    used: float = 0.25
    dead: float = 0.03


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """memory_s: how long what a turned head did to a shape is remembered. most: the most of it that is taken off.

    ridge: radians^2 times seconds of turning before it is believed. surprise: a weight farther than this from what is
    known is an expression, and counts as if it were this far.
    """

    memory_s: float = 30.0
    most: float = 0.25
    ridge: float = 0.01
    surprise: float = 0.12


class Adaptation:
    """State of one track. All arrays have the 52 shapes in `ARKIT_NAMES`' order."""

    def __init__(self, settings: AdaptationSettings | None = None, turns: TurnSettings | None = None):
        self.settings = settings or AdaptationSettings()
        self._turns = TurnRegression(turns or TurnSettings())
        self._floor, self._top, self._reached = np.zeros(COUNT), np.ones(COUNT), np.zeros(COUNT)

    def fit(self, shapes: dict[str, float], head: Pose, dt: float) -> dict[str, float]:
        """52 weights 0..1 as regressed -> as this person's, 0..1. dt: seconds since the last, 0 for a new start."""
        raw = np.array([shapes[name] for name in ARKIT_NAMES])
        straight = np.clip(raw - self._turns.take(raw, head, dt), 0, 1)
        self._follow(straight, dt)
        fitted = (straight - self._floor - self.settings.dead) / (self._top - self._floor - self.settings.dead)
        fitted = np.where(EYES, raw, np.clip(fitted, 0, 1))
        return {name: float(weight) for name, weight in zip(ARKIT_NAMES, fitted, strict=True)}

    def _follow(self, weights: np.ndarray, dt: float) -> None:
        """The floor is a low quantile of each shape, the top what it reaches; both move slowly, the top up at once."""
        settings, step = self.settings, min(dt / self.settings.span_s, 0.1)
        away = np.minimum(4 * np.abs(weights - self._floor), 1.0)
        self._floor = np.clip(self._floor + step * away * np.where(weights < self._floor, -1.0, 0.3), 0, settings.low)
        self._reached = np.maximum(self._reached * (1 - step / 3), weights)
        wanted = np.where(self._reached > settings.used, np.clip(self._reached, settings.high, 1.0), 1.0)
        self._top = np.maximum(self._top + step * (wanted - self._top), weights.clip(settings.high, 1.0))


class TurnRegression:
    """What the head's turn explains of each shape, by recursive least squares with forgetting.

    That is the networks' error, not the person's: people smile whichever way they face.
    """

    def __init__(self, settings: TurnSettings):
        self.settings = settings
        size = len(turn_features(Pose(0, 0, 0, 1, 0, 0)))
        self._moments, self._mixed = np.zeros((size, size)), np.zeros((size, COUNT))
        self._bond = np.zeros((size, COUNT))
        self._ridge = np.diag(np.r_[1e-3, np.full(size - 1, settings.ridge)])

    def take(self, weights: np.ndarray, head: Pose, dt: float) -> np.ndarray:
        """(52,) weights -> how much of each the turn explains, against a head that looks ahead."""
        seen = turn_features(head)
        if dt > 0:
            known = seen @ self._bond
            surprise = self.settings.surprise if self._moments[0, 0] > 1.0 else 1.0  # the first second is all new
            clear = known + np.clip(weights - known, -surprise, surprise)
            keep = np.exp(-dt / self.settings.memory_s)
            self._moments = keep * self._moments + dt * np.outer(seen, seen)
            self._mixed = keep * self._mixed + dt * np.outer(seen, clear)
            self._bond = np.linalg.solve(self._moments + self._ridge, self._mixed)
        return np.clip(seen[1:] @ self._bond[1:], -self.settings.most, self.settings.most)


def turn_features(head: Pose) -> np.ndarray:
    """(7,) float64: 1, yaw to the left, its square, to the right, its square, pitch down, pitch up; radians."""
    left, right = max(head.yaw, 0.0), max(-head.yaw, 0.0)
    return np.array([1.0, left, left * left, right, right * right, max(head.pitch, 0.0), max(-head.pitch, 0.0)])
