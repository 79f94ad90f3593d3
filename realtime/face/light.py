"""Spherical-harmonics light of order 2, paper section 3.3: nine coefficients, white light, in camera axes.

A display value = albedo * shade. The basis is real, in the order 1, y, z, x, xy, yz, 3z^2-1, xz, x^2-y^2, with the
constants of the harmonics and of Lambert's cosine folded in: pi, 2 pi / 3 and pi / 4 over pi times the usual factors.
"""

from __future__ import annotations

import numpy as np

# Lambert's cosine per band (Ramamoorthi and Hanrahan 2001, divided by pi) times the factor of each real harmonic.
BAND = np.array([1.0] + [2 / 3] * 3 + [1 / 4] * 5)
HARMONIC = np.array([0.282095, 0.488603, 0.488603, 0.488603, 1.092548, 1.092548, 0.315392, 1.092548, 0.546274])
FOLDED = (BAND * HARMONIC).astype(np.float32)
# Plain even light of strength 1: shade is 1 everywhere.
AMBIENT = np.array([1 / FOLDED[0], 0, 0, 0, 0, 0, 0, 0, 0], np.float32)


def basis(normals: np.ndarray) -> np.ndarray:
    """(..., 3) unit normals in camera axes -> (..., 9) float32."""
    x, y, z = normals[..., 0], normals[..., 1], normals[..., 2]
    one = np.ones_like(x)
    terms = np.stack([one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=-1)
    return (terms * FOLDED).astype(np.float32)


def shade(normals: np.ndarray, light: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals in camera axes, (9,) light -> (V,) float32 brightness, 1 = the albedo itself. Not below 0."""
    return np.maximum(basis(normals) @ np.asarray(light, np.float32), 0)


def dimmed(light: np.ndarray) -> np.ndarray:
    """(9,) light, so weak that a surface facing the camera gets at most 1: clay in it is grey, not white."""
    facing = float(shade(np.array([[0.0, 0.0, 1.0]], np.float32), light)[0])
    return (np.asarray(light, np.float32) / max(facing, 1.0)).astype(np.float32)


def directional(direction: np.ndarray, strength: float, ambient: float) -> np.ndarray:
    """(9,) light of a lamp far away in `direction` (3,) on an even `ambient`; a facing surface gets about their sum."""
    direction = np.asarray(direction, np.float64) / np.linalg.norm(direction)
    x, y, z = direction
    # Irradiance of a unit lamp is max(n.d, 0): its band-limited form is 1/4 + n.d / 2 + 5/16 of the second band.
    lamp = np.pi * HARMONIC * np.array([1, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y])
    return (strength * lamp + ambient * AMBIENT).astype(np.float32)
