"""Whose face a photograph shows, as dlib's recogniser says it; runs where dlib, its model and photographs are."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tools import identity_labels
from tools.photos import annotations

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def recogniser():
    pytest.importorskip("dlib", reason="dlib is not installed: it is needed to label identities only")
    models = find_spec("face_recognition_models")
    if models is None or models.origin is None:
        pytest.skip("the package face_recognition_models is not installed")
    if not (DATA / "faces" / "helen.csv").exists():
        pytest.skip("the photographs (../shared/data) are not here")
    return Path(models.origin).parent / "models" / "dlib_face_recognition_resnet_model_v1.dat"


def test_a_face_is_liker_to_itself_than_to_others(recogniser):
    labels = annotations(DATA)
    names = list(labels)[:3]
    said = [identity_labels.describe(DATA, recogniser, (name, labels[name].points)) for name in names]
    moved = identity_labels.describe(DATA, recogniser, (names[0], labels[names[0]].points * 1.01 + 2))
    assert [name for name, _ in said] == names
    features = np.stack([feature for _, feature in said]).astype(np.float32)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=2e-3)
    likeness = features @ moved[1].astype(np.float32)
    assert likeness[0] > 0.97 and likeness[0] > likeness[1:].max() + 0.02


def test_the_file_lists_every_marked_photograph(recogniser, tmp_path, monkeypatch):
    labels = dict(list(annotations(DATA).items())[:2])
    monkeypatch.setattr(identity_labels, "annotations", lambda data, files: labels)
    out = tmp_path / "identities.npz"
    asked = ["--data", str(DATA), "--recogniser", str(recogniser), "--points", "none.npz", "--out", str(out)]
    assert identity_labels.main([*asked, "--workers", "1"]) == 0
    with np.load(out) as arrays:
        assert arrays["names"].tolist() == list(labels) and arrays["features"].shape == (2, 128)
