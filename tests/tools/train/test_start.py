"""Starts: shipped weights unfolded into a network that learns on, and an earlier training's checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("onnx")

from engines import open_network  # noqa: E402
from tests.tools.train.test_trainer import LineTask, seconds  # noqa: E402
from tools.train.start import folded_pairs, load_shipped, load_start, unfold_norms  # noqa: E402
from tools.train.task import Options  # noqa: E402
from tools.train.trainer import train  # noqa: E402

SHAPES = {"landmarks": (6, 3, 128, 128), "deleter": (4, 3, 128, 256), "generator": (4, 5, 128, 256)}


def network(name: str) -> torch.nn.Module:
    return __import__(f"engines.networks.{name}", fromlist=["build"]).build("light")


def scene(name: str) -> torch.Tensor:
    """Smooth random pictures; for the generator with a hole."""
    rng = torch.Generator().manual_seed(4)
    small = torch.rand(*SHAPES[name][:2], 8, 8, generator=rng)
    picture = torch.nn.functional.interpolate(small, SHAPES[name][2:], mode="bicubic").clamp(0, 1)
    if name == "generator":
        picture[:, 3:] = (picture[:, 3:] > 0.6).float()
        picture[:, :3] *= 1 - picture[:, 3:4]
    return picture


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_shipped_weights_compute_the_same_and_learn_on(name: str) -> None:
    model, picture = network(name), scene(name)
    load_shipped(model, name, "light")
    unfold_norms(model, lambda: model(picture))
    with open_network(name, "light", "cpu", batch=len(picture)) as engine:
        (given,) = engine.specs.inputs
        wanted = engine.run({given.name: picture.numpy()})
        with torch.no_grad():
            said = model.eval()(picture)
        said = said if isinstance(said, tuple) else (said,)
        for spec, value in zip(engine.specs.outputs, said, strict=True):
            close = np.isclose(wanted[spec.name].astype(np.float32), value.float().numpy(), rtol=2e-2, atol=2e-2)
            assert close.mean() > 0.999, spec.name
    norms = [norm for _, _, norm in folded_pairs(model)]
    assert len(norms) > 10 and all(norm.running_var.std() > 0 for norm in norms)
    if name == "landmarks":  # training mode, where norms use the batch, starts where the shipped network ends
        with torch.no_grad():
            points = model.train()(picture)[0]
        assert (points - said[0]).abs().mean() < 0.5


def test_the_detector_unfolds_out_of_its_wrapper() -> None:
    model = network("detector")
    load_shipped(model, "detector", "light")
    assert all(bool(p.isfinite().all()) for p in model.parameters())


def test_a_training_begins_with_the_weights_of_another(tmp_path: Path) -> None:
    first = train(LineTask(), Options(tmp_path, tmp_path / "first", minutes=5), seconds())
    options = Options(tmp_path, tmp_path / "second", minutes=5, start=str(first))
    second = torch.load(train(LineTask(), options, seconds(), steps=0), weights_only=False)["ema"]
    torch.testing.assert_close(second["weight"], torch.load(first, weights_only=False)["ema"]["weight"])


def test_a_start_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.pt does not exist"):
        load_start(torch.nn.Linear(3, 1), "line", "light", str(tmp_path / "gone.pt"), lambda: None)
    with pytest.raises(FileNotFoundError, match="no full weights of deleter"):
        load_start(torch.nn.Linear(3, 1), "deleter", "full", "shipped", lambda: None)
