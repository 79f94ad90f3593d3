"""The lids' network learns gaps from hand-made shards, whose points have them."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.tools.train.hand_made import totals_while_learning, write_shard  # noqa: E402
from tools.train import lids  # noqa: E402
from tools.train.task import Options  # noqa: E402

pytestmark = pytest.mark.train


def test_a_gap_is_the_distance_of_the_lids_over_the_width():
    outline = np.array([[0, 0], [10, -3], [20, -3], [30, 0], [20, 6], [10, 6]], float)
    assert lids.gap_of(outline) == pytest.approx(9 / 30)
    assert lids.gap_of(outline * (1, 0)) == 0


@pytest.fixture
def task(tmp_path):
    write_shard(tmp_path / "train" / "a.npz", 6)
    task = lids.create_task(Options(tmp_path, tmp_path / "out", 1, shards=tmp_path / "train"))
    task.recipe = replace(task.recipe, batch=16)
    return task


def test_gaps_of_every_size_are_drawn_alike(task):
    rng = np.random.default_rng(0)
    task.gaps = rng.choice([0.05, 0.3], len(task.patches), p=[0.2, 0.8]).astype(np.float32)
    task.gaps[:2] = 0.05, 0.3
    which = np.digitize(task.gaps, lids.BINS) - 1
    task.members = [np.flatnonzero(which == k) for k in range(len(lids.BINS) - 1)]
    drawn = np.concatenate([task.batch(np.random.default_rng(k))["gap"].ravel() for k in range(20)])
    assert 0.45 < (drawn < 0.1).mean() < 0.75  # three to two, however rare shut eyes are


def test_losses_fall_and_val_is_judged(task):
    torch.manual_seed(0)
    batch = {key: torch.from_numpy(value) for key, value in task.batch(np.random.default_rng(1)).items()}
    assert batch["eyes"].shape == (16, 1, 40, 56) and batch["gap"].shape == (16, 1)
    model = task.models()["model"]
    totals = totals_while_learning(task, model, batch, 10, 2e-3)
    assert totals[-1] < 0.7 * totals[0]
    assert np.isfinite(task.evaluate(model.eval())["error"]) and task.sheet(model).ndim == 3


def test_an_unfitted_crop_is_measured_by_its_eye_corners(task):
    sample = next(iter(lids.Samples(task.options.shards)))
    px_per_mm, roll = lids.scale_and_roll(sample)
    assert 0.7 < px_per_mm < 1.6 and abs(roll) < 0.1
