"""What happens to a crop before a network sees it in training: jitter of the alignment, light, colour, sensor, flip.

Pictures are (H, W, 3) uint8 RGB. Every function draws from the generator it is given.
"""

from __future__ import annotations

import cv2
import numpy as np

from engines.networks.classes import Region
from realtime.align import CROP_SIZE

FLIPPED = np.arange(256, dtype=np.uint8)  # class of a pixel of M once left and right have changed places
FLIPPED[[Region.L_BROW, Region.R_BROW, Region.L_EYE, Region.R_EYE]] = [
    Region.R_BROW, Region.L_BROW, Region.R_EYE, Region.L_EYE,
]  # fmt: skip


def jitter_similarity(
    rng: np.random.Generator, scale: float = 0.06, turn: float = 0.07, shift: float = 5.0
) -> np.ndarray:
    """(2, 3) target_from_source near the identity, about the crop's middle: what landmark errors do to the alignment.

    scale: standard deviation of log scale; turn: of the angle, radians; shift: of the offset, pixels.
    """
    s, angle = np.exp(rng.normal(0, scale)), rng.normal(0, turn)
    linear = s * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = np.full(2, (CROP_SIZE - 1) / 2)
    return np.hstack([linear, (middle - linear @ middle + rng.normal(0, shift, 2))[:, None]])


def after(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(2, 3) of doing `first`, then `second`."""
    return np.hstack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2:] + second[:, 2:]])


def relight(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exposure, gamma, white balance, saturation and a slope of light: monotonous per channel, so nothing is lost."""
    gain = np.exp(rng.normal(0, 0.18)) * np.exp(rng.normal(0, 0.07, 3))
    gamma = np.exp(rng.normal(0, 0.18))
    ramp = np.arange(256) / 255.0
    table = np.clip(255 * np.clip(gain[:, None] * ramp, 0, 1) ** gamma, 0, 255).astype(np.uint8)  # (3, 256)
    lit = cv2.LUT(image, np.ascontiguousarray(table.T[None]))
    if rng.random() < 0.4:
        grey = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        keep = rng.uniform(0.0 if rng.random() < 0.2 else 0.5, 1.3)
        lit = cv2.addWeighted(lit, keep, grey, 1 - keep, 0)
    if rng.random() < 0.3:
        w = lit.shape[1]
        across = np.linspace(*rng.uniform(0.6, 1.25, 2), w, dtype=np.float32)
        lit = np.clip(lit * across[None, :, None], 0, 255).astype(np.uint8)
    return lit


def greyed(image: np.ndarray, rng: np.random.Generator, share: float = 0.25) -> np.ndarray:
    """Without colour, in a share of all cases."""
    if rng.random() >= share:
        return image
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def sense(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What cameras and codecs do: lower resolution, blur, noise, JPEG; each in about a third of the pictures."""
    h, w = image.shape[:2]
    if rng.random() < 0.35:
        factor = rng.uniform(0.35, 0.9)
        small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.25:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.35:
        noise = rng.normal(0, rng.uniform(2, 12), (h, w, 1 if rng.random() < 0.5 else 3)).astype(np.float32)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])
        image = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return image
