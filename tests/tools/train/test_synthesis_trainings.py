"""Deleter and generator learn from a tiny shard drawn by hand, checkpoint, and resume."""

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engines.networks import recogniser  # noqa: E402
from engines.networks.classes import Region  # noqa: E402
from realtime.align import STRIP_BOTTOM, STRIP_TOP  # noqa: E402
from tests.tools.train.hand_made import totals_while_learning, write_shard  # noqa: E402
from tools.train import deleter, generator, worn  # noqa: E402
from tools.train.samples import Samples  # noqa: E402
from tools.train.trainer import Options, train  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    write_shard(folder / "train" / "a.npz", 12)
    write_shard(folder / "val" / "a.npz", 6, seed=9)
    return folder / "train"


def _task(module, shards, out, batch):
    options = Options(data=shards, out=out, minutes=10, shards=shards)
    task = module.create_task(options)
    task.judged = 4
    task.recipe = replace(task.recipe, batch=batch, workers=0, warmup_steps=1, ema_halflife_steps=4)
    return task, options


def test_deleter_learns_black_rims(shards, tmp_path):
    task, options = _task(deleter, shards, tmp_path / "deleter", 4)
    batch = {key: torch.from_numpy(value) for key, value in task.batch(np.random.default_rng(0)).items()}
    model = task.models()["model"]
    totals = totals_while_learning(task, model, batch, 8, 5e-3)
    assert totals[-1] < 0.75 * totals[0]
    checkpoint = train(task, options, steps=1)
    assert worn.main(["--shards", str(shards), "--checkpoint", str(checkpoint)]) == 0
    assert np.load(shards / "worn.npz")["kind"].shape == (12, 3)
    (shards / "worn.npz").unlink()


def test_generator_starts_as_good_as_telea_and_resumes(shards, tmp_path):
    task, options = _task(generator, shards, tmp_path / "generator", 4)
    train(task, options, steps=1)
    task, options = _task(generator, shards, tmp_path / "generator", 4)
    train(task, replace(options, resume=True), steps=2)
    last = json.loads((tmp_path / "generator" / "metrics.json").read_text())[-1]
    assert last["step"] == 2
    assert last["psnr"] > last["psnr_telea"] - 1.5


def test_late_generator_losses_are_finite(shards, tmp_path):
    task, _ = _task(generator, shards, tmp_path / "late", 4)
    models = task.models()
    batch = {key: torch.from_numpy(value) for key, value in task.batch(np.random.default_rng(0)).items()}
    batch["progress"] = 0.9
    task.recogniser = recogniser.build().eval().requires_grad_(False)
    terms = task.loss(models, batch, "model")
    assert {"pixel", "gradient", "variation", "adversarial", "matching", "identity"} <= terms.keys()
    terms["total"].backward()
    assert torch.isfinite(terms["total"]) and torch.isfinite(task.loss(models, batch, "discriminator")["total"])


def test_the_made_strip_lies_in_the_face_where_it_was_cut():
    face, made = torch.zeros(2, 3, 128, 128), torch.ones(3, 3, 128, 256)
    rows = generator.with_strip(face, made).amax((0, 1, 3))
    assert rows.nonzero()[[0, -1], 0].tolist() == [STRIP_TOP // 2, STRIP_BOTTOM // 2 - 1]


def test_light_ratio_within_clear_lenses_holds_their_tint(shards):
    sample = next(one for one in Samples(shards) if one.value("kind") == 1)
    labels, clean = sample.picture("labels"), sample.picture("clean")
    shadow = sample.picture("shadow").astype(np.float32) / 255
    lens = labels == Region.CLEAR_LENS
    tint = np.array([0.7, 0.8, 0.6])
    tinted = np.where(lens[..., None], (clean * tint).astype(np.uint8), clean)
    ratio = deleter.through_lenses(shadow, tinted, clean, labels)
    assert np.abs(ratio[lens] - tint).max() < 0.04
    np.testing.assert_allclose(ratio[~lens], shadow[~lens, None].repeat(3, 1))
    shining = np.where(lens[..., None], (clean * 0.8 + 51).astype(np.uint8), clean)
    assert (deleter.through_lenses(shadow, shining, clean, labels)[lens] > 1.02).mean() > 0.5
