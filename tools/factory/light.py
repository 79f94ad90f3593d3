"""The light of a photograph, guessed from the brightness of the skin over the fitted face, so that glasses match it.

Camera axes: x right, y up, z towards the camera. Linear light: sRGB values are taken as a power of 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GAMMA = 2.2
SKIN_ALBEDO = 0.38  # luminance of the skin of an average face in linear light


@dataclass(frozen=True)
class SceneLight:
    """key: (3,) unit direction of the main light. share: how much of a facing surface's light it gives, 0..1.

    level: (3,) linear light that a white facing surface would send. softness: tangent of the lamp's angular radius.
    """

    key: np.ndarray
    share: float
    level: np.ndarray
    softness: float

    def irradiance(self, normals: np.ndarray) -> np.ndarray:
        """(N, 3) unit normals -> (N,) light on each, 1 for a surface that faces the key."""
        facing = np.clip(normals @ self.key, 0, 1)
        sky = 0.75 + 0.25 * normals[:, 1]
        return (1 - self.share) * sky + self.share * facing


def estimate_light(colours: np.ndarray, normals: np.ndarray, rng: np.random.Generator) -> SceneLight:
    """Least-squares order-1 light from skin samples: colours (N, 3) 0..1 sRGB, normals (N, 3) unit, camera axes.

    Skin tone and exposure cannot be told apart: the level is halfway between what the skin and what a
    typical picture says. The softness of the lamp is random, harder where the light is more directional.
    """
    linear = np.clip(colours, 0, 1).astype(np.float64) ** GAMMA
    luminance = linear @ (0.2126, 0.7152, 0.0722)
    keep = luminance > np.quantile(luminance, 0.15) if len(luminance) else np.zeros(0, bool)  # hair, nostrils
    if keep.sum() < 30:
        return SceneLight(np.array([0.2, 0.6, 0.77]), 0.4, np.full(3, 0.7), 0.3)
    design = np.c_[np.ones(keep.sum()), normals[keep]]
    gram = design.T @ design + np.diag([1e-6, 1, 1, 1]) * 0.02 * keep.sum()
    ambient, x, y, z = np.linalg.solve(gram, design.T @ luminance[keep])
    mean = float(luminance[keep].mean())
    key = np.array([x, y + 0.12 * mean, max(z, 0) + 0.25 * mean]) + rng.normal(0, 0.08, 3) * mean
    strength = float(np.linalg.norm([x, y, max(z, 0) * 0.5]))
    share = float(np.clip(0.25 + strength / (abs(ambient) + strength + 1e-6), 0.25, 0.85))
    tone = linear[keep].mean(0) / np.array([1.25, 0.95, 0.8])  # skin is reddish: what remains is the light's tint
    tone = 0.5 * tone / (tone.mean() + 1e-6) + 0.5
    level = 0.5 * np.clip(mean / SKIN_ALBEDO, 0.02, 2.5) + 0.5 * np.clip(mean / SKIN_ALBEDO, 0.3, 1.0)
    softness = float(np.exp(rng.uniform(np.log(0.02), np.log(0.45))))
    return SceneLight(key / np.linalg.norm(key), share, level * tone, max(softness, 0.12 * (1 - share)))
