"""The trainings of the landmark network and of the detector: their geometry, their losses, a few real steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from dataclasses import replace  # noqa: E402

from engines.networks.landmarks import LandmarkNet  # noqa: E402
from realtime.align import LANDMARK_MARGIN, box_of, landmark_crop_from_box, roll_of, transform_points  # noqa: E402
from realtime.tracking import overlap  # noqa: E402
from tests.tools.photographs import drawn_face, mean_face, write_photographs  # noqa: E402
from tools.train import detector, landmarks  # noqa: E402
from tools.train.task import Options  # noqa: E402
from tools.train.trainer import train  # noqa: E402


def test_wing_is_continuous_and_steep_near_zero() -> None:
    distance = torch.tensor([0.0, 0.5, 7.9999, 8.0001, 20.0])
    value = landmarks.wing(distance, 8.0, 1.5)
    assert value[0] == 0 and abs(value[3] - value[2]) < 1e-3
    assert value[4] - value[3] == pytest.approx(12.0, abs=1e-3)
    assert value[1] / 0.5 > 2 * value[4] / 20


def test_mirrored_points_stay_on_the_picture() -> None:
    image, points = drawn_face(160, np.random.default_rng(0))
    weight = np.arange(68, dtype=np.float32)
    flipped, moved, moved_weight = landmarks.mirrored(image, points, weight)
    assert np.array_equal(flipped[:, ::-1], image)
    assert np.allclose(moved[36], [159 - points[45][0], points[45][1]]) and moved_weight[36] == 45


def test_jittered_crops_hold_the_face_as_the_live_loop_cuts_it() -> None:
    points = mean_face() * 90 + 96
    rolls, shifts = [], []
    for seed in range(300):
        moved = transform_points(landmarks.jittered_crop(points, np.random.default_rng(seed)), points)
        rolls.append(np.degrees(roll_of(moved)))
        shifts.append(moved.mean(0) - 63.5)
        width = np.ptp(moved, axis=0).max() * LANDMARK_MARGIN / 128
        assert 0.5 < width < 2.2
    assert 6 < np.std(rolls) < 20 and np.abs(rolls).max() < 45
    assert np.abs(np.mean(shifts, axis=0)).max() < 6


def test_distant_boxes_are_no_faces() -> None:
    box = box_of(mean_face() * 90 + 96)
    for seed in range(200):
        other = landmarks.distant_box(box, np.random.default_rng(seed))
        assert overlap(box, other).max() < 0.2


def test_cells_near_a_face_get_its_box_on_the_stride_of_its_size() -> None:
    boxes = torch.zeros(1, detector.MOST, 4)
    boxes[0, 0] = torch.tensor([16.0, 16.0, 40.0, 40.0])  # 24 px: stride 8
    boxes[0, 1] = torch.tensor([60.0, 60.0, 240.0, 250.0])  # 190 px: stride 32
    wanted, positive = detector.assign(boxes, 256, 256)
    centres, strides = detector.cells(256, 256, torch.device("cpu"))
    mine = [strides[positive[0] & (wanted[0] == boxes[0, i]).all(-1)] for i in range(2)]
    assert len(mine[0]) > 0 and (mine[0] == 8).all()
    assert len(mine[1]) > 0 and (mine[1] == 32).all()
    inside = centres[positive[0]]
    assert ((inside > wanted[0, positive[0], :2]) & (inside < wanted[0, positive[0], 2:])).all()


def test_overlaps_of_pairs() -> None:
    a = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10]])
    b = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10]])
    iou, giou = detector.overlaps(a, b)
    assert iou.tolist() == pytest.approx([1, 0]) and giou.tolist() == pytest.approx([1, -1 / 3])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_photographs(tmp_path)
    return tmp_path


def test_landmark_training_learns_drawn_faces(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landmarks, "build", lambda quality: LandmarkNet(width=0.25))
    task = landmarks.create_task(Options(data, data / "run", 1))
    task.recipe = replace(task.recipe, batch=8, negatives=2, workers=0, warmup_steps=4)
    batch = task.batch(np.random.default_rng(0))
    assert batch["image"].shape == (8, 128, 128, 3) and batch["face"].tolist() == [1] * 6 + [0] * 2
    assert (batch["weight"][6:] == 0).all() and (batch["weight"][:6].sum(1) >= 49).all()
    train(task, Options(data, data / "run", 1), steps=6)
    metrics = task.evaluate(task.models()["model"].eval())
    assert 0 < metrics["nme"] < 0.5 and (data / "run" / "sheet.png").exists()


def test_detector_training_steps(data: Path) -> None:
    task = detector.create_task(Options(data, data / "run", 1))
    task.recipe = replace(task.recipe, batch=2, workers=0)
    task.held_out, task.empty = task.held_out[:3], task.empty[:1]
    train(task, Options(data, data / "run", 1), steps=2)
    assert (data / "run" / "checkpoint.pt").exists()


def test_crops_of_the_mean_start_the_network(data: Path) -> None:
    task = landmarks.create_task(Options(data, data / "run", 1))
    mean = task.models()["model"].mean.numpy()
    expected = transform_points(landmark_crop_from_box(box_of(mean_face())), mean_face())
    assert np.abs(mean - expected).max() < 1.0
