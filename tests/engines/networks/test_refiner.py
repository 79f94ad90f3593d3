"""The mesh pyramid, graph convolutions, and the refiner before any training."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")
csr_matrix = pytest.importorskip("scipy.sparse").csr_matrix

from engines.networks import mesh_pyramid, refiner  # noqa: E402
from engines.networks.graph import ChebyshevConvolution, Gather  # noqa: E402
from realtime.face.model import load_face_model  # noqa: E402
from realtime.face.regions import FACE_SKIN, REFINED  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model():
    return load_face_model("live")


@pytest.fixture(scope="module")
def pyramid(model):
    points, triangles, _ = refiner.refined_mesh(model)
    return mesh_pyramid.build_pyramid(points, triangles, 3)


@pytest.fixture(scope="module")
def network(model):
    torch.manual_seed(0)
    return refiner.Refiner("light", model).eval()


def test_each_level_has_about_a_quarter_of_the_vertices(pyramid):
    counts = [len(points) for points in pyramid.points]
    assert counts[0] == 5016
    assert all(0.2 < coarse / fine < 0.35 for fine, coarse in itertools.pairwise(counts))


def test_a_constant_survives_going_down_and_up(pyramid):
    for down, up in zip(pyramid.down, pyramid.up, strict=True):
        coarse = down.apply(np.full((down.source, 2), 0.7, np.float32))
        np.testing.assert_allclose(coarse, 0.7, atol=1e-6)
        np.testing.assert_allclose(up.apply(coarse), 0.7, atol=1e-6)


def test_going_down_and_up_only_blurs(pyramid):
    """Positions come back within the size of a cluster: a fine vertex is put together from what lies around it."""
    for k, (down, up) in enumerate(zip(pyramid.down, pyramid.up, strict=True)):
        away = np.linalg.norm(up.apply(down.apply(pyramid.points[k])) - pyramid.points[k], axis=1)
        assert np.median(away) < 2.5 * 2**k and away.max() < 20 * 2**k


def test_neighbours_are_neighbours_of_each_other(pyramid):
    for table in pyramid.laplacian:
        there = table.weights != 0
        rows = np.repeat(np.arange(table.source), there.sum(1))
        matrix = csr_matrix((table.weights[there], (rows, table.index[there])), shape=(table.source, table.source))
        assert abs(matrix - matrix.T).max() < 1e-7 and not matrix.diagonal().any()
        assert there.any(1).all() and there.sum(1).max() <= mesh_pyramid.VALENCE


def test_the_mirror_image_of_a_mirror_image_is_near(model):
    points = refiner.refined_mesh(model)[0]
    mirror = mesh_pyramid.mirror_of(points)
    skin = np.isin(model.regions[refiner.refined_mesh(model)[2]], FACE_SKIN)
    mirrored = mirror.apply(points) * np.array([-1, 1, 1])
    assert np.percentile(np.linalg.norm(mirrored - points, axis=1)[skin], 95) < 1.5


def test_training_and_running_compute_the_same_and_the_gradient_is_right(pyramid):
    layer = ChebyshevConvolution(Gather(pyramid.laplacian[2]), 3, 5).double()
    layer.neighbours[0].double()
    x = torch.rand(len(pyramid.points[2]), 2, 3, dtype=torch.double, requires_grad=True)
    layer.neighbours[0].train()
    trained = layer(x)
    (fused,) = torch.autograd.grad((trained * trained.detach().cos()).sum(), x)
    layer.neighbours[0].eval()
    run = layer(x)
    (plain,) = torch.autograd.grad((run * run.detach().cos()).sum(), x)
    torch.testing.assert_close(trained, run)
    torch.testing.assert_close(fused, plain)


def evidence(model, side: int):
    """The 3DMM's mean texture, a redder and brighter one seen on one side only, a grey crop."""
    texture = torch.from_numpy(model.albedo_mean)[None]
    seen = torch.zeros(1, len(model.mean), 4)
    seen[..., :3] = texture * torch.tensor([1.2, 0.9, 0.8])
    seen[0, model.mean[:, 0] * side > 5, 3] = 1
    return texture, seen, torch.full((1, 3, 128, 128), 0.5)


@pytest.mark.parametrize("side", [-1, 1])
def test_untrained_it_fills_the_hidden_side_in_the_seen_tone(model, network, side):
    texture, seen, crop = evidence(model, side)
    with torch.no_grad():
        final = network(texture, seen, crop)
    refined = torch.from_numpy(np.isin(model.regions, REFINED))
    assert final.shape == texture.shape
    assert torch.equal(final[0, ~refined], texture[0, ~refined])
    error = (final - seen[..., :3])[0, refined].abs().mean(1)
    assert error.mean() < 0.01
    assert error.mean() < 0.15 * (texture - seen[..., :3])[0, refined].abs().mean()


def test_nothing_seen_leaves_the_3dmm(model, network):
    texture, seen, crop = evidence(model, 1)
    with torch.no_grad():
        torch.testing.assert_close(network(texture, seen * 0, crop), texture, atol=1e-6, rtol=0)


def test_every_parameter_learns(model):
    network = refiner.Refiner("light", model).train()
    torch.nn.init.normal_(network.residual.weight, 0, 0.1)
    for part in network.modules():
        if isinstance(part, ChebyshevConvolution):
            torch.nn.init.normal_(part.mix.weight, 0, 0.1)
    texture, seen, crop = evidence(model, 1)
    both = torch.cat([crop, torch.rand_like(crop)])
    network(texture.repeat(2, 1, 1), seen.repeat(2, 1, 1), both).square().sum().backward()
    still = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not still


def test_the_discriminator_judges_patches():
    score, maps = refiner.TextureDiscriminator()(torch.rand(2, 3, 128, 128), torch.rand(2, 1, 128, 128))
    assert score.shape == (2, 1, 16, 16) and len(maps) == 3
