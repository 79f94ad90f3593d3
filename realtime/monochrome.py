"""Fillings for pictures without colours of their own: grey, sepia, one lamp's red.

In such a picture every pixel's colour follows from its brightness. Where that holds of the pixels around a filling, it
must hold of the filling, whatever colours the generator knows from other pictures.
"""

from __future__ import annotations

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
STEP = 4  # px between the pixels that are looked at
LARGEST_RESIDUAL = 2.0  # levels; noise and JPEG leave 1, of 570 colour photographs the least had 2.2
DEGREE = 2


def monochrome_curve(image: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """What brightness says of colour in the known pixels of (h, w, 3) uint8: coefficients (3, 3) of powers 0..2 of
    luma, a row a power; None when it does not tell the colours. known: (h, w) bool.
    """
    pixels = image[::STEP, ::STEP][known[::STEP, ::STEP]].astype(np.float32)
    if len(pixels) < 50:
        return None
    powers = np.power.outer(pixels @ LUMA / 255, np.arange(DEGREE + 1, dtype=np.float32))
    curve, *_ = np.linalg.lstsq(powers, pixels, rcond=None)
    residual = float(np.sqrt(np.mean((powers @ curve - pixels) ** 2)))
    return curve if residual < LARGEST_RESIDUAL else None


def tinted(image: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 with every pixel's colour as `curve` has it for the pixel's brightness."""
    levels = np.power.outer(np.arange(256, dtype=np.float32) / 255, np.arange(DEGREE + 1, dtype=np.float32)) @ curve
    table = np.clip(np.round(levels), 0, 255).astype(np.uint8)
    return table[np.round(image @ LUMA).astype(np.uint8)]
