"""One-Euro filters (Casiez et al. 2012) on vectors, landmarks and rotations. Time in seconds, cutoffs in Hz.

A One-Euro filter is a low-pass whose cutoff grows with speed: steady when still, without lag when moving.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.face.coefficients import angles_from_rotation, rotation_matrix


@dataclass(frozen=True, slots=True)
class OneEuroSettings:
    """min_cutoff: Hz at rest. beta: Hz gained per unit of speed. derivative_cutoff: Hz, low-pass of the speed."""

    min_cutoff: float
    beta: float
    derivative_cutoff: float = 1.0

    def slowed(self, smooth: float) -> OneEuroSettings:
        """These settings at `smooth` 0..1, where 0.5 leaves them as they are, 1 is four times slower, 0 is off."""
        if smooth <= 0:
            return OneEuroSettings(np.inf, self.beta, self.derivative_cutoff)
        factor = 4.0 ** (1.0 - 2.0 * smooth)
        return OneEuroSettings(self.min_cutoff * factor, self.beta * factor, self.derivative_cutoff)


def smoothing_factor(cutoff: np.ndarray | float, dt: float) -> np.ndarray:
    """Weight 0..1 of the new sample of an exponential low-pass with this cutoff (Hz) after dt seconds."""
    turn = 2 * np.pi * np.asarray(cutoff, np.float64) * dt
    return np.where(np.isinf(turn), 1.0, turn / (1.0 + np.where(np.isinf(turn), 0.0, turn)))


class OneEuro:
    """Filter of an array; entries along `axis` share one speed, the norm of theirs; None: each has its own."""

    def __init__(self, settings: OneEuroSettings, axis: int | None = None):
        self.settings, self.axis = settings, axis
        self._value: np.ndarray | None = None
        self._raw: np.ndarray | None = None
        self._velocity: np.ndarray | float = 0.0

    def __call__(self, value: np.ndarray, dt: float, unit: float = 1.0) -> np.ndarray:
        """The filtered value, float64. unit: length that speeds are measured in (pixels per unit). dt <= 0 restarts."""
        value = np.asarray(value, np.float64)
        if self._value is None or self._raw is None or dt <= 0:
            self._value, self._raw, self._velocity = value, value, 0.0
            return value
        weight = smoothing_factor(self.settings.derivative_cutoff, dt)
        self._velocity = self._velocity + weight * ((value - self._raw) / (dt * unit) - self._velocity)
        speed = np.abs(self._velocity)
        if self.axis is not None:
            speed = np.linalg.norm(speed, axis=self.axis, keepdims=True)
        weight = smoothing_factor(self.settings.min_cutoff + self.settings.beta * speed, dt)
        self._value = self._value + weight * (value - self._value)
        self._raw = value
        return self._value


class LandmarkOneEuro:
    """Filter of (N, 2) points of one face. Each point's cutoff grows with its own speed or, if larger, with the face's.

    The speed of the whole face is a mean over all points, so it can be followed at once without letting noise in: a
    head that shakes is not left behind. common_cutoff: Hz, low-pass of that mean.
    """

    def __init__(self, settings: OneEuroSettings, common_cutoff: float = 6.0):
        self.settings, self.common_cutoff = settings, common_cutoff
        self._value: np.ndarray | None = None
        self._raw: np.ndarray | None = None
        self._own = self._common = np.zeros((1, 2))

    def __call__(self, points: np.ndarray, dt: float, unit: float) -> np.ndarray:
        """The filtered points, float64. unit: pixels that speeds are measured in, such as the eye distance."""
        points = np.asarray(points, np.float64)
        if self._value is None or self._raw is None or dt <= 0:
            self._value = self._raw = points
            self._own = self._common = np.zeros((1, 2))
            return points
        velocity = (points - self._raw) / (dt * unit)
        self._own = self._own + smoothing_factor(self.settings.derivative_cutoff, dt) * (velocity - self._own)
        face = velocity.mean(0, keepdims=True)
        self._common = self._common + smoothing_factor(self.common_cutoff, dt) * (face - self._common)
        speed = np.maximum(np.linalg.norm(self._own, axis=1), np.linalg.norm(self._common))[:, None]
        weight = smoothing_factor(self.settings.min_cutoff + self.settings.beta * speed, dt)
        self._value, self._raw = self._value + weight * (points - self._value), points
        return self._value


class RotationOneEuro:
    """The same on rotations, as unit quaternions; speed in radians per second."""

    def __init__(self, settings: OneEuroSettings):
        self.settings = settings
        self._value: np.ndarray | None = None
        self._raw: np.ndarray | None = None
        self._velocity = np.zeros(3)

    def __call__(self, rotation: np.ndarray, dt: float) -> np.ndarray:
        """(3, 3) rotation -> filtered (3, 3) rotation."""
        raw = quaternion_from_rotation(rotation)
        if self._value is None or self._raw is None or dt <= 0:
            self._value, self._raw, self._velocity = raw, raw, np.zeros(3)
            return rotation
        weight = smoothing_factor(self.settings.derivative_cutoff, dt)
        self._velocity = self._velocity + weight * (turn_between(self._raw, raw) / dt - self._velocity)
        speed = float(np.linalg.norm(self._velocity))
        weight = smoothing_factor(self.settings.min_cutoff + self.settings.beta * speed, dt)
        self._value, self._raw = slerp(self._value, raw, float(weight)), raw
        return rotation_from_quaternion(self._value)


def quaternion_from_rotation(rotation: np.ndarray) -> np.ndarray:
    """(3, 3) -> (4,) w, x, y, z of unit length, w >= 0."""
    m = np.asarray(rotation, np.float64)
    # the eigenvector of the largest eigenvalue of Bar-Itzhack's matrix: no branches, tolerant of rounding
    k = np.array(
        [
            [m[0, 0] - m[1, 1] - m[2, 2], 0, 0, 0],
            [m[1, 0] + m[0, 1], m[1, 1] - m[0, 0] - m[2, 2], 0, 0],
            [m[2, 0] + m[0, 2], m[2, 1] + m[1, 2], m[2, 2] - m[0, 0] - m[1, 1], 0],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], m[0, 0] + m[1, 1] + m[2, 2]],
        ]
    )
    x, y, z, w = np.linalg.eigh(k)[1][:, -1]
    quaternion = np.array([w, x, y, z])
    return -quaternion if w < 0 else quaternion


def rotation_from_quaternion(quaternion: np.ndarray) -> np.ndarray:
    """(4,) w, x, y, z -> (3, 3)."""
    w, x, y, z = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def turn_between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Rotation vector (3,), radians, of the shortest turn from one (4,) unit quaternion to another."""
    w0, v0 = start[0], start[1:]
    w1, v1 = end[0], end[1:]
    w = w0 * w1 + v0 @ v1
    v = w0 * v1 - w1 * v0 - np.cross(v1, v0)
    if w < 0:
        w, v = -w, -v
    sine = float(np.linalg.norm(v))
    return np.zeros(3) if sine < 1e-12 else v / sine * 2 * np.arctan2(sine, w)


