"""What lenses and frames reflect: small procedural panoramas in linear light, brighter than white where lamps are.

Camera axes: x right, y up, z towards the camera. The middle of a panorama is the direction of the camera, because
that is what a face looking at it reflects.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

HEIGHT, WIDTH = 128, 256
BLURS_PX = (0.0, 5.0, 18.0)  # roughness levels 0, 0.5, 1


@dataclass(frozen=True)
class Environment:
    """levels: three (128, 256, 3) float32 panoramas from sharp to blurred, mean luminance about 1."""

    levels: tuple[np.ndarray, ...]

    def look(self, directions: np.ndarray, roughness: np.ndarray | float) -> np.ndarray:
        """(N, 3) unit directions and their roughness 0..1 -> (N, 3) float32 linear light."""
        x, y, z = directions.T.astype(np.float32)
        u = (np.arctan2(x, z) / (2 * np.pi) + 0.5) * WIDTH - 0.5
        v = (0.5 - np.arcsin(np.clip(y, -1, 1)) / np.pi) * HEIGHT - 0.5
        at = np.clip(np.broadcast_to(np.asarray(roughness, np.float32), len(x)) * 2, 0, 2)
        result = np.zeros((len(x), 3), np.float32)
        for level, panorama in enumerate(self.levels):
            weight = np.clip(1 - np.abs(at - level), 0, 1)
            if weight.any():
                result += weight[:, None] * _lookup(panorama, u, v)
        return result


def _lookup(panorama: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    rows = -(-len(u) // 1024)  # cv2.remap takes no side longer than 32767
    map_u, map_v = (np.resize(a.astype(np.float32), (rows, 1024)) for a in (u, v))
    return cv2.remap(panorama, map_u, map_v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(-1, 3)[: len(u)]


def sample_environment(
    rng: np.random.Generator, key: np.ndarray, picture: np.ndarray | None = None
) -> Environment:
    """A random panorama whose main lamp is where the photograph's light comes from.

    key: (3,) unit direction of the main light. picture: (H, W, 3) uint8 RGB to use as surroundings, or None.
    """
    if picture is not None:
        image = _from_picture(rng, picture)
        if rng.random() < 0.5:
            _window(image, rng, *_angles(key), 10.0)
    else:
        image = KINDS[rng.choice(len(KINDS), p=[0.4, 0.2, 0.25, 0.15])](rng, key)
    image = np.maximum(image, 0.01).astype(np.float32)
    image *= np.float32(1.0 / max(float(np.minimum(image, 4).mean()), 0.05))
    levels = [image]
    for sigma in BLURS_PX[1:]:
        wide = cv2.copyMakeBorder(image, 0, 0, 48, 48, cv2.BORDER_WRAP)
        small = cv2.resize(wide, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), sigma / 4)
        levels.append(cv2.resize(small, (wide.shape[1], wide.shape[0]))[:, 48:-48].copy())
    return Environment(tuple(levels))


def _room(rng: np.random.Generator, key: np.ndarray) -> np.ndarray:
    """Walls, ceiling with lamps, floor, windows with bars; one window or lamp where the light comes from."""
    image = np.empty((HEIGHT, WIDTH, 3), np.float32)
    wall = rng.uniform(0.35, 0.8) * (1 + rng.normal(0, 0.06, 3))
    edges = np.sort(rng.integers(0, WIDTH, 4))
    for i, left in enumerate([0, *edges]):
        image[:, left:] = wall * rng.uniform(0.6, 1.15) * (1 - 0.05 * i)
    ceiling, floor = int(HEIGHT * rng.uniform(0.2, 0.32)), int(HEIGHT * rng.uniform(0.62, 0.75))
    image[:ceiling] = wall * rng.uniform(1.0, 1.6)
    image[floor:] = rng.uniform(0.1, 0.4) * np.array([1.0, 0.85, 0.7])
    for _ in range(rng.integers(3, 9)):  # furniture, people, pictures
        _box(image, rng.uniform(-np.pi, np.pi), rng.uniform(-0.5, 0.25), rng.uniform(0.05, 0.35), rng.uniform(0.1, 0.5),
             rng.uniform(0.03, 0.5) * (1 + rng.normal(0, 0.2, 3)))  # fmt: skip
    for _ in range(rng.integers(0, 4)):
        _box(image, rng.uniform(-np.pi, np.pi), rng.uniform(0.6, 1.1), rng.uniform(0.1, 0.4), rng.uniform(0.04, 0.12),
             rng.uniform(6, 16) * np.array([1, 0.97, 0.9]))  # fmt: skip
    azimuth, elevation = _angles(key)
    _window(image, rng, azimuth, elevation, rng.uniform(5, 18))
    if rng.random() < 0.5:
        _window(image, rng, rng.uniform(-1.2, 1.2), rng.uniform(-0.1, 0.4), rng.uniform(3, 14))
    return _person(image, rng)


def _studio(rng: np.random.Generator, key: np.ndarray) -> np.ndarray:
    """Dark surroundings, one to three softboxes, sometimes a ring light around the camera."""
    image = np.full((HEIGHT, WIDTH, 3), rng.uniform(0.15, 0.5), np.float32)
    for i in range(rng.integers(1, 4)):
        azimuth, elevation = _angles(key) if i == 0 else (rng.uniform(-1.6, 1.6), rng.uniform(-0.2, 0.9))
        size = rng.uniform(0.12, 0.4)
        _box(image, azimuth, elevation, size, size * rng.uniform(0.6, 1.6), np.full(3, rng.uniform(8, 22)))
    if rng.random() < 0.3:
        centre = (WIDTH // 2 + int(rng.integers(-4, 5)), HEIGHT // 2 - int(rng.integers(-4, 6)))
        cv2.circle(image, centre, int(rng.integers(6, 12)), (18.0, 18.0, 18.0), 2, cv2.LINE_AA)
    return _person(image, rng)


def _outdoors(rng: np.random.Generator, key: np.ndarray) -> np.ndarray:
    """Sky, bright horizon, trees or houses, ground, the sun where the light comes from."""
    elevation = np.linspace(np.pi / 2, -np.pi / 2, HEIGHT, dtype=np.float32)[:, None, None]
    blue = np.array([0.35, 0.6, 1.0]) if rng.random() < 0.6 else np.array([0.85, 0.9, 1.0])
    sky = blue * rng.uniform(0.8, 1.6) + np.exp(-np.abs(elevation) * 3) * np.array([1.2, 1.15, 1.0])
    ground = np.array([0.3, 0.28, 0.2]) * rng.uniform(0.4, 1.6)
    image = np.where(elevation > 0, sky, ground).astype(np.float32) * np.ones((1, WIDTH, 1), np.float32)
    skyline = np.cumsum(rng.normal(0, 1.6, WIDTH))
    skyline = HEIGHT / 2 - np.abs(skyline - np.linspace(skyline[0], skyline[-1], WIDTH)) * rng.uniform(0.3, 1.6) - 2
    dark = np.arange(HEIGHT)[:, None] > skyline[None]
    image[dark & (elevation[..., 0] > -0.05)] = np.array([0.1, 0.14, 0.06]) * rng.uniform(0.4, 2.2)
    u, v = _pixel(*_angles(key))
    cv2.circle(image, (u, v), int(rng.integers(2, 5)), (45.0, 42.0, 36.0), -1, cv2.LINE_AA)
    return _person(image, rng)


def _screen(rng: np.random.Generator, key: np.ndarray) -> np.ndarray:
    """A dim room and the bright screen in front of the face, as in a video call."""
    image = _room(rng, key) * np.float32(rng.uniform(0.3, 0.7))
    azimuth, elevation = rng.normal(0, 0.2), rng.uniform(-0.45, 0.0)
    width, height = rng.uniform(0.25, 0.5), rng.uniform(0.15, 0.3)
    tint = np.array([0.85, 0.95, 1.1]) * rng.uniform(1.5, 8)
    _box(image, azimuth, elevation, width, height, tint)
    for _ in range(rng.integers(0, 5)):  # windows and pictures on the screen
        across, up = azimuth + rng.uniform(-0.7, 0.7) * width, elevation + rng.uniform(-0.6, 0.6) * height
        tone = tint * np.clip(rng.uniform(0.2, 1.0) + rng.normal(0, 0.12, 3), 0.05, 1)
        _box(image, across, up, width * rng.uniform(0.1, 0.4), height * rng.uniform(0.1, 0.4), tone)
    return image


KINDS = (_room, _studio, _outdoors, _screen)


def _from_picture(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """A photograph mirrored into a panorama, its lights pushed above white."""
    side = cv2.resize(picture, (WIDTH // 2, HEIGHT), interpolation=cv2.INTER_AREA)
    both = np.concatenate([side[:, ::-1], side], 1).astype(np.float32) / 255
    both = np.roll(both, int(rng.integers(WIDTH)), 1)
    linear = both**2.2
    bright = np.clip((both.mean(2, keepdims=True) - 0.75) / 0.25, 0, 1)
    return linear * (1 + rng.uniform(3, 12) * bright**2) + 0.02


def _person(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The photographer stands dark in the middle of what a face reflects."""
    if rng.random() < 0.5:
        u = WIDTH // 2 + int(rng.integers(-6, 7))
        tone = tuple(float(v) for v in rng.uniform(0.03, 0.3, 3))
        cv2.ellipse(image, (u, HEIGHT // 2 + 14), (6, 16), 0, 0, 360, tone, -1, cv2.LINE_AA)
        cv2.circle(image, (u, HEIGHT // 2 - 4), 4, tone, -1, cv2.LINE_AA)
    return image


def _window(image: np.ndarray, rng: np.random.Generator, azimuth: float, elevation: float, level: float) -> None:
    width, height = rng.uniform(0.15, 0.45), rng.uniform(0.2, 0.5)
    colour = level * np.array([0.9, 0.97, 1.05])
    _box(image, azimuth, elevation, width, height, colour)
    for i in range(1, int(rng.integers(1, 4))):  # bars
        _box(image, azimuth - width + 2 * width * i / 3, elevation, 0.02, height, colour * 0.05)
    if rng.random() < 0.6:
        _box(image, azimuth, elevation + rng.uniform(-0.3, 0.3) * height, width, 0.02, colour * 0.05)


def _box(
    image: np.ndarray, azimuth: float, elevation: float, half_width: float, half_height: float, colour: np.ndarray
) -> None:
    """A filled rectangle in angles (radians), wrapping around behind."""
    tone = tuple(float(v) for v in np.maximum(colour, 0))
    for turn in (-2 * np.pi, 0.0, 2 * np.pi):
        left, top = _pixel(azimuth - half_width + turn, elevation + half_height)
        right, bottom = _pixel(azimuth + half_width + turn, elevation - half_height)
        cv2.rectangle(image, (left, top), (right, bottom), tone, -1)


def _angles(direction: np.ndarray) -> tuple[float, float]:
    return float(np.arctan2(direction[0], direction[2])), float(np.arcsin(np.clip(direction[1], -1, 1)))


def _pixel(azimuth: float, elevation: float) -> tuple[int, int]:
    return int((azimuth / (2 * np.pi) + 0.5) * WIDTH), int((0.5 - elevation / np.pi) * HEIGHT)
