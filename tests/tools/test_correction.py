"""`python -m tools.correction` end to end, on one person."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from realtime.face.coefficients import SLICES
from tools.correction.observe import Observations


def test_a_correction_is_learnt_from_rendered_heads(tmp_path: Path) -> None:
    out, kept = tmp_path / "correction.npz", tmp_path / "seen.npz"
    command = [sys.executable, "-m", "tools.correction", "--people", "1", "--each", "4", "--out", str(out)]
    subprocess.run([*command, "--keep", str(kept)], check=True, capture_output=True, timeout=300)
    with np.load(out) as learnt:
        assert learnt["step"].shape == (190, 69) and np.isfinite(learnt["step"]).all()
    seen = Observations.read(kept)
    eyes = np.linalg.norm(seen.points[:, 36] - seen.points[:, 45], axis=1)
    assert len(seen.person) == 4 and 60 < eyes.min() < eyes.max() < 130
    turn = np.degrees(seen.regressed[:, SLICES["pose"]][:, :3] - seen.truth[:, SLICES["pose"]][:, :3])
    assert np.abs(turn).mean() < 8  # the networks saw those heads, turned as they were drawn
    assert (np.abs(seen.truth[1::2, SLICES["expression"]]) == 0).all()  # every other one rests
    np.testing.assert_array_equal(*seen.regressed[:2, SLICES["identity"]])
