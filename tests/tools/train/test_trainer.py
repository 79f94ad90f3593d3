"""The training skeleton: learns, keeps an average, resumes exactly, leaves whole files."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from torch import nn  # noqa: E402

from tools.train.__main__ import main, options_from  # noqa: E402
from tools.train.task import Options, Recipe  # noqa: E402
from tools.train.trainer import load_weights, rate_at, train  # noqa: E402

TRUE = np.array([[2.0, -1.0, 0.5]], np.float32)


class LineTask:
    """y = w x with dropout on the input, so that torch's random state matters too."""

    name = "line"
    players = ("model",)
    recipe = Recipe(batch=16, learning_rate={"model": 0.05}, warmup_steps=5, ema_halflife_steps=10, workers=0)

    def models(self) -> dict[str, nn.Module]:
        return {"model": nn.Linear(3, 1), "partner": nn.Linear(1, 1)}

    def batch(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        x = rng.standard_normal((16, 3)).astype(np.float32)
        return {"x": x, "y": x @ TRUE.T}

    def loss(self, models, batch, player):  # type: ignore[no-untyped-def]
        noisy = batch["x"] + 0.01 * torch.randn_like(batch["x"])
        return {"total": (models["model"](noisy) - batch["y"]).square().mean()}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        return {"error": float((model.weight - torch.from_numpy(TRUE)).abs().max())}

    def sheet(self, model: nn.Module) -> np.ndarray:
        return np.zeros((8, 8, 3), np.uint8)


def seconds():  # type: ignore[no-untyped-def]
    """A clock that advances one second a look."""
    ticks = count()
    return lambda: float(next(ticks))


def weights(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=False)["ema"]


def test_learns_and_writes_whole_files(tmp_path: Path) -> None:
    path = train(LineTask(), Options(tmp_path, tmp_path / "run", minutes=5), seconds())
    assert weights(path)["weight"].numpy() == pytest.approx(TRUE, abs=0.05)
    history = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert history[-1]["error"] < 0.05 and history[-1]["step"] == history[-1]["elapsed_s"] == 300
    assert {file.name for file in (tmp_path / "run").iterdir()} == {"checkpoint.pt", "metrics.json", "sheet.png"}


def test_resumes_exactly(tmp_path: Path) -> None:
    whole = train(LineTask(), Options(tmp_path, tmp_path / "whole", minutes=1), seconds(), steps=30)
    train(LineTask(), Options(tmp_path, tmp_path / "parts", minutes=1), seconds(), steps=12)
    parts = train(LineTask(), Options(tmp_path, tmp_path / "parts", minutes=1, resume=True), seconds(), steps=30)
    for key, value in weights(whole).items():
        assert torch.equal(value, weights(parts)[key]), key


class AidedTask(LineTask):
    """The line, beside a companion that learns to say 3 of whatever it sees."""

    companions = {"model": ("partner",)}  # noqa: RUF012

    def loss(self, models, batch, player):  # type: ignore[no-untyped-def]
        aside = (models["partner"](torch.zeros(1, 1)) - 3).square().mean()
        return {"total": super().loss(models, batch, player)["total"] + aside}


def test_companions_learn_with_their_player_and_are_kept(tmp_path: Path) -> None:
    path = train(AidedTask(), Options(tmp_path, tmp_path / "run", minutes=5), seconds())
    partner = torch.load(path, weights_only=False)["partners"]["partner"]
    assert float(partner["bias"]) == pytest.approx(3, abs=0.05)
    alone = train(LineTask(), Options(tmp_path, tmp_path / "alone", minutes=1), seconds())
    assert abs(float(torch.load(alone, weights_only=False)["partners"]["partner"]["bias"])) <= 1


def test_the_seed_decides(tmp_path: Path) -> None:
    runs = [train(LineTask(), Options(tmp_path, tmp_path / str(s), 1, seed=s), seconds(), steps=5) for s in (0, 1)]
    assert not torch.equal(weights(runs[0])["weight"], weights(runs[1])["weight"])


def test_loading_gives_the_average_and_what_else_is_known(tmp_path: Path) -> None:
    path = train(LineTask(), Options(tmp_path, tmp_path / "run", 1, quality="full"), seconds(), steps=5)
    model = nn.Linear(3, 1)
    known = load_weights(model, path)
    assert torch.equal(model.weight.data, weights(path)["weight"])
    assert known["network"] == "line" and known["quality"] == "full" and known["step"] == 5


def test_rate_warms_up_and_falls() -> None:
    recipe = Recipe(warmup_steps=10, last_rate=0.01)
    assert rate_at(0, 0.0, recipe) == pytest.approx(0.1)
    assert rate_at(50, 0.0, recipe) == pytest.approx(1.0)
    assert rate_at(50, 0.5, recipe) == pytest.approx(0.505)
    assert rate_at(50, 1.0, recipe) == pytest.approx(0.01)


def test_nothing_to_resume_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="leave --resume out"):
        train(LineTask(), Options(tmp_path, tmp_path / "run", 1, resume=True), seconds())


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, options = options_from(["landmarks", "--data", "d", "--out", "o", "--minutes", "3", "--points", "a", "b"])
    assert name == "landmarks" and options.points == (Path("a"), Path("b")) and options.threads == 1
    assert main(["landmarks", "--data", str(tmp_path), "--out", str(tmp_path), "--minutes", "1"]) == 2
    assert "no photographs" in capsys.readouterr().err
