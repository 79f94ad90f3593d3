"""What happens to a photograph before it reaches a network: light, colour, sensor, codec, things held before a face.

Images are (H, W, 3) uint8 RGB; every function takes a random generator and returns a new picture of the same kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Sensor:
    """How often each effect occurs. Strengths are drawn inside the functions."""

    colour: float = 0.8
    grey: float = 0.08
    low_light: float = 0.12
    side_light: float = 0.15
    blur: float = 0.2
    shrink: float = 0.2
    noise: float = 0.35
    jpeg: float = 0.35


def photometric(image: np.ndarray, rng: np.random.Generator, sensor: Sensor | None = None) -> np.ndarray:
    """Light, then optics, then sensor, then codec: the order in which a camera spoils a picture."""
    sensor = sensor or Sensor()
    draws = rng.random(8)
    if draws[0] < sensor.colour:
        image = recolour(image, rng)
    if draws[1] < sensor.grey:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if draws[2] < sensor.low_light:
        image = cv2.convertScaleAbs(image, alpha=rng.uniform(0.15, 0.6))
    if draws[3] < sensor.side_light:
        image = side_light(image, rng)
    if draws[4] < sensor.blur:
        image = blur(image, rng)
    if draws[5] < sensor.shrink:
        image = shrink(image, rng)
    if draws[6] < sensor.noise:
        image = noise(image, rng)
    if draws[7] < sensor.jpeg:
        image = jpeg(image, int(rng.integers(20, 85)))
    return image


def recolour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exposure, contrast, white balance, gamma and saturation."""
    table = np.linspace(0.0, 1.0, 256)
    gains = rng.uniform(0.7, 1.3) * rng.uniform(0.88, 1.12, 3)
    contrast, gamma = rng.uniform(0.75, 1.25), np.exp(rng.uniform(-0.4, 0.4))
    curves = ((table[:, None] ** gamma * gains - 0.5) * contrast + 0.5 + rng.uniform(-0.08, 0.08)) * 255.0
    lookup = np.clip(curves, 0, 255).astype(np.uint8)[None]  # (1, 256, 3)
    bright = cv2.LUT(image, lookup)
    if rng.random() < 0.5:
        grey = cv2.cvtColor(cv2.cvtColor(bright, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        keep = rng.uniform(0.3, 1.3)
        bright = cv2.addWeighted(bright, keep, grey, 1.0 - keep, 0)
    return bright


def side_light(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A smooth gain from one side to the other, as from a window."""
    height, width = image.shape[:2]
    angle, low = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.8)
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None]
    along = rows * float(np.sin(angle)) + columns * float(np.cos(angle))
    gain = low + (1.2 - low) / (1.0 + np.exp(along * -rng.uniform(1.5, 6.0)))
    return np.clip(image * gain[..., None], 0, 255).astype(np.uint8)


def blur(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Out of focus, or a straight motion of a few pixels."""
    if rng.random() < 0.5:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 2.0))
    size = int(rng.integers(3, 10))
    kernel = np.zeros((size, size), np.float32)
    kernel[size // 2] = 1.0
    turn = cv2.getRotationMatrix2D((size / 2 - 0.5, size / 2 - 0.5), rng.uniform(0, 180), 1)
    kernel = cv2.warpAffine(kernel, turn, (size, size))
    return cv2.filter2D(image, -1, kernel / max(kernel.sum(), 1e-6))


def shrink(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same picture seen with fewer pixels."""
    height, width = image.shape[:2]
    factor = rng.uniform(0.25, 0.8)
    small = cv2.resize(image, (max(8, int(width * factor)), max(8, int(height * factor))), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sensor noise: grain of one or three channels."""
    height, width = image.shape[:2]
    channels = 3 if rng.random() < 0.6 else 1
    grain = rng.standard_normal((height, width, channels), np.float32) * rng.uniform(2.0, 16.0)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """Through a JPEG file of `quality` and back."""
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(encoded, cv2.IMREAD_COLOR)


def cover(image: np.ndarray, rng: np.random.Generator, largest: float = 0.5) -> np.ndarray:
    """A box or an ellipse of one colour, of noise, or of another part of the picture, somewhere."""
    height, width = image.shape[:2]
    box_h, box_w = (int(side * rng.uniform(0.08, largest)) + 1 for side in (height, width))
    top, left = int(rng.integers(0, height - box_h + 1)), int(rng.integers(0, width - box_w + 1))
    kind = rng.random()
    if kind < 0.5:
        patch = np.broadcast_to(rng.integers(0, 256, 3, np.uint8), (box_h, box_w, 3))
    elif kind < 0.7:
        patch = rng.integers(0, 256, (box_h, box_w, 3), np.uint8)
    else:
        other_top, other_left = int(rng.integers(0, height - box_h + 1)), int(rng.integers(0, width - box_w + 1))
        patch = image[other_top : other_top + box_h, other_left : other_left + box_w]
    covered = image.copy()
    target = covered[top : top + box_h, left : left + box_w]
    if rng.random() < 0.5:
        target[:] = patch
    else:
        mask = np.zeros((box_h, box_w), np.uint8)
        cv2.ellipse(mask, (box_w // 2, box_h // 2), (box_w // 2, box_h // 2), 0, 0, 360, 255, -1)
        cv2.copyTo(patch.copy(), mask, target)
    return covered
