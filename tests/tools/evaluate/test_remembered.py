"""Protocol `remembered`: on a synthetic turning head, through the whole chain, what was seen beats what is invented."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.face.coefficients import SLICES, pose
from realtime.face.model import load_face_model
from realtime.options import Options
from realtime.pipeline import open_pipeline
from tools.evaluate import remembered, turning
from tools.evaluate.remembered import Tally, judge, summary
from tools.evaluate.turning import SLID_MM, motion, moved_photograph, synthetic_film


def test_on_a_turning_head_remembered_skin_beats_invented_skin_by_three_decibels(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    for module, name, frames in (
        (turning, "TURN", 20), (turning, "SLIDE", 10), (turning, "FRAMES", 36), (remembered, "FRAMES", 36),
        (remembered, "REST", 6),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, frames)
    pipeline = open_pipeline(Options(verb="video", faces=1, provider="cpu"))
    try:
        tally, row = judge(synthetic_film(load_face_model("live"), None, 0, 0), pipeline)
    finally:
        pipeline.close()
    found = tally.figures()
    assert found["share"] > 0.02 and found["gain_db"] > 3
    assert found["hole_remembered"] >= found["hole_invented"]
    assert row.shape == (128, 1280, 3) and row.any() and len(tally.seconds) == 36


def test_pixels_are_counted_not_films() -> None:
    good = Tally(100, 50, np.array([9000.0, 5000.0, 5000.0, 500.0]))
    bad = Tally(100, 10, np.array([9000.0, 9500.0, 500.0, 1000.0]))
    found = summary([good, bad])
    assert found["share"] == pytest.approx(0.3) and found["worse"] == 0.5
    assert found["gain_db"] == pytest.approx(10 * np.log10(5500 / 1500))
    assert "gain_db" not in Tally(100).figures() and Tally().figures() == {"share": 0}


def test_heads_turn_both_ways_and_glasses_slide_and_return() -> None:
    turns, slides = zip(*(motion(frame, 25.0) for frame in range(turning.FRAMES)), strict=True)
    yaw = np.degrees(np.array(turns)[:, 0])
    assert yaw.max() > 23 and yaw.min() < -23 and np.abs(yaw[-turning.REST :]).max() < 2
    assert max(slides) == pytest.approx(SLID_MM) and max(slides[: turning.TURN]) == 0
    assert max(slides[-turning.REST :]) < 1e-6


def test_a_photograph_moves_with_its_face() -> None:
    model = load_face_model("live")
    before = np.zeros(239, np.float32)
    before[SLICES["pose"]] = [0, 0, 0, 1.15, 127.5, 104]
    after = before.copy()
    after[SLICES["pose"]][4:] += (7, -3)
    photo = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    moved = moved_photograph(model, photo, before, after)
    assert np.abs(moved[60:160, 70:180].astype(int) - photo[63:163, 63:173]).mean() < 1
    after[SLICES["pose"]][1] = 0.2
    assert pose(after).yaw > 0 and (moved_photograph(model, photo, before, after) != moved).any()
