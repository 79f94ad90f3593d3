"""Expression coefficients <-> the 52 ARKit blendshapes. The one table of names; always carry names, never bare numbers.

The first 52 expressions of the face model are the ARKit shapes in the order below (Live Link Face's), so no mapping is
needed. "Left" is the subject's left.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from realtime.face.coefficients import SLICES

_EYE = ("eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide")


def _pair(*stems: str) -> tuple[str, ...]:
    return tuple(stem + side for stem in stems for side in ("Left", "Right"))


ARKIT_NAMES: tuple[str, ...] = (
    *(f"{stem}Left" for stem in _EYE),
    *(f"{stem}Right" for stem in _EYE),
    *("jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker"),
    *("mouthLeft", "mouthRight"),
    *_pair("mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *_pair("mouthPress", "mouthLowerDown", "mouthUpperUp", "browDown"),
    "browInnerUp",
    *_pair("browOuterUp"),
    "cheekPuff",
    *_pair("cheekSquint", "noseSneer"),
    "tongueOut",
)
# Shapes beyond ARKit's. Those in SIGNED run from -1 to 1, all others from 0 to 1.
EXTRA_NAMES: tuple[str, ...] = (
    *("browInnerUpAsymmetry", "cheekPuffAsymmetry"),
    *_pair("cheekRaiser", "pupilDilate"),
    *("tongueUp", "tongueSide", "nostrilFlare", "browSqueeze", "lipPuffUpper", "lipPuffLower"),
)
SIGNED: tuple[str, ...] = ("browInnerUpAsymmetry", "cheekPuffAsymmetry", "tongueSide")
EXPRESSION_NAMES: tuple[str, ...] = ARKIT_NAMES + EXTRA_NAMES


def expression_bounds() -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest weight of each expression, two (64,) float32."""
    low = np.array([-1.0 if name in SIGNED else 0.0 for name in EXPRESSION_NAMES], np.float32)
    return low, np.ones(len(EXPRESSION_NAMES), np.float32)


def blendshapes(coefficients: np.ndarray) -> dict[str, float]:
    """The 52 ARKit weights, clamped to 0..1, of (239,) coefficients."""
    weights = np.clip(coefficients[SLICES["expression"]][: len(ARKIT_NAMES)], 0.0, 1.0)
    return {name: float(weight) for name, weight in zip(ARKIT_NAMES, weights, strict=True)}


def expression_from(weights: Mapping[str, float]) -> np.ndarray:
    """(64,) float32 expression coefficients of named weights, the rest 0. Raises KeyError for an unknown name."""
    expression = np.zeros(len(EXPRESSION_NAMES), np.float32)
    for name, weight in weights.items():
        if name not in EXPRESSION_NAMES:
            raise KeyError(f"no expression is called {name!r}; see realtime.face.blendshapes.EXPRESSION_NAMES")
        expression[EXPRESSION_NAMES.index(name)] = weight
    return expression
