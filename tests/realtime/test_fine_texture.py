"""T_final is made when the texture has changed, and only then; beside the loop it joins when it is finished."""

from concurrent.futures import Executor, Future

import numpy as np
import pytest

from realtime.face.model import load_face_model
from realtime.face.regions import FACE_SKIN, REFINED
from realtime.fine_texture import Evidence, FineTexture
from realtime.stages.refine import painted
from realtime.texture import LiveTexture
from tests.realtime.stages.conftest import ScriptedNetwork


class Later(Executor):
    """Runs what was handed in when a test says so."""

    def __init__(self):
        self.waiting = []

    def submit(self, work, /, *arguments):
        future: Future = Future()
        self.waiting.append(lambda: future.set_result(work(*arguments)))
        return future


@pytest.fixture(scope="module")
def model():
    return load_face_model("live")


@pytest.fixture
def network():
    """Answers the 3DMM's texture, half as bright."""
    return ScriptedNetwork(lambda inputs: {"texture_final": inputs["texture"] / 2})


def seen(model, share: float) -> Evidence:
    """`share` of the face's width has been seen."""
    weight = (model.mean[:, :1] < np.quantile(model.mean[:, 0], share)).astype(np.float32)
    crop = np.zeros((256, 256, 3), np.uint8)
    return Evidence(model.albedo_mean, np.column_stack([model.albedo_mean * 0.9, weight]).astype(np.float32), crop)


def test_it_is_made_again_only_when_the_evidence_has_changed(model, network):
    fine = FineTexture(model, network)
    shares = [0.5, 0.5, 0.502, 0.8, 0.8, 0.3]
    asked = []
    for share in shares:
        fine.renew(lambda share=share: seen(model, share))
        asked.append(len(network.asked))
    assert asked == [1, 1, 1, 2, 2, 3]
    np.testing.assert_array_equal(fine.colours, model.albedo_mean / 2)
    shapes = {name: array.shape for name, array in network.asked[0].items()}
    count = len(model.mean)
    assert shapes == {"texture": (1, count, 3), "seen": (1, count, 4), "crop": (1, 3, 128, 128)}


def test_a_drift_too_slow_for_one_look_still_counts(model, network):
    fine = FineTexture(model, network)
    for step in range(40):
        fine.renew(lambda step=step: seen(model, 0.3 + 0.01 * step))
    assert 3 <= len(network.asked) <= 15


def test_beside_the_loop_nothing_waits_for_it(model, network):
    later = Later()
    fine = FineTexture(model, network, later)
    fine.renew(lambda: seen(model, 0.5))
    fine.renew(lambda: pytest.fail("it looked again while one was being made"))
    assert fine.colours is None and not network.asked
    later.waiting.pop()()
    fine.renew(lambda: seen(model, 0.5))
    assert fine.colours is not None and len(network.asked) == 1 and not later.waiting


def test_what_was_not_seen_shows_it_and_what_was_seen_stays(model):
    texture = LiveTexture(model, 128)
    left = np.zeros((128, 128), bool)
    left[:, 70:] = True
    texture.albedo[left], texture.seen[left] = 0.5, 1.0
    final = np.full_like(model.albedo_mean, 0.5)
    final[:, 0] = 0.6  # in the seen skin's tone it is 0.5 red
    plain, fine = texture.picture(model.albedo_mean), texture.picture(model.albedo_mean, final)
    skin = plain[..., 3] == 255
    np.testing.assert_array_equal(fine[left & skin][:, :3], plain[left & skin][:, :3])
    unseen = ~left & (fine[..., 3] == 255)
    assert np.abs(fine[unseen][:, :3].astype(int) - 128).max() <= 12
    assert (fine[..., 3] > 0).sum() > 1.2 * (plain[..., 3] > 0).sum()  # ears, crown and neck too


def test_alone_it_is_painted_where_it_says_something(model):
    picture = painted(model, np.full_like(model.albedo_mean, 0.25), 128)
    texel = np.clip((model.uv * 128).astype(int), 0, 127)
    alpha = picture[texel[:, 1], texel[:, 0], 3]
    assert not picture.flags.writeable and (picture[picture[..., 3] == 255][:, :3] == 64).all()
    assert np.median(alpha[np.isin(model.regions, FACE_SKIN)]) == 255
    assert np.median(alpha[~np.isin(model.regions, REFINED)]) < 255
