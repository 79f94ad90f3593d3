"""Faces in glasses that are hard to take off, made by the data factory: each case wears something on a known face.

A case is (Bare, generator) -> Sample, everything in the 256x256 aligned crop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from engines.networks.classes import Region
from realtime.face.model import FaceModel
from realtime.frame import Glasses
from tools.factory.glasses import Design, Part
from tools.factory.materials import Material, sample_lens
from tools.factory.sensor import Sensor
from tools.factory.wear import Sample, wear


@dataclass(frozen=True, eq=False)
class Bare:
    """A face without glasses: crop (256, 256, 3) uint8; points (68, 2) and coefficients (239,) in its pixels; hairy:
    (V,) bool of a synthetic head, None of a photograph."""

    crop: np.ndarray
    points: np.ndarray
    coefficients: np.ndarray
    hairy: np.ndarray | None = None


Case = Callable[[Bare, np.random.Generator, FaceModel], Sample]


def plain(bare: Bare, rng: np.random.Generator, model: FaceModel) -> Sample:
    """Clear lenses of any kind: what the hard cases are compared with."""
    return _worn(bare, rng, model, Glasses.CLEAR)


def plain_dark(bare: Bare, rng: np.random.Generator, model: FaceModel) -> Sample:
    return _worn(bare, rng, model, Glasses.DARK)


def mirrored(bare: Bare, rng: np.random.Generator, model: FaceModel) -> Sample:
    lens = sample_lens(rng, "mirror")
    return _worn(bare, rng, model, Glasses.DARK, adjust=lambda design: replace(design, lens=lens))


def strong(bare: Bare, rng: np.random.Generator, model: FaceModel) -> Sample:
    """Lenses of -6 to -10 dioptres, which shrink the eye, or of +4 to +6."""
    power = float(rng.uniform(-10, -6) if rng.random() < 0.7 else rng.uniform(4, 6))
    lens = replace(sample_lens(rng, "clear"), power_d=power, edge=abs(power) / 7 * 0.4)
    return _worn(bare, rng, model, Glasses.CLEAR, adjust=lambda design: replace(design, lens=lens))


def rimless(bare: Bare, rng: np.random.Generator, model: FaceModel) -> Sample:
    return _worn(bare, rng, model, Glasses.CLEAR, family="rimless")


def thick(bare: Bare, rng: np.random.Generator, model: FaceModel) -> Sample:
    """Black rims of 6 to 8 mm, high enough to lie over the brows."""
    rim, black = rng.uniform(6, 8), Material((0.012, 0.012, 0.013), roughness=rng.uniform(0.2, 0.6))

    def adjust(design: Design) -> Design:
        tall = replace(design.outline, height_mm=design.outline.height_mm * 1.15)
        materials = {**design.materials, int(Part.RIM): black, int(Part.TEMPLE): black}
        return replace(design, outline=tall, rim_mm=float(rim), depth_mm=4.0, materials=materials)

    return _worn(bare, rng, model, Glasses.CLEAR, family="square", adjust=adjust)


def low_light(bare: Bare, rng: np.random.Generator, model: FaceModel) -> Sample:
    """A third of the light or less, with the noise that a webcam adds then; the truth is as dark and noisy."""
    level, noise = rng.uniform(0.15, 0.35), float(rng.uniform(4, 8))
    gain = (float(level * rng.uniform(1.0, 1.2)), float(level), float(level * rng.uniform(0.75, 1.0)))
    sensor = Sensor(gain, 1.0, 1.3, 0.7, 0.0, 0.0, noise, noise, 70, int(rng.integers(2**31)))
    sample = _worn(bare, rng, model, Glasses.CLEAR)
    return replace(sample, image=sensor(sample.image), clean=sensor(sample.clean))


def face_mask(bare: Bare, rng: np.random.Generator, model: FaceModel) -> Sample:
    """A surgical mask over nose and mouth, under the glasses."""
    crop, outline = bare.crop.copy(), np.vstack([bare.points[1:16], bare.points[28]])
    colour = np.array([(150, 190, 210), (235, 235, 235), (40, 40, 45)])[rng.integers(3)]
    cover = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillPoly(cover, [np.round(outline).astype(np.int32)], 255)
    cover = cv2.GaussianBlur(cover, (0, 0), 1.0)[..., None] / 255
    shade = cv2.GaussianBlur(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (0, 0), 12)[..., None] / 160
    folds = 1 + 0.06 * np.sin(np.arange(crop.shape[0]) / 4)[:, None, None]
    cloth = np.clip(colour * np.clip(shade, 0.4, 1.15) * folds, 0, 255)
    masked = (crop * (1 - cover) + cloth * cover).astype(np.uint8)
    return _worn(replace(bare, crop=masked), rng, model, Glasses.CLEAR)


def hair(bare: Bare, rng: np.random.Generator, model: FaceModel) -> Sample:
    """Strands of hair that fall over the glasses; they stay, so the truth has them too."""
    sample = _worn(bare, rng, model, Glasses.CLEAR)
    strands = np.zeros(bare.crop.shape[:2], np.uint8)
    left, right = float(bare.points[17, 0]) - 12, float(bare.points[26, 0]) + 12
    for _ in range(int(rng.integers(8, 16))):
        top = rng.uniform(left, right)
        path = [
            (top + rng.normal(0, 3) * k + 12 * np.sin(k + top), 40 + 16 * k) for k in range(int(rng.integers(4, 7)))
        ]
        cv2.polylines(strands, [np.round(path).astype(np.int32)], False, 255, int(rng.integers(1, 3)), cv2.LINE_AA)
    colour = np.array([(30, 22, 18), (92, 62, 38), (170, 130, 85)])[rng.integers(3)]
    weight = strands[..., None] / 255

    def over(picture: np.ndarray) -> np.ndarray:
        return (picture * (1 - weight) + colour * weight + 0.5).astype(np.uint8)

    labels = np.where(strands > 127, np.uint8(Region.HAIR), sample.labels)
    return replace(sample, image=over(sample.image), clean=over(sample.clean), labels=labels)


CASES: dict[str, Case] = {
    "plain": plain, "plain_dark": plain_dark, "mirrored": mirrored, "strong": strong, "rimless": rimless,
    "thick": thick, "low_light": low_light, "face_mask": face_mask, "hair": hair,
}  # fmt: skip


def _worn(
    bare: Bare, rng: np.random.Generator, model: FaceModel, kind: Glasses, family: str | None = None,
    adjust: Callable[[Design], Design] | None = None,
) -> Sample:  # fmt: skip
    return wear(
        bare.crop, bare.coefficients, rng, kind=kind, family=family, model=model, hairy=bare.hairy, adjust=adjust
    )
