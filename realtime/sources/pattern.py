"""The test pattern: a synthetic person with eyeglasses who talks, blinks and looks around, the same in every run.

Every frame is a function of its index alone, and its 239 coefficients are known exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from realtime.face.blendshapes import expression_from
from realtime.face.coefficients import COUNT, SLICES
from realtime.face.light import directional
from realtime.face.model import load_face_model
from realtime.frame import Frame
from realtime.sources.base import Properties, Silent
from realtime.sources.pattern_head import PatternHead

SEED = 7
SPREAD = 0.7  # of identity and skin, in standard deviations: a plausible face, but not the mean one


class PatternSource(Silent):
    """size: (width, height). count: frames, None for no end. seed: chooses the person."""

    def __init__(
        self,
        size: tuple[int, int] = (640, 480),
        rate: Fraction = Fraction(30),
        count: int | None = None,
        seed: int = SEED,
    ):
        random = np.random.default_rng(seed)
        self._identity = (SPREAD * random.standard_normal(80)).astype(np.float32)
        self._texture = (SPREAD * random.standard_normal(80)).astype(np.float32)
        self._size = size
        self._head = PatternHead(load_face_model("live"), size, self._identity, self._texture, seed)
        self._properties = Properties(
            name="pattern",
            stem="pattern",
            size=size,
            rate=rate,
            time_base=1 / rate,
            count=count,
            duration_s=None if count is None else float(count / rate),
        )

    @property
    def properties(self) -> Properties:
        return self._properties

    def frames(self) -> Iterator[Frame]:
        index = 0
        while index != self._properties.count:
            yield self.frame(index)
            index += 1

    def frame(self, index: int) -> Frame:
        """The frame at `index`, whatever was drawn before."""
        image = self._head.draw(self.coefficients(index), index)
        return Frame(image, index, index, self._properties.time_base, source_size=self._size)

    def coefficients(self, index: int) -> np.ndarray:
        """(239,) float32 of the face in frame `index`, in pixels of the frame."""
        time = float(index * self._properties.time_base)
        coefficients = np.zeros(COUNT, np.float32)
        coefficients[SLICES["identity"]] = self._identity
        coefficients[SLICES["expression"]] = expression_from(expression_at(time))
        coefficients[SLICES["texture"]] = self._texture
        coefficients[SLICES["light"]] = directional(np.array([0.5 * _wave(time, 11.0), 0.55, 0.8]), 0.55, 0.55)
        coefficients[SLICES["pose"]] = pose_at(time, self._size)
        return coefficients

    def close(self) -> None:
        self._head.close()


def _wave(time: float, period: float, shift: float = 0.0) -> float:
    """-1 .. 1, `period` in seconds, `shift` in periods."""
    return float(np.sin(2 * np.pi * (time / period + shift)))


def expression_at(time: float) -> dict[str, float]:
    """ARKit weights at a time in seconds: syllables in phrases with pauses, blinks, moving eyes."""
    speaking = float(np.clip(2.0 * _wave(time, 4.6) + 1.0, 0, 1))
    syllable = _wave(time, 0.31) ** 2 * (0.6 + 0.4 * _wave(time, 1.7))
    rounding = max(_wave(time, 0.93, 0.3), 0.0)
    blink = max(0.0, 1.0 - abs(time % 3.1 - 2.6) / 0.11)
    look, smile = _wave(time, 5.3), max(_wave(time, 9.0, 0.6), 0.0)
    return {
        "jawOpen": speaking * 0.32 * syllable,
        "mouthFunnel": speaking * 0.30 * rounding,
        "mouthLowerDownLeft": speaking * 0.25 * syllable,
        "mouthLowerDownRight": speaking * 0.25 * syllable,
        "mouthSmileLeft": 0.45 * smile,
        "mouthSmileRight": 0.40 * smile,
        "browInnerUp": 0.4 * max(_wave(time, 6.1, 0.2), 0.0),
        "eyeBlinkLeft": blink,
        "eyeBlinkRight": blink,
        "eyeLookOutLeft": 0.5 * max(look, 0.0),
        "eyeLookInRight": 0.5 * max(look, 0.0),
        "eyeLookInLeft": 0.5 * max(-look, 0.0),
        "eyeLookOutRight": 0.5 * max(-look, 0.0),
    }


def pose_at(time: float, size: tuple[int, int]) -> np.ndarray:
    """(6,) float32 pose at a time in seconds in a picture of `size` (width, height): nods, turns and sways."""
    width, height = size
    unit = min(width / 640, height / 480)
    return np.array(
        [
            0.06 + 0.09 * _wave(time, 3.7),
            0.32 * _wave(time, 7.3),
            0.07 * _wave(time, 5.9, 0.1),
            unit * (1.32 + 0.05 * _wave(time, 8.9)),
            width / 2 + unit * 22 * _wave(time, 6.7),
            height * 0.46 + unit * 8 * _wave(time, 4.3),
        ],
        np.float32,
    )
