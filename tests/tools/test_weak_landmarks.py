"""Weak landmarks: dlib's predictor asked for jittered and mirrored boxes; runs where dlib and the photographs are."""

from pathlib import Path

import numpy as np
import pytest

from tools import weak_landmarks
from tools.photos import Photographs, hand_annotations

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    """A predictor that learnt two of Helen's faces by heart."""
    dlib = pytest.importorskip("dlib", reason="dlib is not installed: it is needed to mark photographs only")
    if not (DATA / "faces" / "helen.csv").exists():
        pytest.skip("the photographs (../shared/data) are not here")
    photos, labels = Photographs(DATA), hand_annotations(DATA)
    detector = dlib.get_frontal_face_detector()
    images, truth, names = [], [], []
    for photo in photos.of_set("helen", "train"):
        image = photos.read(photo)
        found = detector(image, 0)
        if len(found) == 1:
            points = [dlib.point(round(float(x)), round(float(y))) for x, y in labels[photo.name].points]
            images.append(image)
            truth.append([dlib.full_object_detection(found[0], points)])
            names.append(photo.name)
        if len(names) == 2:
            break
    options = dlib.shape_predictor_training_options()
    options.tree_depth, options.cascade_depth, options.num_trees_per_cascade_level = 2, 6, 40
    options.oversampling_amount, options.num_test_splits, options.be_verbose = 20, 10, False
    path = tmp_path_factory.mktemp("dlib") / "predictor.dat"
    dlib.train_shape_predictor(images, truth, options).save(str(path))
    return path, names


def test_known_faces_are_marked(predictor, tmp_path):
    path, names = predictor
    name, points, score, spread = weak_landmarks.mark(DATA, path, names[0])
    truth = hand_annotations(DATA)[names[0]].points
    apart = np.linalg.norm(truth[36] - truth[45])
    assert name == names[0] and score > 0 and 0 < spread < 0.2
    assert np.linalg.norm(points - truth, axis=1).mean() < 0.12 * apart


def test_a_set_without_faces_is_said(predictor, tmp_path, capsys):
    path, _ = predictor
    arguments = ["--data", str(DATA), "--predictor", str(path), "--out", str(tmp_path / "w.npz"), "--sets", "none"]
    assert weak_landmarks.main(arguments) == 1
    assert "no face in none" in capsys.readouterr().err
