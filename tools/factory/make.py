"""One numbered picture of the factory: the same seed and number give the same record, whoever makes it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime.face.model import FaceModel
from realtime.frame import Glasses
from tools.factory.scanned import ScannedGlasses
from tools.factory.sensor import sample_sensor
from tools.factory.shards import Record
from tools.factory.subjects import Subjects
from tools.factory.synthetic import synthetic_head
from tools.factory.wear import Sample, wear

BARE_SHARE = 0.25


@dataclass(frozen=True)
class Recipe:
    """synthetic: share of whole synthetic heads; bare: share without glasses; sensor: whether to spoil pictures.

    designs: numbers of the eyeglasses that may be worn, None for any; `splits.toml` keeps those of val apart.
    """

    seed: int
    synthetic: float = 0.0
    bare: float = BARE_SHARE
    sensor: bool = True
    designs: range | None = None


def designs_of(split: str) -> range:
    """The eyeglasses of a split, as `splits.toml` fixes them."""
    with (Path(__file__).parent / "splits.toml").open("rb") as file:
        first, last = tomllib.load(file)["designs"][split]
    return range(first, last + 1)


def make_record(
    number: int, recipe: Recipe, subjects: Subjects, model: FaceModel, scanned: Sequence[ScannedGlasses] = ()
) -> Record:
    """Picture `number` of a recipe."""
    rng = np.random.default_rng([recipe.seed, number])
    kind = Glasses.NONE if rng.random() < recipe.bare else None
    surroundings = subjects.background(rng) if rng.random() < 0.3 else None
    if rng.random() < recipe.synthetic:
        head = synthetic_head(model, subjects, rng)
        sample = wear(head.image, head.coefficients, rng, kind=kind, model=model, surroundings=surroundings,
                      scanned=scanned, hairy=head.hairy, designs=recipe.designs)  # fmt: skip
        return _record(sample, recipe, rng, head.points, np.ones(68, np.float32), head.exact, "synthetic", True)
    subject = subjects.draw(model, rng)
    sample = wear(subject.crop, subject.coefficients, rng, kind=kind, model=model, surroundings=surroundings,
                  scanned=scanned, designs=recipe.designs)  # fmt: skip
    return _record(sample, recipe, rng, subject.points, subject.weight, subject.coefficients, subject.name, False)


def _record(
    sample: Sample, recipe: Recipe, rng: np.random.Generator, points: np.ndarray, weight: np.ndarray,
    coefficients: np.ndarray, source: str, synthetic: bool,
) -> Record:  # fmt: skip
    image, clean = sample.image, sample.clean
    if recipe.sensor:
        sensor = sample_sensor(rng)
        image, clean = sensor(image), sensor(clean)
    if sample.kind is Glasses.NONE:
        clean = image
    return Record(
        image, clean, sample.labels, sample.shadow, int(sample.kind), points, weight, coefficients,
        source if not sample.family else f"{source}+{sample.family}", synthetic, sample.lens_scale,
    )  # fmt: skip
