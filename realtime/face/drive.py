"""What moves an avatar: 52 ARKit shapes, head pose, eyes of one face. Radians, axes as `coefficients.Pose`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.face.blendshapes import blendshapes
from realtime.face.coefficients import Pose, rotation_matrix
from realtime.frame import Face


@dataclass(frozen=True, slots=True)
class Eye:
    """One eye. yaw, pitch: radians in the head's axes (positive: to the subject's left, down; 0: straight ahead).

    opening: 0 closed .. 1 as wide as this person's eye rests. confidence: 0..1 that the iris was seen; at 0 (closed,
    dark lens, hidden) the angles are those of the other eye, or the last ones known.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    opening: float = 1.0
    confidence: float = 0.0

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) float64 in the head's axes."""
        return rotation_matrix(self.pitch, self.yaw, 0.0)


@dataclass(frozen=True, slots=True)
class Look:
    """What one picture shows of one eye. direction: (yaw, pitch). strength: of the iris (`realtime.iris.Iris`).

    visible: 0..1, share of it that was filmed, not repainted; 0 behind dark lenses. gap: between the lids, over the
    eye's width (`engines.networks.lids`); NaN where that was not looked at. shut: 0..1, the blink that the landmarks
    show (`realtime.anchor`), who see small changes of open eyes well and shut ones badly.
    """

    direction: np.ndarray
    strength: float
    visible: float
    gap: float = float("nan")
    shut: float = 0.0


Looks = tuple[Look, Look]  # left, right


@dataclass(frozen=True, slots=True, eq=False)
class Drive:
    """shapes: all 52 ARKit names -> 0..1, calibrated; "Left" is the subject's. pose: of the head, frame pixels.

    looks: what this picture alone showed of the eyes; None where they were not measured.
    """

    shapes: dict[str, float]
    pose: Pose
    left: Eye
    right: Eye
    looks: Looks | None = None


def shapes_of(face: Face) -> dict[str, float] | None:
    """The 52 ARKit weights of a face: as driven where they are, else as regressed; None before `regress`."""
    if face.drive is not None:
        return face.drive.shapes
    return None if face.coefficients is None else blendshapes(face.coefficients)


def turn_angles(rotation: np.ndarray) -> tuple[float, float, float]:
    """(3, 3) rotation -> (yaw, pitch, roll) radians with R = Ry(yaw) Rx(pitch) Rz(roll), as game engines split it.

    Signs as `coefficients.Pose`. Unlike there, yaw turns about the vertical whatever the pitch.
    """
    pitch = np.arcsin(np.clip(-rotation[1, 2], -1.0, 1.0))
    yaw = np.arctan2(rotation[0, 2], rotation[2, 2])
    roll = np.arctan2(rotation[1, 0], rotation[1, 1])
    return float(yaw), float(pitch), float(roll)
