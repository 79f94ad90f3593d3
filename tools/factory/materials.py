"""What frames and lenses are made of, and random draws of it. Colours and transmissions are linear light, 0..1."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

LENS_KINDS = ("clear", "tinted", "gradient", "dark", "mirror")
LENS_SHARES = (0.62, 0.07, 0.08, 0.16, 0.07)
DARK_BELOW = 0.35  # a lens that lets less through hides the eye: the class DARK_LENS


@dataclass(frozen=True)
class Material:
    """colour, second: (3,) linear RGB, mixed by `pattern` (plain, tortoise, fade). roughness: 0 mirror .. 1 matt."""

    colour: tuple[float, float, float]
    metallic: float = 0.0
    roughness: float = 0.3
    opacity: float = 1.0
    second: tuple[float, float, float] = (0.0, 0.0, 0.0)
    pattern: str = "plain"


@dataclass(frozen=True)
class Lens:
    """top, bottom: (3,) transmission at the upper and lower edge. reflectance: (3,) at normal incidence.

    power_d: dioptres (minus lenses shrink the eye). edge: how dark the rim of the lens looks, 0..1.
    """

    kind: str
    top: tuple[float, float, float]
    bottom: tuple[float, float, float]
    reflectance: tuple[float, float, float]
    power_d: float = 0.0
    edge: float = 0.0

    @property
    def dark(self) -> bool:
        return float(np.mean([self.top, self.bottom])) < DARK_BELOW


def sample_lens(rng: np.random.Generator, kind: str | None = None, family: str = "") -> Lens:
    """A random lens of one of `LENS_KINDS`; "clear_any" and "dark_any" draw among the see-through or dark ones."""
    shares = np.array(LENS_SHARES)
    if family in ("aviator", "oversized", "sport"):
        shares = shares * (0.6, 1.5, 1.8, 2.2, 2.0)
    if kind == "clear_any":
        shares = shares * (1, 0.6, 0, 0, 0)
    if kind == "dark_any":
        shares = shares * (0, 0, 0.35, 1, 1)
    if kind is None or kind.endswith("_any"):
        kind = str(rng.choice(LENS_KINDS, p=shares / shares.sum()))
    tint = _tint(rng)
    if kind == "clear":
        return _clear(rng)
    if kind == "tinted":
        level = rng.uniform(0.45, 0.8)
        colour = _triple(level * (0.5 + 0.5 * tint))
        return Lens(kind, colour, colour, _triple(np.full(3, rng.uniform(0.02, 0.07))), rng.normal(0, 1.0), 0.1)
    if kind == "gradient":
        top, bottom = rng.uniform(0.04, 0.3), rng.uniform(0.25, 0.75)
        return Lens(kind, _triple(top * (0.6 + 0.4 * tint)), _triple(bottom * (0.75 + 0.25 * tint)),
                    _triple(np.full(3, rng.uniform(0.03, 0.08))), 0.0, 0.1)  # fmt: skip
    if kind == "dark":
        level = rng.uniform(0.015, 0.2)
        colour = _triple(level * (0.6 + 0.4 * tint))
        return Lens(kind, colour, colour, _triple(np.full(3, rng.uniform(0.035, 0.09))))
    level = rng.uniform(0.02, 0.12)
    mirror = rng.uniform(0.15, 0.75) * np.clip(_tint(rng, strong=True) * 1.1, 0.05, 1)
    return Lens("mirror", _triple(level * tint), _triple(level * tint), _triple(mirror))


def sample_materials(rng: np.random.Generator, metal: bool) -> dict[int, Material]:
    """Material per `glasses.Part` number (rim, brow, temple, metal, pad, edge)."""
    plate = _metal(rng)
    body = plate if metal else _plastic(rng)
    temple = body if rng.random() < 0.7 else (_plastic(rng) if rng.random() < 0.6 else _metal(rng))
    brow = _plastic(rng)
    pad = Material((0.75, 0.72, 0.68), roughness=0.25, opacity=rng.uniform(0.25, 0.6))
    glass = rng.uniform(0.25, 0.8)
    edge = Material((0.55 * glass, 0.62 * glass, 0.6 * glass), roughness=0.1, opacity=rng.uniform(0.35, 0.75))
    return {0: body, 1: brow, 2: temple, 3: plate, 4: pad, 5: edge}


def _clear(rng: np.random.Generator) -> Lens:
    coated = rng.random() < 0.6  # anti-reflection coating: weak, coloured reflections
    hues = np.array([[0.35, 1.0, 0.55], [0.5, 0.45, 1.0], [0.8, 0.9, 1.0]])
    reflect = rng.uniform(0.008, 0.025) * hues[rng.integers(3)] if coated else np.full(3, rng.uniform(0.05, 0.09))
    clear = rng.uniform(0.9, 0.98)
    colour = _triple(clear * np.array([1, 1, rng.uniform(0.95, 1.0)]))
    power = float(rng.choice([0.0, rng.uniform(-7, -0.5), rng.uniform(0.5, 3.5)], p=[0.3, 0.5, 0.2]))
    return Lens("clear", colour, colour, _triple(reflect), power, abs(power) / 7 * 0.4)


def _tint(rng: np.random.Generator, strong: bool = False) -> np.ndarray:
    hues = np.array([[1, 1, 1], [1, 0.75, 0.5], [0.8, 1, 0.75], [0.7, 0.85, 1], [1, 0.7, 0.8], [1, 0.9, 0.5]])
    weights = [0.15, 0.15, 0.15, 0.25, 0.15, 0.15] if strong else [0.4, 0.25, 0.12, 0.12, 0.06, 0.05]
    hue = hues[rng.choice(len(hues), p=weights)]
    return hue**2.2 if strong else hue


def _metal(rng: np.random.Generator) -> Material:
    choices = [(0.55, 0.55, 0.56), (0.72, 0.5, 0.22), (0.2, 0.2, 0.22), (0.04, 0.04, 0.045), (0.62, 0.38, 0.3),
               (0.35, 0.25, 0.16)]  # fmt: skip
    colour = np.array(choices[rng.choice(len(choices), p=[0.22, 0.18, 0.18, 0.28, 0.07, 0.07])])
    painted = colour.max() < 0.1
    return Material(_triple(colour * rng.uniform(0.8, 1.15)), 0.25 if painted else 1.0, rng.uniform(0.12, 0.5))


def _plastic(rng: np.random.Generator) -> Material:
    choice = rng.choice(["black", "dark", "tortoise", "colour", "clear", "fade", "white"],
                        p=[0.44, 0.13, 0.16, 0.11, 0.08, 0.06, 0.02])  # fmt: skip
    rough = rng.uniform(0.2, 0.4) if rng.random() < 0.6 else rng.uniform(0.45, 0.9)
    plain = Material((0.012, 0.012, 0.013), roughness=rough)
    if choice == "dark":
        return replace(plain, colour=_triple(rng.uniform(0.01, 0.06, 3)))
    if choice == "tortoise":
        light = np.array([0.38, 0.16, 0.04]) * rng.uniform(0.5, 1.3)
        return replace(plain, colour=_triple(light), second=(0.02, 0.01, 0.006), pattern="tortoise")
    if choice == "colour":
        hues = np.array([[0.5, 0.02, 0.03], [0.03, 0.06, 0.3], [0.25, 0.1, 0.04], [0.04, 0.16, 0.08], [0.2, 0.03, 0.2],
                         [0.45, 0.4, 0.36], [0.6, 0.3, 0.35]])  # fmt: skip
        return replace(plain, colour=_triple(hues[rng.integers(len(hues))] * rng.uniform(0.5, 1.2)))
    if choice == "clear":
        hue = np.array([[0.85, 0.83, 0.8], [0.8, 0.6, 0.4], [0.75, 0.55, 0.55], [0.5, 0.6, 0.7]])[rng.integers(4)]
        return replace(plain, colour=_triple(hue), opacity=rng.uniform(0.25, 0.65))
    if choice == "fade":
        return replace(plain, second=_triple(rng.uniform(0.1, 0.6, 3)), pattern="fade")
    if choice == "white":
        return replace(plain, colour=(0.75, 0.74, 0.72))
    return plain


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    r, g, b = (float(v) for v in np.clip(values, 0, 1))
    return r, g, b
