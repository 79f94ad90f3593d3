"""Where eyeglasses sit on a head: on the nose, clear of cheeks and brows, temples along the head to the ears.

Millimetres in model axes: x to the subject's left, y up, z towards the camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shaders.software import rasterise

HALF_WIDTH, DOWN, UP = 90, 60, 60  # mm around the middle of the eyes covered by the height map, 1 mm a pixel
EAR_BEHIND_MM, EAR_ABOVE_MM, EAR_BESIDE_MM = 82.0, 4.0, 32.0  # the ear's root from the outer eye corner


@dataclass(frozen=True)
class HeadShape:
    """What seating needs of a head without expression.

    eyes: (2, 3) middles of the subject's left and right eye. ears: (2, 3) where temples rest, same order.
    relief: (UP + DOWN + 1, 2 * HALF_WIDTH + 1) float32 z of the face from the front; -inf beside it.
    sides: (n, 2) float64, z from behind to front, half-width of the head there at the height of the temples.
    """

    eyes: np.ndarray
    ears: np.ndarray
    relief: np.ndarray
    sides: np.ndarray

    @property
    def middle(self) -> np.ndarray:
        return self.eyes.mean(0)

    def z(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Height of the face at model x, y; the nearest covered place where there is none: -inf."""
        column = np.clip(np.round(np.asarray(x) - self.middle[0]) + HALF_WIDTH, 0, 2 * HALF_WIDTH).astype(int)
        row = np.clip(np.round(self.middle[1] - np.asarray(y)) + UP, 0, UP + DOWN).astype(int)
        return self.relief[row, column]


def head_shape(vertices: np.ndarray, triangles: np.ndarray, landmarks: np.ndarray) -> HeadShape:
    """vertices (V, 3) mm of the face without expression, landmarks (68, 3) mm of the same."""
    eyes = np.stack([landmarks[42:48].mean(0), landmarks[36:42].mean(0)])
    middle = eyes.mean(0)
    flat = np.stack([vertices[:, 0] - middle[0] + HALF_WIDTH, middle[1] - vertices[:, 1] + UP, vertices[:, 2]], 1)
    relief, _, _ = rasterise(flat.astype(np.float32), triangles, (UP + DOWN + 1, 2 * HALF_WIDTH + 1))
    corners = np.stack([landmarks[45], landmarks[36]])
    ears = corners + np.array([[1.0], [-1.0]]) * (EAR_BESIDE_MM, 0, 0) + (0, EAR_ABOVE_MM, -EAR_BEHIND_MM)
    near = np.abs(vertices[:, 1] - (middle[1] + 3)) < 9
    depth = np.arange(corners[0, 2] - 62, corners[0, 2] + 1, 6.0)  # in front of the ear shells
    widths = [np.abs(vertices[near & (np.abs(vertices[:, 2] - d) < 6), 0] - middle[0]).max(initial=0.0) for d in depth]
    sides = np.stack([depth, np.array(widths)], 1)
    behind = sides[sides[:, 1] > 0]
    if len(behind):
        ears[:, 0] = middle[0] + np.array([1, -1]) * (behind[0, 1] + 1.0)
    return HeadShape(eyes, ears, relief, sides)


