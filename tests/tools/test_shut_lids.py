"""Lids of weak landmarks drawn down where the lids' network sees shut eyes; all of it runs where photographs are."""

from pathlib import Path

import numpy as np
import pytest

from tools import shut_lids
from tools.photos import Photographs, hand_annotations
from tools.train.lids import EYES, gap_of

DATA = Path(__file__).parents[3] / "shared" / "data"
OPEN = np.array([[0, 0], [10, -8], [20, -8], [30, 0], [20, 7], [10, 7]], np.float32)


def test_the_upper_lid_comes_down_to_the_gap_asked_for():
    closed = shut_lids.shut(OPEN, 0.1)
    assert gap_of(OPEN) == pytest.approx(0.5) and gap_of(closed) == pytest.approx(0.1)
    np.testing.assert_array_equal(closed[[0, 3, 4, 5]], OPEN[[0, 3, 4, 5]])


def test_labels_of_shut_eyes_close_and_those_of_open_ones_stay(tmp_path, capsys):
    if not (DATA / "faces" / "helen.csv").exists():
        pytest.skip("the photographs (../shared/data) are not here")
    known = hand_annotations(DATA)
    names = [photo.name for photo in Photographs(DATA).of_set("helen", "train")]
    names.sort(key=lambda name: max(gap_of(known[name].points[eye]) for eye in EYES))
    chosen = [*names[:6], *names[-6:]]  # both eyes shut, both wide open
    truth = np.stack([known[name].points for name in chosen]).astype(np.float32)
    weak = truth.copy()
    for points in weak[:6]:  # labelled as open
        for eye in EYES:
            points[eye] = shut_lids.shut(points[eye], 0.3)
    np.savez(tmp_path / "weak.npz", names=np.array(chosen), points=weak)
    asked = ["--data", str(DATA), "--points", str(tmp_path / "weak.npz"), "--out", str(tmp_path / "shut.npz")]
    assert shut_lids.main([*asked, "--provider", "cpu"]) == 0
    with np.load(tmp_path / "shut.npz") as made:
        gaps = np.array([[gap_of(points[eye]) for eye in EYES] for points in made["points"]])
        np.testing.assert_array_equal(made["points"][6:], weak[6:])
    assert np.median(gaps[:6]) < 0.15, "of 0.3 before"
    assert "of 24 eyes closed further" in capsys.readouterr().out
