from itertools import pairwise

import numpy as np
import pytest

from engines.networks.classes import Region
from realtime.frame import Glasses
from realtime.stages.delete import Delete, DeleteSettings, between_lids, glasses_probability, hole_of
from realtime.stages.generate import Filling, Generate, generator_input
from tests.realtime.stages.conftest import ScriptedNetwork, face_at, landmarks_at, picture_of

BAR = (slice(50, 58), slice(60, 200))  # a frame as the deleter might see it, strip pixels
SHADE = (slice(62, 70), slice(60, 200))  # and its shadow below


def deleter(kind=(0.02, 0.95, 0.03), dark=0.0):
    def answer(inputs):
        assert inputs["strip"].shape == (1, 3, 128, 256) and inputs["strip"].dtype == np.float32
        glasses = np.zeros((1, 4, 128, 256), np.float32)
        glasses[0, 0][BAR] = 0.95
        glasses[0, 2, 60:90, 70:110] = dark
        labels = np.full((1, 128, 256), Region.SKIN, np.uint8)
        labels[0][BAR] = Region.FRAME
        shadow = np.ones((1, 3, 128, 256), np.float32)
        shadow[0, :, *SHADE] = 0.6
        return {"labels": labels, "glasses": glasses, "shadow": shadow, "kind": np.array([kind], np.float32)}

    return ScriptedNetwork(answer)


def test_the_mask_covers_the_frame_grown_and_feathered_and_nothing_else():
    _, (face,) = Delete(deleter())(picture_of(), (face_at(),))
    assert face.glasses is Glasses.CLEAR and face.glasses_confidence == pytest.approx(0.95)
    strip = face.mask[40:168]
    assert (strip[BAR] == 255).all() and face.mask[:40].max() == 0 and face.mask[168:].max() == 0
    ys, xs = np.nonzero(strip)
    assert (ys.min(), ys.max(), xs.min(), xs.max()) == (44, 63, 54, 205)  # 4 px grown, 2 px of soft edge
    assert len(np.unique(strip)) > 3


def test_the_mask_grows_less_between_the_lids():
    points = np.full((68, 2), -50, np.float32)
    points[36:42] = [(60, 100), (70, 92), (80, 92), (90, 100), (80, 108), (70, 108)]  # pixels of the crop
    seen = np.zeros((128, 256), np.float32)
    seen[60, 40:200] = 1.0  # a wire through the eye, and on beyond it
    hole = hole_of(seen, points, DeleteSettings()) > 0
    assert between_lids(points, (128, 256))[60, 75] and not between_lids(points, (128, 256))[60, 110]
    assert np.flatnonzero(hole[:, 75]).tolist() == list(range(58, 63))
    assert np.flatnonzero(hole[:, 110]).tolist() == list(range(56, 65))


def test_a_face_whose_frame_nobody_sees_wears_none():
    network = deleter()
    full = network.answer
    for columns, kind in ((85, Glasses.CLEAR), (84, Glasses.NONE)):  # 8 x 25 pixels of the frame are left, or 8 x 24

        def answer(inputs, columns=columns):
            found = full(inputs)
            found["labels"][0][:, columns:] = Region.SKIN
            return found

        network.answer = answer
        assert Delete(network)(picture_of(), (face_at(),))[1][0].glasses is kind


def test_the_shadow_is_undone_on_the_skin_by_division():
    frame, plain = picture_of(), face_at()
    _, (face,) = Delete(deleter())(frame, (plain,))
    _, (bare,) = Delete(deleter(kind=(0.9, 0.05, 0.05)))(frame, (plain,))
    inner = (slice(40 + 65, 40 + 68), slice(70, 190))
    wanted = np.clip(bare.crop[inner] / 0.6, 0, 255)
    assert np.abs(face.crop[inner] - wanted).max() <= 2
    np.testing.assert_array_equal(face.crop[130:], bare.crop[130:])


