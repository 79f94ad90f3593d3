"""One row of the regressor's batch: a crop with what is known of its face; of heads all, of photographs a part."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from engines.networks.recogniser import FEATURES
from realtime.align import CROP_SIZE, transform_points, warp
from realtime.face.coefficients import COUNT, move_pose
from realtime.regressor import shrunk
from tools.train.augment import greyed, jitter_similarity, relight, sense
from tools.train.people import IdentityLabels, People
from tools.train.removed import Removed
from tools.train.samples import Sample, Samples


@dataclass(frozen=True, eq=False)
class Row:
    """crop (128, 128, 3) uint8; coefficients (239,), NaN where unknown; points (68, 2) and their weight (68,).

    exact: the coefficients are true, not fitted. lit: the light was left alone. bare: a bare face in its own light, for
    the photometric loss. feature (128,): whose face it is, zero where unknown.
    """

    crop: np.ndarray
    coefficients: np.ndarray
    points: np.ndarray
    weight: np.ndarray
    exact: np.bool_
    lit: np.float32
    bare: np.bool_
    feature: np.ndarray


def stacked(rows: list[Row]) -> dict[str, np.ndarray]:
    """The fields of all rows, each (B, ...)."""
    return {field.name: np.stack([getattr(row, field.name) for row in rows]) for field in fields(Row)}


class Known:
    """Where pairs of photographs come from: the factory's dressed ones, and `People` where they are given.

    rows: the photographs among `samples`. removed: the same crops with their glasses taken off.
    """

    def __init__(
        self, samples: Samples, rows: np.ndarray, labels: IdentityLabels | None, people: People | None,
        removed: Removed | None = None,
    ):  # fmt: skip
        self.samples, self.rows, self.labels, self.people, self.removed = samples, rows, labels, people, removed

    def pair(self, rng: np.random.Generator) -> tuple[Row, Row]:
        """Two looks at one photograph: where the factory has dressed it, one bare, and mostly one in eyeglasses or with
        what their removal left."""
        if self.people is not None and rng.random() < 0.5:
            index = int(rng.integers(len(self.people)))
            return self._person(index, rng), self._person(index, rng)
        row = int(rng.choice(self.rows))
        sample = self.samples[row]
        name = str(sample.value("source")).split("+")[0]
        feature = self.labels[name] if self.labels is not None and name in self.labels else None
        chance = rng.random()
        taken_off = self.removed.picture(row) if self.removed is not None and chance < 0.5 else None
        return varied(sample, rng, False, feature), varied(sample, rng, bool(chance < 0.8), feature, taken_off)

    def _person(self, index: int, rng: np.random.Generator) -> Row:
        crop, points = self.people.crop(index, rng)  # type: ignore[union-attr]
        lit = rng.random() < 0.3
        crop = crop if lit else relight(crop, rng)
        unknown = np.full(COUNT, np.nan, np.float32)
        weight = self.people.faces.weight[index]  # type: ignore[union-attr]
        feature = self.people.features[index]  # type: ignore[union-attr]
        return Row(
            greyed(sense(crop, rng), rng), unknown, points, weight, np.bool_(False), np.float32(lit), np.bool_(False),
            feature,
        )  # fmt: skip


def varied(
    sample: Sample, rng: np.random.Generator, worn: bool, feature: np.ndarray | None = None,
    taken_off: np.ndarray | None = None,
) -> Row:  # fmt: skip
    """A crop of the factory's, bare, in eyeglasses or with them taken off, moved, relit and seen by some camera."""
    exact = bool(sample.value("synthetic"))
    moved = jitter_similarity(rng, 0.05, 0.07, 5.0)
    image = sample.picture("image" if worn else "clean") if taken_off is None else taken_off
    image = warp(image, moved, (CROP_SIZE, CROP_SIZE))
    lit = rng.random() < 0.4
    if not lit:
        image = relight(image, rng)
    grey = not exact and rng.random() < 0.2  # a head's texture has colours to tell
    return Row(
        shrunk(sense(greyed(image, rng, float(grey)), rng)),
        move_pose(np.asarray(sample.value("coefficients"), np.float32), moved),
        transform_points(moved, sample.value("points")), sample.value("points_weight").astype(np.float32),
        np.bool_(exact), np.float32(lit), np.bool_(lit and not worn and not grey),
        np.zeros(FEATURES, np.float32) if feature is None else feature,
    )  # fmt: skip


def heads_of(samples: Samples, folder: Path) -> list[Sample]:
    """The rendered heads among `samples`, and those of the folder `heads` beside theirs."""
    heads = [samples[int(k)] for k in np.flatnonzero(samples.values("synthetic").astype(bool))]
    return heads + (list(Samples(folder)) if any(folder.glob("*.npz")) else [])
