"""Starts: the averaged weights of a checkpoint, small, and what a training begins with."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("lightning")

from tests.tools.train.test_trainer import LineTask, seconds  # noqa: E402
from tools.train.start import load_start, write_start  # noqa: E402
from tools.train.task import Options  # noqa: E402
from tools.train.trainer import train  # noqa: E402

STARTS = Path(__file__).parents[3] / "tools" / "train" / "starts"


def test_a_training_begins_with_the_weights_of_another(tmp_path: Path) -> None:
    first = train(LineTask(), Options(tmp_path, tmp_path / "first", minutes=5), seconds())
    write_start(first, tmp_path / "line.safetensors")
    options = Options(tmp_path, tmp_path / "second", minutes=5, start=tmp_path / "line.safetensors")
    second = torch.load(train(LineTask(), options, seconds(), steps=0), weights_only=False)["ema"]
    torch.testing.assert_close(
        second["weight"], torch.load(first, weights_only=False)["ema"]["weight"], rtol=1e-3, atol=1e-3
    )


def test_a_start_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.safetensors does not exist"):
        load_start(torch.nn.Linear(3, 1), tmp_path / "gone.safetensors")


@pytest.mark.parametrize("name", ["landmarks", "detector", "deleter", "generator"])
def test_what_ships_fits_its_network(name: str) -> None:
    module = __import__(f"engines.networks.{name}", fromlist=["build"])
    load_start(module.build("light"), STARTS / f"{name}.safetensors")
    assert all(bool(p.isfinite().all()) for p in module.build("light").parameters())
