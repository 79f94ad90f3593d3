"""Weak landmarks made better by our own network; runs where the photographs are."""

from pathlib import Path

import numpy as np
import pytest

from tools import own_landmarks
from tools.photos import Photographs, hand_annotations

DATA = Path(__file__).parents[3] / "shared" / "data"


def test_noisy_labels_come_nearer_the_truth_and_wrong_ones_are_marked(tmp_path, capsys):
    if not (DATA / "faces" / "helen.csv").exists():
        pytest.skip("the photographs (../shared/data) are not here")
    known = hand_annotations(DATA)
    names = [photo.name for photo in Photographs(DATA).of_set("helen", "val")][:4]
    truth = np.stack([known[name].points for name in names])
    apart = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=1)
    rng = np.random.default_rng(0)
    weak = (truth + rng.normal(0, 0.05, truth.shape) * apart[:, None, None]).astype(np.float32)
    weak[3] += 0.8 * apart[3]  # of another place
    np.savez(tmp_path / "weak.npz", names=np.array(names), points=weak, score=np.ones(4), spread=np.zeros(4))
    asked = ["--data", str(DATA), "--points", str(tmp_path / "weak.npz"), "--out", str(tmp_path / "own.npz")]
    assert own_landmarks.main([*asked, "--provider", "cpu"]) == 0
    with np.load(tmp_path / "own.npz") as made:
        before, after = (np.linalg.norm(p[:3] - truth[:3], axis=2).mean(1) / apart[:3] for p in (weak, made["points"]))
        assert after.mean() < 0.8 * before.mean()
        assert made["score"].tolist()[:3] == [1, 1, 1] and made["score"][3] == -1
    assert "3 of 4 kept" in capsys.readouterr().out
