"""How the face model is stored: small integers with a step, low and high bytes apart so that zip packs them well."""

from __future__ import annotations

import numpy as np


def pack(values: np.ndarray, step: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Any float array -> (2, ...) uint8 planes (low, high) of round(values / step) as int16, and the step.

    step: a number, or one per entry of the first axis. Raises ValueError when a value does not fit.
    """
    steps = np.broadcast_to(np.asarray(step, np.float32), values.shape[:1]).astype(np.float32)
    whole = np.round(values / steps.reshape(-1, *[1] * (values.ndim - 1)))
    if np.abs(whole).max(initial=0) > 32767:
        raise ValueError("a value is too large for its step")
    bits = whole.astype(np.int16).view(np.uint16)
    return np.stack([(bits & 255).astype(np.uint8), (bits >> 8).astype(np.uint8)]), steps


def unpack(planes: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(2, K, ...) planes and (K,) steps -> (K, ...) float32."""
    whole = planes[0].astype(np.uint16)
    whole |= planes[1].astype(np.uint16) << 8
    return whole.view(np.int16).astype(np.float32) * steps.reshape(-1, *[1] * (whole.ndim - 1))
