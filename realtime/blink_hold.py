"""Keeps a blink from nodding the head: closing lids pull the landmarks, and with them the pose, by about a degree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from realtime.face.coefficients import Pose

MOST = float(np.radians(1.25))  # what closing lids may explain of a turn; the rest is the head's own
OPEN = 0.8  # of an eye's opening, from where on it pulls at nothing


class BlinkHold:
    """State of one track: the head's angles when both eyes were last open."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None

    def take(self, head: Pose, opening: float, dt: float) -> Pose:
        """The head without what its lids did. opening: 0..1 of the eye that is closed further. dt: 0 starts anew.

        Small changes since the eyes were open are taken off in proportion to how far they have closed; larger ones
        pass, less that much, so that a head that turns while its eyes are closed turns on.
        """
        angles = np.array([head.pitch, head.yaw, head.roll])
        if self._before is None or dt <= 0 or opening >= OPEN:
            self._before = angles
            return head
        away = angles - self._before
        pitch, yaw, roll = angles - np.clip(away, -MOST, MOST) * (1 - opening / OPEN)
        return replace(head, pitch=float(pitch), yaw=float(yaw), roll=float(roll))
