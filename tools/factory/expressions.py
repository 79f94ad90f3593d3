"""Random facial expressions as named ARKit weights: smiles, talking, blinks, brows, gaze, and free mixtures."""

from __future__ import annotations

import numpy as np

from realtime.face.blendshapes import EXPRESSION_NAMES, SIGNED, expression_from


def _both(stem: str) -> tuple[str, str]:
    return f"{stem}Left", f"{stem}Right"


RARE = ("tongueOut", "tongueUp", "tongueSide")
MOODS = {
    "smile": (*_both("mouthSmile"), *_both("cheekSquint"), *_both("eyeSquint")),
    "surprise": ("browInnerUp", *_both("browOuterUp"), *_both("eyeWide"), "jawOpen"),
    "frown": (*_both("browDown"), *_both("mouthFrown"), *_both("noseSneer")),
    "talk": ("jawOpen", "mouthFunnel", *_both("mouthLowerDown"), *_both("mouthUpperUp")),
    "pout": ("mouthPucker", "mouthShrugLower", "mouthShrugUpper", "cheekPuff"),
    "grin": (*_both("mouthStretch"), *_both("mouthDimple"), *_both("mouthSmile")),
}


def sample_expression(rng: np.random.Generator) -> np.ndarray:
    """(64,) float32 weights, 0..1 (-1..1 for the signed ones)."""
    weights: dict[str, float] = {}
    for names in MOODS.values():
        if rng.random() < 0.22:
            strength = rng.beta(1.6, 1.8)
            for name in names:
                weights[name] = max(weights.get(name, 0.0), float(np.clip(strength * rng.uniform(0.4, 1.1), 0, 1)))
    if rng.random() < 0.5:
        weights["jawOpen"] = max(weights.get("jawOpen", 0.0), float(rng.beta(0.8, 3.0)))
    for name in rng.choice(EXPRESSION_NAMES, int(rng.integers(0, 8)), replace=False):
        if name not in RARE or rng.random() < 0.15:
            sign = rng.choice([-1, 1]) if name in SIGNED else 1
            weights[str(name)] = float(sign * rng.beta(1.0, 2.5))
    return expression_from(weights | _gaze(rng) | _blink(rng))


def _gaze(rng: np.random.Generator) -> dict[str, float]:
    """Both eyes look the same way, with a little convergence."""
    across, upward = rng.normal(0, 0.32, 2) * (1, 0.8)  # across: to the subject's left
    left, right = across - rng.uniform(0, 0.06), across + rng.uniform(0, 0.06)
    weights = {}
    for side, value in (("Left", left), ("Right", -right)):  # positive: away from the nose
        weights[f"eyeLookOut{side}"], weights[f"eyeLookIn{side}"] = max(value, 0.0), max(-value, 0.0)
        weights[f"eyeLookUp{side}"], weights[f"eyeLookDown{side}"] = max(upward, 0.0), max(-upward, 0.0)
    return {name: float(min(value, 1.0)) for name, value in weights.items()}


def _blink(rng: np.random.Generator) -> dict[str, float]:
    """Mostly open eyes, some blinks, a few winks."""
    if rng.random() < 0.12:
        closed = float(rng.uniform(0.6, 1.0))
        return {"eyeBlinkLeft": closed, "eyeBlinkRight": float(np.clip(closed + rng.normal(0, 0.05), 0, 1))}
    base = float(rng.beta(1.0, 6.0))
    weights = {"eyeBlinkLeft": base, "eyeBlinkRight": float(np.clip(base + rng.normal(0, 0.03), 0, 1))}
    if rng.random() < 0.06:
        weights[str(rng.choice(["eyeBlinkLeft", "eyeBlinkRight"]))] = float(rng.uniform(0.7, 1.0))
    return weights
