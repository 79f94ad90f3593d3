"""Protocol `steadiness` on tracks whose trembling, lag and flicker are known, and on a real clip."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

import realtime
from tools.evaluate.steadiness import Track, clips_in, flicker_of, lag_of, second_difference, track_figures, watch


def swinging(count: int = 120) -> np.ndarray:
    """(count, 68, 2): a face that rests, then swings; outer eye corners 100 px apart."""
    base = np.random.default_rng(0).uniform(0, 100, (68, 2))
    base[36], base[45] = (0, 50), (100, 50)
    time = np.arange(count)
    shift = np.where(time > 60, 30 * np.sin((time - 60) / 6), 0)
    return base + np.stack([shift, 0 * shift], 1)[:, None]


def test_lag_and_trembling_are_measured() -> None:
    raw = swinging()
    late = np.concatenate([np.repeat(raw[:1], 2, 0), raw[:-2]])
    moving = np.arange(120) > 64
    assert lag_of(raw, late, moving) == pytest.approx(2.0, abs=0.05)
    assert lag_of(raw, raw, moving) == 0
    trembling = raw + np.random.default_rng(1).normal(0, 0.1, raw.shape)
    assert second_difference(trembling)[:50].std() == pytest.approx(0.1 * np.sqrt(6), rel=0.05)
    found = track_figures(Track(list(trembling), list(raw), list(raw)))
    assert found["jitter"] < 0.01 < 0.2 < found["jitter_raw"] < 0.3
    assert "flicker" not in found


def test_a_filling_that_flickers_twice_as_much_scores_two() -> None:
    rng = np.random.default_rng(2)
    filled = np.zeros((128, 128), bool)
    filled[40:60, 30:90] = True
    noise = rng.normal(0, 1, (16, 128, 128)) * np.where(filled, 4.0, 2.0)
    track = Track(
        luma=[np.clip(128 + n, 0, 255) for n in noise], filled=[filled] * 16, seen=[np.ones_like(filled)] * 16
    )
    assert flicker_of(track) == pytest.approx(2.0, rel=0.05)
    track.filled = [np.zeros_like(filled)] * 16
    assert flicker_of(track) is None


def test_the_bundled_clip_is_watched() -> None:
    clip = Path(realtime.__file__).parent / "demo" / "talking_head.mp4"
    assert clip in clips_in(clip.parent)
    track = watch(clip, argparse.Namespace(quality="auto", provider="cpu", smooth=0.5, limit=40, memory=True))
    assert track.frames == 40 and len(track.smooth) >= 38
    found = track_figures(track)
    assert found["jitter"] < found["jitter_raw"] and 0 <= found["lag"] < 2 and found["mouth"] > 0.5
    assert any(mask.any() for mask in track.filled), "the clip's person wears glasses"
    with pytest.raises(FileNotFoundError, match="no clips"):
        clips_in(Path(__file__).parent)
