"""Between pictures (H, W, C) uint8 and what networks read, (1, C, H, W) float32 0..1."""

from __future__ import annotations

import numpy as np

_TO_UNIT = np.float32(1 / 255)


def planes(image: np.ndarray) -> np.ndarray:
    """(H, W, C) uint8 -> (1, C, H, W) float32 0..1, contiguous."""
    return (np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32) * _TO_UNIT)[None]


def picture(channels: np.ndarray) -> np.ndarray:
    """(C, H, W) float 0..1 -> (H, W, C) uint8, rounded and clipped, contiguous."""
    scaled = np.clip(channels, 0.0, 1.0) * np.float32(255) + np.float32(0.5)
    return np.ascontiguousarray(scaled.astype(np.uint8).transpose(1, 2, 0))
