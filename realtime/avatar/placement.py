"""Where an avatar's face is, how large, and which way it looks: told by what its blendshapes move.

Every ARKit shape moves a place of the face (the lids, the chin, a corner of the mouth). Those places, found in the
avatar and in our face model, say how the one lies on the other: files differ in unit, axes, size and names of bones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, product

import numpy as np

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.model import load_face_model

HEIGHT_MM = 240.0  # of a head, for an avatar whose shapes do not tell its size
FEWEST = 4  # places from which axes and size can be told
SPREAD_MM = 15.0  # places of our own face that lie closer together than that (rms) tell nothing


@dataclass(frozen=True, eq=False)
class Placement:
    """target_mm = scale * rotation @ file + offset; rotation (3, 3) turns by right angles only."""

    rotation: np.ndarray
    scale: float
    offset: np.ndarray

    def points(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) of the file -> mm in the axes of our face model, its origin between the eyes."""
        return (self.directions(points) + self.offset).astype(np.float32)

    def directions(self, vectors: np.ndarray) -> np.ndarray:
        return (self.scale * vectors @ self.rotation.T).astype(np.float32)


def centre_of_motion(positions: np.ndarray, deltas: np.ndarray) -> np.ndarray:
    """(3,) mean of (V, 3) positions, weighted by the squares of how far each moves; (nan, ...) where none does."""
    weights = (deltas.astype(np.float64) ** 2).sum(1)
    total = weights.sum()
    return weights @ positions / total if total > 0 else np.full(3, np.nan)


def place(centres: Mapping[str, np.ndarray], bounds: tuple[np.ndarray, np.ndarray]) -> Placement:
    """How the file lies on our face model. centres: ARKit name -> (3,). bounds: lowest and highest (3,) of the file."""
    reference = reference_centres()
    shared = [name for name, centre in centres.items() if np.isfinite(centre).all() and name in reference]
    if len(shared) >= FEWEST:
        ours, theirs = (_array(side, shared) for side in (reference, centres))
        middle, centre = ours.mean(0), theirs.mean(0)
        ours, theirs = ours - middle, theirs - centre
        spread, wide = np.sqrt((ours**2).sum(1).mean()), np.sqrt((theirs**2).sum(1).mean())
        if spread > SPREAD_MM and wide > 0:
            rotation = max(RIGHT_ANGLES, key=lambda turn: float(np.sum(ours * (theirs @ turn.T))))
            scale = float(spread / wide)
            return Placement(rotation, scale, middle - scale * rotation @ centre)
    low, high = bounds
    scale = HEIGHT_MM / max(float(high[1] - low[1]), 1e-9)
    return Placement(np.eye(3), scale, -scale * (low + high) / 2)


@lru_cache(maxsize=1)
def reference_centres() -> dict[str, np.ndarray]:
    """ARKit name -> (3,) mm of our mean face."""
    model = load_face_model("live")
    deltas = model.expression.reshape(64, -1, 3)
    return {name: centre_of_motion(model.mean, deltas[k]) for k, name in enumerate(ARKIT_NAMES)}


def _array(centres: Mapping[str, np.ndarray], names: Iterable[str]) -> np.ndarray:
    return np.array([centres[name] for name in names], np.float64)


def _right_angles() -> list[np.ndarray]:
    """The 24 rotations that carry axes to axes, the one that changes nothing first."""
    found = []
    for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        turn = np.zeros((3, 3))
        turn[range(3), order] = signs
        if np.linalg.det(turn) > 0:
            found.append(turn)
    return found


RIGHT_ANGLES = _right_angles()
