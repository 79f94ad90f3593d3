"""The protocol `landmarks`: its figures on answers whose errors are known."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.align import box_of, landmark_crop_from_box, transform_points
from tests.tools.photographs import drawn_face, mean_face, write_photographs
from tools.evaluate import landmarks
from tools.evaluate.measures import area_under_cumulative, area_under_roc, normalised_mean_error

OPTIONS = argparse.Namespace(
    quality="auto", provider="auto", checkpoint=None, detector_checkpoint=None, split="val", limit=None, seed=0,
    true_boxes=False, drawn_glasses=False, background=None, shards=None,
)  # fmt: skip


class KnowingNet:
    """Answers with the mean face in every crop, `shift` of the outer eye distance to the right of it."""

    def __init__(self, shift: float = 0.0, confidence: float = 0.9):
        crop = transform_points(landmark_crop_from_box(box_of(mean_face())), mean_face())
        crop[:, 0] += shift * np.linalg.norm(crop[36] - crop[45])
        self.answer = {"points": crop[None], "confidence": np.full((1, 1), confidence, np.float32)}

    def run(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        assert inputs["crop"].shape == (1, 3, 128, 128)
        return self.answer

    def close(self) -> None: ...


class BareDeleter:
    """Sees nobody in glasses."""

    def run(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        assert inputs["strip"].shape == (1, 3, 128, 256)
        return {"kind": np.array([[1.0, 0.0, 0.0]], np.float32)}

    def close(self) -> None: ...


class BlindDetector:
    """Sees nothing."""

    def run(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        return {"boxes": np.zeros((1, 1, 4), np.float32), "scores": np.zeros((1, 1), np.float32)}

    def close(self) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    faces = [drawn_face(200, np.random.default_rng(seed)) for seed in range(5)]
    for i, (image, _) in enumerate(faces):
        cv2.imwrite(str(tmp_path / f"{i}.png"), image[..., ::-1])
    np.savez(tmp_path / "landmarks68.npz", names=[str(i) for i in range(5)], points=np.stack([p for _, p in faces]))
    return tmp_path


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, net: KnowingNet, **changes: object) -> dict[str, float]:
    monkeypatch.setattr(
        landmarks, "network", lambda name, *_: {"landmarks": net, "deleter": BareDeleter()}.get(name, BlindDetector())
    )
    options = argparse.Namespace(**{**vars(OPTIONS), **changes}, data=folder)
    metrics, picture = landmarks.evaluate(options)
    assert picture.shape == (480, 640, 3)
    return metrics


def test_a_perfect_network_has_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = run(folder, monkeypatch, KnowingNet(), true_boxes=True)
    assert metrics["nme"] == pytest.approx(0, abs=1e-4) and metrics["auc8"] == pytest.approx(1, abs=1e-3)
    assert metrics["faces"] == 5 and metrics["misses"] == metrics["failure10"] == 0


def test_a_known_shift_is_the_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = run(folder, monkeypatch, KnowingNet(shift=0.04), true_boxes=True)
    assert metrics["nme"] == pytest.approx(0.04, abs=1e-4) and metrics["nme_inner51"] == pytest.approx(0.04, abs=1e-4)
    assert metrics["auc8"] == pytest.approx(0.5, abs=2e-3)
    assert metrics["by_lens"]["nme"] == {"none": pytest.approx(0.04, abs=1e-4)}
    assert metrics["group_sizes"]["lens"] == {"none": 5}


def test_a_missed_face_is_a_failure_with_points_from_the_true_box(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = run(folder, monkeypatch, KnowingNet(shift=0.02))
    assert metrics["misses"] == 5 and metrics["failure10"] == 1 and metrics["auc8"] == 0
    assert metrics["nme"] == pytest.approx(0.02, abs=1e-4)


def test_the_photographs_folder_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_photographs(tmp_path)
    metrics = run(tmp_path, monkeypatch, KnowingNet(), true_boxes=True)
    assert metrics["faces"] == 2 and metrics["auc_confidence"] == 0.5, "two val faces; one score for all is a coin"


def test_rendered_glasses_are_read_from_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = [drawn_face(256, np.random.default_rng(seed)) for seed in range(4)]
    encoded = [cv2.imencode(".jpg", image[..., ::-1])[1].ravel() for image, _ in faces]
    np.savez(
        tmp_path / "val-0000.npz", image=np.concatenate(encoded), points=np.stack([p for _, p in faces]),
        image_offsets=np.cumsum([0, *map(len, encoded)]), kind=[1, 0, 2, 1],
        source=["helen/0.webp+round", "helen/1.webp", "helen/2.webp+oval", "celeba/3.webp+round"],
    )  # fmt: skip
    metrics = run(tmp_path, monkeypatch, KnowingNet(), shards=tmp_path, true_boxes=True)
    assert metrics["faces"] == 2 and metrics["nme"] == pytest.approx(0, abs=1e-4)


def test_missing_labels_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match=r"landmarks68.npz"):
        run(tmp_path, monkeypatch, KnowingNet())


def test_measures() -> None:
    truth = np.zeros((1, 68, 2))
    truth[0, 36, 0], truth[0, 45, 0] = -50, 50
    moved = truth + np.array([3.0, 4.0])
    moved[:, :17] += 100
    assert normalised_mean_error(moved, truth, inner=True)[0] == pytest.approx(0.05)
    assert normalised_mean_error(moved, truth)[0] > 0.3
    assert area_under_cumulative(np.array([0.0, 0.04, 0.2]), 0.08) == pytest.approx(0.5)
    assert area_under_roc(np.array([0.9, 0.5]), np.array([0.1, 0.5])) == pytest.approx(0.875)