@dataclass(frozen=True)
class Seat:
    """A place on a head. origin (3,): the middle of the front, between the lenses. tilt, roll, turn in radians."""

    shape: HeadShape
    origin: np.ndarray
    tilt: float
    roll: float = 0.0
    turn: float = 0.0

    def place(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) coordinates of the front -> model coordinates."""
        cp, sp = np.cos(self.tilt), np.sin(self.tilt)
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        cy, sy = np.cos(self.turn), np.sin(self.turn)
        pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])  # top of the front forward, bottom to the cheeks
        turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        return points @ (roll @ turn @ pitch).T + self.origin

    def temple(self, start: np.ndarray, side: int, thickness: float) -> np.ndarray:
        """(N, 3) path of a temple: rim, corner, along the head, over the ear's root and down behind it."""
        ear = self.shape.ears[0 if side > 0 else 1]
        x0, half = self.shape.middle[0], thickness / 2
        wide = max(abs(start[0] - x0) + 1.5 + half, self._half_width(start[2] - 8) + 0.5 + half)
        corner = np.array([x0 + side * wide, start[1], start[2] - 3.5])
        knee = np.array([x0 + side * (wide - 0.8), start[1] - 0.1, start[2] - 1.2])
        along = np.linspace(0, 1, 10)[1:]
        bow = corner + (ear - corner) * along[:, None]
        clear = np.array([self._half_width(z) for z in bow[:, 2]]) + 0.6 + half
        bow[:, 0] = x0 + side * np.maximum(np.abs(bow[:, 0] - x0), clear)
        hook = ear + np.array([[0, -1.5, -6], [0, -6, -12], [0, -14, -17], [0, -24, -20.0]])
        hook[:, 0] = bow[-1, 0]
        return np.concatenate([[start, knee, corner], bow, hook])

    def on_nose(self, rim: np.ndarray, side: int) -> np.ndarray:
        """(3,) middle of a nose pad: beside the rim's inner edge, on the flank of the nose."""
        x = rim[0] - side * 3.5
        y = rim[1] - 2.0
        skin = float(self.shape.z(np.array(x), np.array(y)))
        z = np.clip(skin + 0.6, rim[2] - 9.0, rim[2] - 1.0) if np.isfinite(skin) else rim[2] - 5.0
        return np.array([x, y, z])

    def _half_width(self, z: float) -> float:
        sides = self.shape.sides
        return float(np.interp(z, sides[:, 0], sides[:, 1])) if z <= sides[-1, 0] else 0.0


def sit(
    shape: HeadShape, front: np.ndarray, rng: np.random.Generator, unusual: bool = False, slid_mm: float = 0.0
) -> Seat:
    """A seat for a front whose points (N, 3) lie around its own origin; `unusual` slides, pushes up or skews it.

    slid_mm: further down the nose than the same `rng` would place it.

    The front is moved out along z until it clears the face, as nose and cheeks would hold it.
    """
    middle = shape.middle
    drop, roll, turn = rng.uniform(0.5, 6.5), rng.normal(0, 0.012), rng.normal(0, 0.012)
    if rng.random() < 0.2:
        drop += rng.uniform(1, 7)  # slid down the nose
    if unusual:
        drop, roll, turn = _unusual(rng)
    drop += slid_mm
    tilt = np.radians(rng.uniform(2, 12))
    seat = Seat(shape, np.array([middle[0] + rng.normal(0, 0.4), middle[1] - drop, 0.0]), tilt, roll, turn)
    placed = seat.place(front)
    skin = shape.z(placed[:, 0], placed[:, 1])
    inner = np.abs(placed[:, 0] - middle[0]) < 60  # further out the cheek falls away
    clearance = np.where(np.isfinite(skin) & inner, skin - placed[:, 2], -np.inf)
    ridge = shape.z(np.array(middle[0]), middle[1] - drop + np.array([2.0, 6.0])).max()
    eyes = shape.z(shape.eyes[:, 0], shape.eyes[:, 1]).max() + rng.uniform(9, 14)
    z = max(float(np.quantile(clearance, 0.985)) + 0.4, float(ridge) + rng.uniform(-1.0, 2.5), float(eyes))
    return Seat(shape, np.array([*seat.origin[:2], z]), tilt, roll, turn)


def _unusual(rng: np.random.Generator) -> tuple[float, float, float]:
    """(drop mm, roll, turn) of glasses at the tip of the nose, up on the forehead, or askew."""
    choice = rng.random()
    if choice < 0.4:
        return rng.uniform(12, 22), rng.normal(0, 0.03), 0.0
    if choice < 0.55:
        return -rng.uniform(28, 45), rng.normal(0, 0.04), 0.0
    return rng.uniform(0, 8), rng.normal(0, 0.1), rng.normal(0, 0.06)
