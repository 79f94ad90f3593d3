"""What the networks say of synthetic heads whose motion is known: the same person in several poses and expressions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from realtime.align import (
    LANDMARK_CROP_SIZE,
    aligned_crop,
    box_of,
    crop_from_landmarks,
    invert,
    landmark_crop_from_box,
    roll_of,
    transform_points,
    warp,
)
from realtime.detection import Runnable
from realtime.face.coefficients import SLICES, move_pose
from realtime.face.model import FaceModel
from realtime.planes import planes
from realtime.regressor import Regressor
from tools.demo.actor import cast
from tools.demo.speech import sample_speech
from tools.factory.expressions import sample_expression
from tools.factory.outlines import FAMILIES
from tools.factory.sensor import sample_sensor
from tools.factory.synthetic import render, sample_coefficients
from tools.factory.wear import wear

SIDE = 320  # of the picture, px
SCALE, MIDDLE = 1.15, (SIDE / 2, SIDE * 0.42)  # of the pose
LOOKS = 3  # of the landmark network, each where the last found the face
TURN = np.radians([12.0, 24.0, 5.0])  # spread of pitch, yaw, roll
FARTHEST = np.radians([25.0, 50.0, 15.0])
NAMES = ("points", "regressed", "truth", "person")


@dataclass(frozen=True, eq=False)
class Observations:
    """n pictures. points (n, 68, 2): of N_L. regressed, truth (n, 239): of N_r, and exact. person (n,) int.

    All in pixels of the picture; regressed identities are means over the person, as over a track.
    """

    points: np.ndarray
    regressed: np.ndarray
    truth: np.ndarray
    person: np.ndarray

    def save(self, path: Path) -> None:
        np.savez(path, **{name: getattr(self, name) for name in NAMES})

    @classmethod
    def read(cls, path: Path) -> Observations:
        with np.load(path) as arrays:
            return cls(*(arrays[name] for name in NAMES))


def together(parts: Sequence[Observations]) -> Observations:
    return Observations(*(np.concatenate([getattr(part, name) for part in parts]) for name in NAMES))


def observe(model: FaceModel, landmarks: Runnable, regressor: Regressor, person: int, count: int) -> Observations:
    """`count` pictures of the person of a seed."""
    points, regressed, truth = [], [], []
    for image, bare, known in pictures_of(model, person, count):
        found = find_points(landmarks, image, model.landmarks_of(known))
        crop_from_picture = crop_from_landmarks(found)
        crop = aligned_crop(bare, crop_from_picture)  # what removal is for
        regressed.append(move_pose(regressor(crop), invert(crop_from_picture)))
        points.append(found)
        truth.append(known)
    said = np.array(regressed)
    said[:, SLICES["identity"]] = said[:, SLICES["identity"]].mean(0)
    return Observations(np.array(points), said, np.array(truth), np.full(count, person))


def pictures_of(model: FaceModel, seed: int, count: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(SIDE, SIDE, 3) uint8 as worn and without eyeglasses, and the (239,) coefficients. Every other one is at rest."""
    rng = np.random.default_rng([seed, 31])
    family = str(rng.choice(sorted(FAMILIES))) if rng.random() < 0.6 else ""
    pair, sensor = int(rng.integers(2**31)), sample_sensor(rng)
    actor = cast(model, sample_speech(rng, 1.0), seed, family, pair)
    person = sample_coefficients(model, rng)
    room = cv2.resize(actor.room, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    for index in range(count):
        coefficients = person.copy()
        resting = np.zeros(64, np.float32)
        coefficients[SLICES["expression"]] = resting if index % 2 else sample_expression(rng)
        angles = np.clip(rng.standard_normal(3) * TURN, -FARTHEST, FARTHEST)
        coefficients[SLICES["pose"]] = [*angles, SCALE, *MIDDLE]
        bare = render(model, coefficients, actor.skin, room)
        image = bare
        if family:
            worn = np.random.default_rng(pair)
            hairy = actor.skin.hairy
            image = wear(bare, coefficients, worn, family=family, model=model, hairy=hairy, unusual=0.0).image
        yield sensor(image), sensor(bare), coefficients


def find_points(network: Runnable, image: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(68, 2) float32 as the network finds them when it has followed the face from about `near`."""
    points = near
    for _ in range(LOOKS):
        crop_from_picture = landmark_crop_from_box(box_of(points), roll_of(points))
        crop = warp(image, crop_from_picture, (LANDMARK_CROP_SIZE, LANDMARK_CROP_SIZE))
        found = np.array(network.run({"crop": planes(crop)})["points"], np.float32).reshape(68, 2)
        points = transform_points(invert(crop_from_picture), found)
    return points
