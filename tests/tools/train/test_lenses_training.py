"""The lenses' network begins as the deleter's encoder and learns scales from hand-made shards."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engines.networks.deleter import Deleter  # noqa: E402
from tests.tools.train.hand_made import totals_while_learning, write_shard  # noqa: E402
from tools.train import lenses  # noqa: E402
from tools.train.start import load_shipped  # noqa: E402
from tools.train.task import Options  # noqa: E402
from tools.train.trainer import pictures  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture
def task(tmp_path):
    for split in ("train", "val"):
        write_shard(tmp_path / split / "a.npz", 9)
    task = lenses.create_task(Options(tmp_path, tmp_path / "out", 1, shards=tmp_path / "train"))
    task.recipe = replace(task.recipe, batch=6)
    return task


def test_only_clear_glasses_teach(task):
    assert task.rows.tolist() == [1, 4, 7]
    assert (task.batch(np.random.default_rng(0))["scale"] == np.float32(1.08)).all()


def test_it_begins_by_seeing_what_the_deleter_sees(task):
    model, deleter = task.models()["model"].eval(), Deleter().eval()
    load_shipped(deleter, "deleter", "light")
    strips = pictures(torch.from_numpy(task.batch(np.random.default_rng(0))["strip"]))
    with torch.no_grad():
        for ours, theirs in zip(model.encoder.features(strips), deleter.features(strips), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-3)
        assert (model(strips) == 1).all()  # and says "no power"


def test_losses_fall_and_val_is_judged(task):
    torch.manual_seed(0)
    batch = {key: torch.from_numpy(value) for key, value in task.batch(np.random.default_rng(1)).items()}
    model = task.models()["model"].train()
    totals = totals_while_learning(task, model, batch, 12, 1e-3)
    assert totals[-1] < 0.6 * totals[0]
    scores = task.evaluate(model.eval())
    assert scores["error_of_one"] == pytest.approx(np.log(1.08), abs=1e-4) and np.isfinite(scores["error"])
    assert task.sheet(model).ndim == 3
