"""What a camera does to a picture: low light, white balance, resolution, blur, noise, JPEG. sRGB uint8 in and out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Sensor:
    """One drawn camera; the same one must see `image` and `clean`, so its noise comes from `seed`.

    gain (3,): multiplies linear light. gamma: contrast. shrink: resolution lost, 1 none. blur_px, motion_px, angle:
    Gaussian and motion blur. read, shot: noise in grey levels, alone and at mid grey. jpeg: quality, 0 none.
    """

    gain: tuple[float, float, float]
    gamma: float
    shrink: float
    blur_px: float
    motion_px: float
    angle: float
    read: float
    shot: float
    jpeg: int
    seed: int

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """(h, w, 3) uint8 -> (h, w, 3) uint8."""
        h, w = image.shape[:2]
        levels = np.arange(256) / 255
        table = np.clip(levels[:, None] ** 2.2 * self.gain, 0, 1) ** (self.gamma / 2.2) * 255
        image = cv2.LUT(image, table.round().astype(np.uint8)[:, None].transpose(1, 0, 2))
        if self.motion_px > 1:
            image = cv2.filter2D(image, -1, _streak(self.motion_px, self.angle), borderType=cv2.BORDER_REPLICATE)
        if self.blur_px > 0.3:
            image = cv2.GaussianBlur(image, (0, 0), self.blur_px, borderType=cv2.BORDER_REPLICATE)
        if self.shrink > 1.05:
            size = (max(8, round(w / self.shrink)), max(8, round(h / self.shrink)))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        if self.read > 0.3:
            noise = np.random.default_rng(self.seed).standard_normal(image.shape, dtype=np.float32)
            noise[..., 1:] = 0.75 * noise[..., 1:] + 0.5 * noise[..., :1]
            level = np.sqrt(self.read**2 + self.shot**2 * image.astype(np.float32) / 128)
            image = np.clip(image + noise * level + 0.5, 0, 255).astype(np.uint8)
        if self.jpeg:
            _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg])
            image = cv2.imdecode(code, cv2.IMREAD_COLOR)
        if self.shrink > 1.05:
            image = cv2.resize(image, (w, h), interpolation=cv2.INTER_CUBIC)
        return image


def sample_sensor(rng: np.random.Generator) -> Sensor:
    """A third nearly perfect, the rest with a few faults each; strong faults are rare."""
    seed = int(rng.integers(2**31))
    if rng.random() < 0.33:
        return Sensor((1.0, 1.0, 1.0), 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, seed)
    low_light = rng.random() < 0.15
    gain = rng.uniform(0.25, 0.6) if low_light else rng.uniform(0.8, 1.25)
    tint = np.exp(rng.normal(0, 0.06, 3))
    noisy = low_light or rng.random() < 0.35
    read = rng.uniform(2, 8) if low_light else rng.uniform(0.5, 4)
    red, green, blue = (float(v) for v in gain * tint)
    return Sensor(
        gain=(red, green, blue),
        gamma=float(rng.uniform(0.85, 1.15)),
        shrink=float(rng.uniform(1.2, 3.0)) if rng.random() < 0.3 else 1.0,
        blur_px=float(rng.uniform(0.4, 1.6)) if rng.random() < 0.35 else 0.0,
        motion_px=float(rng.uniform(2, 7)) if rng.random() < 0.1 else 0.0,
        angle=float(rng.uniform(0, np.pi)),
        read=float(read) if noisy else 0.0,
        shot=float(read) if noisy else 0.0,
        jpeg=int(rng.integers(35, 95)) if rng.random() < 0.6 else 0,
        seed=seed,
    )


def _streak(length: float, angle: float) -> np.ndarray:
    size = int(np.ceil(length)) | 1
    kernel = np.zeros((size, size), np.float32)
    reach = (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
    ends = [(size // 2 + s * reach) * 16 for s in (-1, 1)]
    first, last = (tuple(int(v) for v in e) for e in ends)
    cv2.line(kernel, first, last, 1.0, 1, cv2.LINE_AA, 4)
    return kernel / kernel.sum()