def test_without_glasses_nothing_is_deleted_and_generate_is_skipped():
    frame, faces = Delete(deleter(kind=(0.9, 0.05, 0.05)))(picture_of(), (face_at(),))
    assert faces[0].glasses is Glasses.NONE and faces[0].mask is None
    generator = ScriptedNetwork(lambda inputs: pytest.fail("the generator ran"))
    after, _ = Generate(generator)(frame, faces)
    assert after.image is frame.image and after.original is None


def test_the_kind_changes_only_on_lasting_evidence():
    worn, bare = (0.05, 0.9, 0.05), (0.9, 0.05, 0.05)
    answers = iter([worn] * 5 + [bare] * 2 + [worn] * 5 + [bare] * 30)
    template = deleter().answer
    network = ScriptedNetwork(lambda inputs: {**template(inputs), "kind": np.array([next(answers)])})
    delete = Delete(network)
    kinds = [delete(picture_of(index=i), (face_at(),))[1][0].glasses for i in range(42)]
    assert set(kinds[:13]) == {Glasses.CLEAR} and set(kinds[30:]) == {Glasses.NONE}
    assert sum(a is not b for a, b in pairwise(kinds)) == 1


@pytest.mark.parametrize(("kind", "gone"), [(Glasses.CLEAR, 0.0), (Glasses.DARK, 0.8)])
def test_dark_lenses_go_and_clear_lenses_stay(kind, gone):
    glasses = np.zeros((4, 2, 2), np.float32)
    glasses[2] = 0.8  # dark lens
    assert glasses_probability(glasses, kind)[0, 0] == pytest.approx(gone)
    glasses[1], glasses[2] = 0.9, 0.0  # clear lens
    assert glasses_probability(glasses, kind)[0, 0] == 0


def test_generator_input_is_zero_where_deleted():
    strip = np.full((128, 256, 3), 200, np.uint8)
    mask = np.zeros((128, 256), np.uint8)
    mask[BAR] = 255
    channels = generator_input(strip, mask, landmarks_at((127.5, 104), 104))
    assert channels.shape == (1, 5, 128, 256) and channels.dtype == np.float32
    assert channels[0, :3][:, mask > 0].max() == 0 and channels[0, :3][:, mask == 0].min() == pytest.approx(200 / 255)
    assert set(np.unique(channels[0, 3])) == {0.0, 1.0} and channels[0, 3].sum() == (mask > 0).sum()
    assert channels[0, 4].max() > 0.5 and channels[0, 4, 30:60, 70:110].max() > 0.5  # an eye is drawn there


def test_generate_changes_a_copy_and_only_where_it_should():
    frame, faces = Delete(deleter())(picture_of(), (face_at(),))
    before = frame.image.copy()
    generator = ScriptedNetwork(lambda inputs: {"strip_filled": np.array(inputs["strip"][:, :3])})
    after, (face,) = Generate(generator)(frame, faces)
    assert after.original is frame.image and after.image is not frame.image
    np.testing.assert_array_equal(frame.image, before)
    changed = (after.image != before).any(2)
    assert 0.003 < changed.mean() < 0.05
    assert changed[:150].sum() == 0 and changed[320:].sum() == 0
    assert (face.crop[40:168][BAR] != faces[0].crop[40:168][BAR]).any()


def test_a_filling_is_steadied_where_it_trembles_and_follows_where_it_moves():
    rng, filling = np.random.default_rng(0), Filling()
    base = rng.integers(60, 200, (128, 256, 3))
    shown = []
    for _ in range(40):
        noisy = np.clip(base + rng.normal(0, 3, base.shape), 0, 255).astype(np.uint8)
        shown.append(filling.steadied(noisy.copy()).astype(float))
    assert np.std(shown[10:], axis=0).mean() < 0.75 * 3
    assert np.abs(np.mean(shown[10:], axis=0) - base).mean() < 1.5
    turned = np.roll(base, 40, axis=1).astype(np.uint8)
    left = np.abs(filling.steadied(turned.copy()).astype(int) - turned)
    assert np.median(left) == 0 and left.mean() < 1