def slerp(start: np.ndarray, end: np.ndarray, weight: float) -> np.ndarray:
    """Spherical interpolation of (4,) unit quaternions along the shorter arc."""
    cosine = float(start @ end)
    if cosine < 0:
        end, cosine = -end, -cosine
    if cosine > 0.9995:  # nearly the same: a straight line is the same to rounding
        mixed = start + weight * (end - start)
    else:
        angle = np.arccos(cosine)
        mixed = (np.sin((1 - weight) * angle) * start + np.sin(weight * angle) * end) / np.sin(angle)
    return mixed / np.linalg.norm(mixed)


class PoseOneEuro:
    """Filter of the 6 pose numbers: rotation as a quaternion, scale as its logarithm, position in units of the head."""

    HEAD_MM = 100.0  # about the distance over which a person sees a shift: speeds are in heads per second

    def __init__(self, rotation: OneEuroSettings, position: OneEuroSettings):
        self._rotation = RotationOneEuro(rotation)
        self._scale = OneEuro(position)
        self._position = OneEuro(position, axis=-1)

    def set_settings(self, rotation: OneEuroSettings, position: OneEuroSettings) -> None:
        self._rotation.settings = rotation
        self._scale.settings = self._position.settings = position

    def __call__(self, pose: np.ndarray, dt: float) -> np.ndarray:
        """(6,) pitch, yaw, roll, scale, x, y -> filtered (6,) float32."""
        rotation = self._rotation(rotation_matrix(*(float(v) for v in pose[:3])), dt)
        scale = float(np.exp(self._scale(np.log(np.maximum(pose[3:4], 1e-6)), dt)[0]))
        position = self._position(pose[4:6], dt, unit=float(pose[3]) * self.HEAD_MM)
        return np.array([*angles_from_rotation(rotation), scale, *position], np.float32)
