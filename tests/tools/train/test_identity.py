"""Who a face is, in training: labels of a teacher, pairs of looks, and the recogniser that is distilled from it."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from engines.networks import coefficients  # noqa: E402
from tests.tools.photographs import write_photographs  # noqa: E402
from tests.tools.train.hand_made import totals_while_learning, write_shard  # noqa: E402
from tools.train import losses, recogniser  # noqa: E402
from tools.train.identity import FREE, frozen_recogniser, identity_terms, read_off_features  # noqa: E402
from tools.train.people import IdentityLabels, People  # noqa: E402
from tools.train.regression_rows import Known, stacked  # noqa: E402
from tools.train.samples import Samples  # noqa: E402
from tools.train.trainer import Options, train  # noqa: E402

pytestmark = pytest.mark.train
NAMES = [f"{folder}/{k}.webp" for folder in ("helen", "aaf") for k in range(6)] + [f"drawn/{k}" for k in range(6)]


@pytest.fixture
def options(tmp_path):
    write_photographs(tmp_path)
    write_shard(tmp_path / "train" / "a.npz", 6)
    features = np.random.default_rng(3).normal(0.5, 1, (len(NAMES), 128)).astype(np.float16)
    np.savez(tmp_path / "identities.npz", names=np.array(NAMES), features=features)
    return Options(tmp_path, tmp_path / "out", 1, shards=tmp_path / "train", identities=tmp_path / "identities.npz")


def test_labels_are_directions_about_the_mean_of_all_people(options):
    labels = IdentityLabels(options.identities)
    known = np.stack([labels[name] for name in NAMES])
    assert known.shape == (18, 128) and "helen/9.webp" not in labels
    np.testing.assert_allclose(np.linalg.norm(known, axis=1), 1, rtol=1e-5)
    assert abs(float((known @ known.T)[np.triu_indices(18, 1)].mean())) < 0.1  # no common part is left


def test_people_are_crops_of_one_split(options):
    labels = IdentityLabels(options.identities)
    train_people = People(options.data, (), labels, "train", options.out)
    val_people = People(options.data, (), labels, "val", options.out)
    assert (len(train_people), len(val_people)) == (8, 4)
    crop, points = val_people.crop(1)
    assert crop.shape == (128, 128, 3) and crop.dtype == np.uint8
    eyes = points[[36, 45]]  # in the 256 crop: level, where every aligned crop has them
    assert abs(eyes[0, 1] - eyes[1, 1]) < 6 and 60 < eyes[1, 0] - eyes[0, 0] < 130
    np.testing.assert_array_equal(val_people.features[1], labels["helen/5.webp"])


def test_pairs_show_one_person_twice(options):
    labels = IdentityLabels(options.identities)
    people = People(options.data, (), labels, "train", options.out)
    known = Known(Samples(options.shards), np.arange(6), labels, people)
    rows = [row for seed in range(12) for row in known.pair(np.random.default_rng(seed))]
    batch = stacked(rows)
    assert batch["crop"].shape == (24, 128, 128, 3) and batch["feature"].shape == (24, 128)
    np.testing.assert_array_equal(batch["feature"][0::2], batch["feature"][1::2])
    assert (np.abs(batch["feature"]).sum(1) > 0).all()
    assert any(np.abs(a.crop.astype(int) - b.crop).mean() > 2 for a, b in zip(rows[0::2], rows[1::2], strict=True))


def test_identity_terms_measure_what_they_say():
    taught = torch.nn.functional.normalize(torch.randn(4, 128, generator=torch.Generator().manual_seed(0)), dim=1)
    people = torch.linalg.qr(torch.randn(80, 80, generator=torch.Generator().manual_seed(1)))[0][:4]
    people = people - people.mean(0)
    same = people.repeat_interleave(2, 0)
    feature = taught.repeat_interleave(2, 0)
    terms = identity_terms(torch.cat([torch.randn(3, 80), same]), torch.cat([torch.zeros(3, 128), feature]), 4)
    assert terms["twins"].item() == pytest.approx(0, abs=1e-5)
    moved = same.clone()
    moved[1::2] += 0.5 * torch.roll(people, 1, 0)
    assert identity_terms(moved, feature, 4)["twins"] > 0.3
    assert identity_terms(moved, feature, 4)["contrast"] > terms["contrast"]
    assert "relation" not in identity_terms(same, torch.zeros(8, 128), 4)
    assert identity_terms(same, feature, 1) == {}


def test_relation_loss_is_the_squared_difference_of_cosines():
    said = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    assert losses.relation_loss(said, 3 * said).item() == pytest.approx(0, abs=1e-9)
    taught = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    cosine = 2**-0.5
    expected = (2 * cosine**2 + 0 + 2 * (cosine - 1) ** 2) / 6
    assert losses.relation_loss(said, taught).item() == pytest.approx(expected, rel=1e-5)


def test_the_recogniser_learns_its_teacher_and_serves_equation_9(options):
    options = replace(options, minutes=10)
    task = recogniser.create_task(options)
    task.recipe = replace(task.recipe, batch=8, workers=0, warmup_steps=1, cpu_precision="32-true")
    batch = {key: torch.from_numpy(value) for key, value in task.batch(np.random.default_rng(0)).items()}
    model = task.models()["model"]
    totals = totals_while_learning(task, model, batch, 8, 2e-3)
    assert totals[-1] < 0.8 * totals[0]
    checkpoint = train(task, options, steps=1)
    network = frozen_recogniser(str(checkpoint), "light")
    photo = torch.rand(2, 3, 96, 96, requires_grad=True)
    loss = losses.feature_loss(torch.rand(2, 3, 96, 96), photo, network)
    loss.backward()
    assert photo.grad is not None and photo.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_teacher_is_needed(options):
    with pytest.raises(FileNotFoundError, match="--identities"):
        recogniser.create_task(replace(options, identities=None))


def test_shapes_that_hardly_move_the_face_begin_to_follow_the_features():
    torch.manual_seed(0)
    network = coefficients.build().eval()
    features = functional.normalize(torch.randn(200, 128) * torch.linspace(2, 0.1, 128), dim=1)
    read_off_features(network, features)
    with torch.no_grad():
        said = network(torch.rand(200, 3, 128, 128), features)[:, :80]
    assert (said[:, :FREE] == 0).all() and said.mean(0).abs().max() < 1e-4
    ours, given = (functional.normalize(one - one.mean(0), dim=1) for one in (said, features))
    pairs = torch.triu_indices(200, 200, 1)
    together = torch.corrcoef(torch.stack([(one @ one.T)[pairs[0], pairs[1]] for one in (ours, given)]))[0, 1]
    assert together > 0.9
