"""A frontal head of the face model, painted plainly, and the photographs where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime.align import crop_from_landmarks
from realtime.face.coefficients import SLICES, move_pose
from realtime.face.model import FaceModel, load_face_model
from tools.factory.head import head_maps, pose_head
from tools.factory.subjects import Subjects

DATA = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def model() -> FaceModel:
    return load_face_model("live")


def coefficients_of(model: FaceModel, yaw: float = 0.0) -> np.ndarray:
    """The mean face in the 256 crop, turned by `yaw` degrees."""
    coefficients = np.zeros(239, np.float32)
    coefficients[SLICES["pose"]] = [0, np.radians(yaw), 0, 1.2, 0, 0]
    return move_pose(coefficients, crop_from_landmarks(model.landmarks_of(coefficients)))


@pytest.fixture(scope="session")
def frontal(model: FaceModel) -> np.ndarray:
    return coefficients_of(model)


@pytest.fixture(scope="session")
def turned(model: FaceModel) -> np.ndarray:
    return coefficients_of(model, 40.0)


@pytest.fixture(scope="session")
def plain_crop(model: FaceModel, frontal: np.ndarray) -> np.ndarray:
    """Skin-coloured where the head is, grey beside it, lit from above."""
    maps = head_maps(pose_head(model, frontal), (256, 256))
    light = 0.6 + 0.35 * np.clip(maps.normals @ np.array([0, 0.7, 0.7], np.float32), 0, 1)
    skin = np.array([205, 160, 135]) * light[..., None]
    return np.where((maps.triangle >= 0)[..., None], skin, 110).astype(np.uint8)


@pytest.fixture(scope="session")
def subjects() -> Subjects:
    if not (DATA / "faces" / "helen.csv").exists():
        pytest.skip("the photographs (../shared/data) are not here")
    return Subjects(DATA, "train", ("helen", "aaf"))
