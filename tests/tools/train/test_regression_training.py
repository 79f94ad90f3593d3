"""The regressor's losses, and the differentiable picture that eq. 8 compares with."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from realtime.face.camera import project, rotate_normals  # noqa: E402
from realtime.face.coefficients import COUNT, SLICES, pose  # noqa: E402
from realtime.face.light import shade  # noqa: E402
from realtime.face.mesh import vertex_normals  # noqa: E402
from realtime.face.model import load_face_model  # noqa: E402
from shaders.software import interpolate, rasterise  # noqa: E402
from tests.tools.train.hand_made import write_shard  # noqa: E402
from tools.train import coefficients as training  # noqa: E402
from tools.train import losses  # noqa: E402
from tools.train.face_torch import FaceTorch  # noqa: E402
from tools.train.render_torch import render  # noqa: E402
from tools.train.task import Options  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def model():
    return load_face_model("live")


def heads(count: int) -> np.ndarray:
    """(count, 239) faces in the middle of the crop."""
    rng = np.random.default_rng(5)
    values = np.zeros((count, COUNT), np.float32)
    values[:, SLICES["identity"]] = rng.normal(0, 1, (count, 80))
    values[:, SLICES["expression"]] = rng.uniform(0, 0.3, (count, 64))
    values[:, SLICES["light"]] = rng.normal(0, 0.2, (count, 9))
    values[:, SLICES["light"].start] = 3.0
    least, most = (-0.1, -0.4, -0.1, 1.1, 124, 100), (0.1, 0.4, 0.1, 1.2, 131, 108)
    values[:, SLICES["pose"]] = rng.uniform(least, most, (count, 6))
    return values


@pytest.fixture(scope="module")
def task(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    exact = heads(6)
    exact[0, SLICES["texture"]] = np.nan  # the skin of a photograph
    shown = np.array([model.landmarks_of(one) for one in exact], np.float32)
    write_shard(folder / "heads" / "a.npz", 6, coefficients=exact, shown=shown)
    write_shard(folder / "heads_val" / "a.npz", 3, coefficients=exact[:3], shown=shown[:3])
    for name in ("train", "val"):
        write_shard(folder / name / "a.npz", 3)
    task = training.create_task(Options(folder, folder / "out", 1, shards=folder / "train"))
    task.recipe = replace(task.recipe, batch=6)
    task.judged = 2
    return task


def test_losses_fall_and_have_every_term(task):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    batch = {key: torch.from_numpy(value) for key, value in task.batch(np.random.default_rng(1)).items()}
    batch["bare"][:] = True
    models = task.models()
    optimiser = torch.optim.AdamW(models["model"].parameters(), 1e-3)
    totals = []
    for step in range(9):
        batch["progress"] = 0.6 if step == 8 else 0.1
        terms = task.loss(models, batch, "model")
        optimiser.zero_grad()
        terms["total"].backward()
        optimiser.step()
        totals.append((terms["vertex"] + terms["points"] + terms["coefficients"]).item())
    assert {"vertex", "points", "coefficients", "regular", "photometric"} <= terms.keys()
    assert np.isfinite(totals).all() and totals[-1] < 0.8 * totals[0]
    scores = task.evaluate(models["model"].eval())
    assert scores["nme"] < 1 and scores["vertex_mm"] < 20
    assert task.sheet(models["model"]).ndim == 3


def test_rendering_agrees_with_the_rasteriser(model):
    one = heads(1)
    made, mask = render(FaceTorch(model), torch.from_numpy(one), 128, np.ones(len(model.triangles), bool))
    flat = project(model.vertices(one[0]), pose(one[0])) * 0.5 - 0.25
    _, triangle, weights = rasterise(flat, model.triangles, (128, 128))
    normals = rotate_normals(vertex_normals(model.vertices(one[0]), model.triangles), pose(one[0]))
    colours = model.albedo_of(one[0]) * shade(normals, one[0, SLICES["light"]])[:, None]
    expected = interpolate(colours.astype(np.float32), model.triangles, triangle, weights)
    error = np.abs(made[0].permute(1, 2, 0).numpy() - expected)
    assert np.percentile(error, 99) < 0.02
    assert np.mean(mask[0, 0].numpy() != (triangle >= 0)) < 0.002


def test_photometric_loss_finds_light_and_place(model):
    face, true = FaceTorch(model), torch.from_numpy(heads(2))
    everywhere = np.ones(len(model.triangles), bool)
    photo, _ = render(face, true, 96, everywhere)
    guess = true.clone()
    guess[:, SLICES["light"].start] += 0.5
    guess[:, SLICES["pose"].start + 4] += 1.5
    guess.requires_grad_()
    made, visible = render(face, guess, 96, everywhere)
    loss = losses.photometric_loss(photo, made, visible)
    loss.backward()
    assert loss > 0.01
    assert (guess.grad[:, SLICES["light"].start] > 0).all()  # too bright: go down
    assert (guess.grad[:, SLICES["pose"].start + 4] > 0).all()  # too far right: go back
    same = losses.photometric_loss(photo, photo, visible)
    assert same < 1e-3


def test_feature_loss_is_one_minus_cosine():
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]])
    assert losses.feature_loss(a, b, lambda x: x).item() == pytest.approx(1 - 2**-0.5)


def test_centred_distance_ignores_where_the_head_is():
    points = torch.rand(2, 50, 3)
    assert training.centred_distance(points + 5, points).abs().max() < 1e-5
