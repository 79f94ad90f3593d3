"""Every trainer takes a step where only torch, numpy, opencv-python-headless, lightning and what they need exist."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from realtime.face.coefficients import COUNT, SLICES
from tests.tools.photographs import write_photographs
from tests.tools.train.hand_made import write_shard
from tools.train.__main__ import FURTHER, NAMES

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs and hand-made shards of everything that a trainer may ask for."""
    folder = tmp_path_factory.mktemp("carried")
    write_photographs(folder)
    heads = np.zeros((4, COUNT), np.float32)
    heads[:, SLICES["pose"]] = (0, 0, 0, 1.16, 127.5, 104)
    heads[:, SLICES["light"].start] = 3.0
    for name in ("heads", "heads_val"):
        write_shard(folder / "shards" / name / "a.npz", 4, coefficients=heads)
    for name in ("train", "val"):
        write_shard(folder / "shards" / name / "a.npz", 6)
    names = [f"{name}/{i}.webp" for name in ("helen", "aaf") for i in range(6)]
    features = np.random.default_rng(0).standard_normal((len(names), 128)).astype(np.float16)
    np.savez(folder / "identities.npz", names=np.array(names), features=features)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)  # ten seconds of work, but of imports mostly: slow where the machine is busy
def test_every_training_takes_a_step(folder: Path, tmp_path: Path) -> None:
    arguments = [folder, folder / "shards" / "train", folder / "identities.npz", tmp_path]
    program = [sys.executable, "-m", "tests.tools.train.bare_machine", *map(str, arguments)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stderr
    for name in (name for name in NAMES if name not in FURTHER):
        entry = json.loads((tmp_path / name / "metrics.json").read_text())[-1]
        assert entry["step"] == 1 and entry["loading_per_s"] > 0 and entry["training_per_s"] > 0
