"""A network whose answers a test writes down, and faces to feed stages with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from realtime.align import TEMPLATE_PX
from realtime.frame import Face, Frame


class ScriptedNetwork:
    """Answers `run` with a function of the inputs, and remembers what it was asked."""

    def __init__(self, answer: Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]):
        self.answer = answer
        self.asked: list[Mapping[str, np.ndarray]] = []

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.asked.append({name: np.array(array) for name, array in inputs.items()})
        return self.answer(inputs)

    def close(self) -> None:
        pass


@pytest.fixture
def scripted() -> type[ScriptedNetwork]:
    return ScriptedNetwork


def landmarks_at(centre: tuple[float, float], eye_distance: float, roll: float = 0.0) -> np.ndarray:
    """(68, 2) float32: the mean face of the aligned crop, jaw and brows around it, placed in a frame."""
    points = np.zeros((68, 2))
    points[27:48], points[48], points[54] = TEMPLATE_PX[:21], TEMPLATE_PX[21], TEMPLATE_PX[22]
    jaw = np.linspace(np.pi, 0, 17)
    points[:17] = np.c_[127.5 + 75 * np.cos(jaw), 110 + 115 * np.sin(jaw)]
    points[17:27] = np.c_[np.linspace(70, 185, 10), np.full(10, 80)]
    points[49:54] = np.linspace(points[48], points[54], 7)[1:-1] - np.array([0, 6])
    points[55:60] = np.linspace(points[54], points[48], 7)[1:-1] + np.array([0, 10])
    points[60:68] = np.array([127.5, 181]) + 20 * np.c_[np.cos(np.arange(8)), 0.2 * np.sin(np.arange(8))]
    points = (points - (127.5, 104)) * eye_distance / 104
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    return (points @ turn + centre).astype(np.float32)


def face_at(centre: tuple[float, float] = (320, 240), eye_distance: float = 100, track: int = 0) -> Face:
    landmarks = landmarks_at(centre, eye_distance)
    return Face(track, np.r_[landmarks.min(0), landmarks.max(0)], landmarks, confidence=0.9)


def picture_of(seed: int = 0, size: tuple[int, int] = (640, 480), index: int = 0) -> Frame:
    """A smooth random picture at 30 frames a second."""
    import cv2

    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8), size, interpolation=cv2.INTER_CUBIC)
    return Frame(image, index, pts=index)
