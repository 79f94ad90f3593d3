"""The hard cases: what each puts on a face, and how they are compared with plain glasses."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.networks.classes import Region
from realtime.face.coefficients import COUNT, SLICES
from realtime.face.model import load_face_model
from realtime.frame import Glasses
from tools.evaluate.hard import evaluate_cases, worst_case
from tools.evaluate.hard_cases import CASES, Bare


@pytest.fixture(scope="module")
def model():
    return load_face_model("live")


@pytest.fixture(scope="module")
def bare(model):
    coefficients = np.zeros(COUNT, np.float32)
    coefficients[SLICES["pose"]] = (0.0, 0.0, 0.0, 1.16, 127.5, 104.0)
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 60, (256, 256, 3)).astype(np.float32), (0, 0), 6)
    crop = np.clip(np.array([205, 160, 135]) + noise, 0, 255).astype(np.uint8)
    return Bare(crop, model.landmarks_of(coefficients), coefficients)


def test_every_case_wears_what_it_says(bare, model):
    samples = {name: case(bare, np.random.default_rng(5), model) for name, case in CASES.items()}
    for name, sample in samples.items():
        assert sample.kind is (Glasses.DARK if name in ("plain_dark", "mirrored") else Glasses.CLEAR), name
        assert (sample.labels == Region.FRAME).any() and sample.image.shape == (256, 256, 3)
    frame = {name: int((sample.labels == Region.FRAME).sum()) for name, sample in samples.items()}
    assert samples["rimless"].family == "rimless" and frame["rimless"] < frame["thick"] / 3
    assert samples["low_light"].clean.mean() < 0.7 * samples["plain"].clean.mean()
    strands = samples["hair"].labels == Region.HAIR
    apart = np.abs(samples["hair"].image[strands].astype(int) - samples["hair"].clean[strands])
    assert strands.sum() > 200 and np.median(apart) == 0, "hair hides the glasses"
    nose = tuple(np.round(bare.points[33, ::-1]).astype(int))
    assert np.abs(samples["face_mask"].clean[nose].astype(int) - bare.crop[nose]).max() > 10


def test_cases_are_scored_and_compared_with_plain_glasses(bare, model):
    found = {
        "labels": np.full((128, 256), Region.SKIN, np.uint8), "glasses": np.zeros((4, 128, 256), np.float32),
        "shadow": np.ones((3, 128, 256), np.float32), "kind": np.array([0.0, 1.0, 0.0], np.float32),
    }  # fmt: skip
    cases = {
        name: iter([(CASES[name](bare, np.random.default_rng(5), model), bare.points)])
        for name in ("plain", "thick", "mirrored")
    }
    metrics, sheet = evaluate_cases(
        cases, lambda strip: found, lambda channels: np.full((128, 256, 3), 150, np.uint8), []
    )
    assert metrics["plain"]["kind_right"] == 1 and metrics["mirrored"]["kind_right"] == 0
    assert metrics["thick"]["pictures"] == 1 and sheet.shape[1] == 2 * 6 * 256 + 2
    assert metrics["worst_case"] == "mirrored kind_right" and metrics["worst_case_ratio"] == 1000


def test_twice_the_error_of_plain_glasses_is_twice_as_bad():
    metrics = {"plain": {"nme": 0.03, "kind_right": 1.0}, "low_light": {"nme": 0.06, "kind_right": 0.9}}
    found = worst_case(metrics)
    assert found["worst_case"] == "low_light nme" and found["worst_case_ratio"] == pytest.approx(2)
