"""Looks, what is hidden of them, drawing of vertex colours, and a few steps of the refiner's training."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")

from realtime.face.coefficients import COUNT, SLICES  # noqa: E402
from realtime.face.light import directional  # noqa: E402
from realtime.face.model import load_face_model  # noqa: E402
from realtime.face.regions import FACE_SKIN  # noqa: E402
from tests.tools.train.hand_made import write_shard  # noqa: E402
from tools.evaluate.texture import Case, evaluate_texture  # noqa: E402
from tools.train import looks  # noqa: E402
from tools.train import refiner as training  # noqa: E402
from tools.train.face_torch import FaceTorch  # noqa: E402
from tools.train.render_torch import paint, render  # noqa: E402
from tools.train.trainer import Options, train  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def model():
    return load_face_model("live")


def head() -> np.ndarray:
    """(239,) a face in the middle of the crop, lit from the side."""
    one = np.zeros(COUNT, np.float32)
    one[SLICES["texture"]] = np.random.default_rng(2).normal(0, 1, 80)
    one[SLICES["light"]] = directional(np.array([-1.0, 0.3, 1.0]), 0.5, 0.5)
    one[SLICES["pose"]] = [0, 0.1, 0, 1.15, 128, 106]
    return one


def picture_of(model, coefficients) -> np.ndarray:
    """(256, 256, 3) uint8, drawn by the differentiable renderer."""
    everywhere = np.ones(len(model.triangles), bool)
    made, _ = render(FaceTorch(model), torch.from_numpy(coefficients[None]), 256, everywhere)
    return np.ascontiguousarray((made[0].permute(1, 2, 0).numpy().clip(0, 1) * 255).astype(np.uint8))


@pytest.fixture(scope="module")
def look(model):
    return looks.look_at(model, picture_of(model, head()), head(), model.landmarks_of(head()))


def test_a_look_sees_the_albedo_that_was_drawn(model, look):
    well = (look.seen[:, 3] > 0.5) & np.isin(model.regions, FACE_SKIN)
    assert well.sum() > 1000
    gap = np.abs(look.seen[well, :3] * look.exposure - model.albedo_of(head())[well])
    assert np.median(gap) < 0.02
    assert training.vertex_error(look, model.albedo_of(head()) / look.exposure, look.seen[:, 3]) < 0.03
    assert 0.1 < (look.skin > 0.5).mean() < 0.6


@pytest.mark.parametrize("mode", looks.MODES)
def test_what_is_hidden_is_neither_seen_nor_in_the_photo(model, look, mode):
    stays = looks.kept(model, np.random.default_rng(4), mode)
    seen, blank, gone = looks.hidden_from(look, model, stays)
    assert stays.min() >= 0 and stays.max() <= 1
    np.testing.assert_allclose(seen[:, 3], look.seen[:, 3] * stays, atol=1e-6)
    assert not seen[seen[:, 3] == 0, :3].any()
    lost = (gone * look.skin).sum() / look.skin.sum()
    assert lost < 1e-5 if mode == "nothing" else 0.01 < lost < 0.95
    if mode != "nothing":
        assert np.ptp(blank[gone > 0.99].astype(int), axis=0).max() <= 3  # one colour
    np.testing.assert_array_equal(blank[gone == 0], look.photo[gone == 0])


def test_painting_vertex_values_agrees_with_the_renderer_and_has_gradients(model, look):
    values = torch.from_numpy(np.stack([look.texture * look.shade[:, None]] * 2)).requires_grad_()
    maps = torch.from_numpy(np.stack([look.triangle] * 2)), torch.from_numpy(np.stack([look.barycentric] * 2))
    made = paint(values, torch.from_numpy(model.triangles.astype(np.int64)), *maps)
    inside = look.skin > 0.5
    assert made.shape == (2, 3, looks.SIZE, looks.SIZE)
    assert np.abs(made[1].detach().permute(1, 2, 0).numpy() * 255 - look.photo)[inside].mean() < 5
    made[1].sum().backward()
    assert not values.grad[0].any()
    assert values.grad[1].sum().item() == pytest.approx(3 * (look.triangle >= 0).sum(), rel=1e-4)


@pytest.fixture(scope="module")
def task(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    for name in ("train", "val"):
        write_shard(folder / name / "a.npz", 3)
    exact = np.stack([head()] * 2)
    write_shard(folder / "train" / "b.npz", 2, coefficients=exact, shown=np.stack([model.landmarks_of(head())] * 2))
    task = training.create_task(Options(folder, folder / "out", 1, shards=folder / "train"))
    task.recipe = replace(task.recipe, batch=2, workers=0)
    task.judged = 2
    return task


def test_losses_fall_and_have_every_term(task):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    drawn = (task.batch(np.random.default_rng(seed)) for seed in range(20))
    batch = next(one for one in drawn if one["exact"].tolist() == [1, 0])  # a head and a photograph
    batch = {key: torch.from_numpy(value) for key, value in batch.items()}
    models = task.models()
    task.recogniser = torch.nn.Flatten()  # stands for G: any features will do here
    optimiser = torch.optim.AdamW(models["model"].parameters(), 1e-2)
    models["model"].train()
    totals = []
    for step in range(8):
        batch["progress"] = 1.0 if step == 7 else 0.1
        terms = task.loss(models, batch, "model")
        optimiser.zero_grad()
        terms["total"].backward()
        optimiser.step()
        totals.append((terms["photometric"] + terms["hidden"] + terms["exact"]).item())
    assert {"photometric", "hidden", "exact", "symmetric", "regular", "identity", "adversarial"} <= terms.keys()
    assert np.isfinite(totals).all() and totals[-1] < 0.97 * totals[0]
    assert task.loss(models, batch, "discriminator")["total"].requires_grad
    scores = task.evaluate(models["model"].eval())
    assert scores.keys() == {"hidden_3dmm", "hidden_start", "hidden", "seen_3dmm", "seen"}
    assert task.sheet(models["model"]).shape[1] == 7 * looks.SIZE + 6 * 2


def test_it_trains_and_resumes(task):
    train(task, task.options, steps=1)
    checkpoint = train(task, replace(task.options, resume=True), steps=2)
    assert torch.load(checkpoint, weights_only=False)["step"] == 2


def test_the_protocol_tells_a_good_fill_from_a_bad_one(model):
    crop, points = picture_of(model, head()), model.landmarks_of(head())
    other = head()
    other[SLICES["texture"]] *= -1
    cases = [Case(crop, points, np.r_[other[:224], head()[224:]])] * 2
    exposure = looks.look_at(model, crop, cases[0].coefficients, points).exposure
    true = (model.albedo_of(head()) / exposure).astype(np.float32)
    good, sheet = evaluate_texture(cases, lambda texture, seen, crop: true, model)
    bad, _ = evaluate_texture(cases, lambda texture, seen, crop: texture, model)
    assert good["hidden_final"] < 0.02 and good["hidden"] < 0.02 and good["seen_final"] < 0.02
    assert bad["hidden_final"] == pytest.approx(bad["hidden_3dmm"], abs=1e-3)
    assert bad["hidden_3dmm"] > 2 * good["hidden"] and good["pictures"] == 2
    assert sheet.shape[0] == 2 * looks.SIZE + 2
