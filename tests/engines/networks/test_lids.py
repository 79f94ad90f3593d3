"""The lids' network: its shapes, and what ships against hand-made points, where the photographs are."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines import open_network
from realtime.eye_picture import HEIGHT, WIDTH, eye_picture, normalised
from tools.photos import Photographs, hand_annotations

DATA = Path(__file__).parents[4] / "shared" / "data"
MM_APART = 88.0  # of the outer eye corners


def test_what_it_says_is_a_gap():
    torch = pytest.importorskip("torch")
    from engines.networks.lids import build

    network = build().eval()
    with torch.no_grad():
        said = network(torch.rand(3, 1, HEIGHT, WIDTH))
    assert said.shape == (3, 1) and (said > 0).all()


def gap(outline: np.ndarray) -> float:
    apart = np.linalg.norm(outline[1] - outline[5]) + np.linalg.norm(outline[2] - outline[4])
    return float(apart / (2 * np.linalg.norm(outline[0] - outline[3])))


def test_it_agrees_with_hand_made_points():
    if not (DATA / "faces" / "helen.csv").exists():
        pytest.skip("the photographs (../shared/data) are not here")
    photos, known = Photographs(DATA), hand_annotations(DATA)
    said, true = [], []
    with open_network("lids", provider="cpu") as network:
        for photo in photos.of_set("helen", "val")[:60]:
            grey = cv2.cvtColor(photos.read(photo), cv2.COLOR_RGB2GRAY)
            points = known[photo.name].points
            across = points[45] - points[36]
            scale, roll = float(np.linalg.norm(across)) / MM_APART, -float(np.arctan2(across[1], across[0]))
            for first in (36, 42):
                outline = points[first : first + 6]
                eye, _ = eye_picture(grey, outline[[0, 3]].mean(0), scale, roll)
                said.append(float(network.run({"eyes": normalised(eye)[None, None]})["gap"].item()))
                true.append(gap(outline))
    assert np.corrcoef(said, true)[0, 1] > 0.75
    assert np.abs(np.array(said) - true).mean() < 0.05
