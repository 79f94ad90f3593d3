"""Deleter, generator and regressor as torch modules: shapes, what holds before any training, cost."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from engines.networks import coefficients, deleter, generator  # noqa: E402
from realtime.face.coefficients import SLICES  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.mark.parametrize("quality", ["light", "full"])
def test_deleter_answers_agree_with_its_logits(quality):
    network = deleter.build(quality)
    strips = torch.rand(2, 3, 128, 256)
    with torch.no_grad():
        network(strips)  # batch statistics
        network.eval()
        said = network.parsing(strips)
        labels, glasses, shadow, kind = network(strips)
    logits = torch.pixel_shuffle(said.logits.reshape(2, 60, 64, 128), 2)
    assert torch.equal(labels, logits.argmax(1).to(torch.uint8))
    torch.testing.assert_close(glasses, logits.softmax(1)[:, 11:15])
    log_ratio = torch.pixel_shuffle(said.log_shadow.flatten(1, 2), 2)
    torch.testing.assert_close(shadow, log_ratio.exp().clamp(0.2, 2.5))
    assert shadow.shape == (2, 3, 128, 256) and shadow.max() > 1  # lenses may add light
    torch.testing.assert_close(kind.sum(1), torch.ones(2))


def test_generator_keeps_what_was_not_deleted():
    network = generator.build().eval()
    strip = torch.rand(1, 5, 128, 256)
    strip[:, 3] = 0
    strip[:, 3, 40:70, 60:120] = 1
    strip[:, :3] *= 1 - strip[:, 3:4]
    with torch.no_grad():
        filled = network(strip)
    known = strip[0, 3] == 0
    assert torch.equal(filled[0][:, known], strip[0, :3][:, known])
    assert (filled[0][:, ~known] > 0).all()


def test_pull_push_continues_a_slope_of_light():
    ramp = torch.linspace(0.2, 0.8, 256).expand(1, 3, 128, 256)
    hole = torch.zeros(1, 1, 128, 256)
    hole[..., 40:90, 100:112] = 1
    assert (generator.pull_push(ramp * (1 - hole), hole) - ramp).abs()[..., 40:90, 100:112].max() < 0.03
    everything = generator.pull_push(ramp, torch.ones_like(hole))
    assert torch.isfinite(everything).all()


def test_untrained_regressor_says_the_mean_face():
    network = coefficients.build().eval()
    network.centre.copy_(torch.arange(239.0))
    with torch.no_grad():
        said = network(torch.rand(2, 3, 160, 160), torch.rand(2, 128))
    np.testing.assert_allclose(said.numpy(), np.arange(239.0)[None].repeat(2, 0))
    assert {name: head.out_features for name, head in network.heads.items()} == {
        name: part.stop - part.start for name, part in SLICES.items()
    }


@pytest.mark.parametrize(("quality", "least", "most"), [("light", 5.5e6, 7e6), ("full", 23.5e6, 25e6)])
def test_regressor_is_resnet_50(quality, least, most):
    network = coefficients.build(quality)
    assert least < sum(p.numel() for p in network.parameters()) < most
    assert sum(isinstance(m, torch.nn.Conv2d) for m in network.body.modules()) == 52  # 4 shortcuts; stem and heads: 50


def test_discriminator_judges_patches():
    score, maps = generator.Discriminator()(
        torch.rand(2, 3, 128, 256), torch.rand(2, 1, 128, 256), torch.rand(2, 1, 128, 256)
    )
    assert score.shape == (2, 1, 16, 32) and len(maps) == 4
