"""Protocol `steadiness` on tracks whose trembling, lag and flicker are known, and on a real clip."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

import realtime
from tools.evaluate.steadiness import (
    FaceChange,
    Track,
    clips_in,
    flicker_of,
    lag_of,
    second_difference,
    still_frames,
    track_figures,
    watch,
)


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
    change = [np.inf] + [0.3] * 55 + [9.0] * 64
    found = track_figures(Track(list(trembling), list(raw), list(raw), change=change))
    assert found["still"] == 54
    assert found["jitter"] < 0.01 < 0.2 < found["jitter_raw"] < 0.3
    assert "flicker" not in found


def test_a_head_that_never_rests_has_no_jitter() -> None:
    shaken = swinging()[60:] + np.random.default_rng(1).normal(0, 0.1, (60, 68, 2))
    found = track_figures(Track(list(shaken), list(shaken), list(shaken), change=[12.0] * 60))
    assert "jitter" not in found and found["still"] == 0 and "lag" in found


def test_the_picture_tells_whether_a_face_is_still() -> None:
    rng = np.random.default_rng(3)
    room = rng.uniform(0, 255, (60, 80, 3)).astype(np.uint8)
    scene = np.kron(room, np.ones((8, 8, 1), np.uint8))
    box, changes = np.array([200, 120, 400, 360], np.float32), FaceChange()
    noisy = [np.clip(scene + rng.normal(0, 4, scene.shape), 0, 255).astype(np.uint8) for _ in range(2)]
    beside = noisy[1].copy()
    beside[:, :150] = 0  # a hand in the background
    seen = [changes.take(image, box) for image in (*noisy, beside, np.roll(noisy[0], 4, axis=1))]
    assert seen[0] == np.inf and seen[1] < 1.5 and seen[2] < 0.1 and seen[3] > 20
    assert still_frames(np.array(seen)).tolist() == [True, False]


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
    assert 0 <= found["lag"] < 2 and found["mouth"] > 0.5
    assert len(track.change) == len(track.smooth) and "jitter" not in found, "the clip's person never rests"
    assert any(mask.any() for mask in track.filled), "the clip's person wears glasses"
    with pytest.raises(FileNotFoundError, match="no clips"):
        clips_in(Path(__file__).parent)
