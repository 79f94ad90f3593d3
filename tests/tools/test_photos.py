"""Reading photographs and their labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime.align import MIRROR
from tests.tools.photographs import mean_face, write_photographs
from tools.photos import POINTS_49, Photographs, annotations, completed, decode, weak_annotations


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_photographs(tmp_path)
    return tmp_path


def test_index_and_pictures(data: Path) -> None:
    photos = Photographs(data)
    assert [photo.file for photo in photos.of_set("helen", "val")] == ["4.webp", "5.webp"]
    assert photos.of_set("celeba") == []
    assert len(photos.index) == 18
    image = photos.read("helen/0.webp")
    assert image.shape == (160, 160, 3) and image.dtype == np.uint8
    middle = image[80, 60]
    assert middle[0] > middle[2] + 30, "RGB, skin is red"


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"faces.*--data"):
        Photographs(tmp_path)


def test_garbage_is_no_picture() -> None:
    with pytest.raises(ValueError, match=r"helen/x.webp"):
        decode(b"no picture", "helen/x.webp")


def test_mirroring_twice_changes_nothing_and_swaps_the_eyes() -> None:
    assert np.array_equal(MIRROR[MIRROR], np.arange(68))
    assert MIRROR[36] == 45 and MIRROR[48] == 54 and MIRROR[8] == 8 and MIRROR[0] == 16
    face = mean_face()
    assert np.abs(face[MIRROR] * [-1, 1] - face).max() < 1e-6, "a symmetric face is its own mirror image"


def test_missing_points_follow_the_mean_shape() -> None:
    turned = mean_face() @ np.array([[0.9, 0.3], [-0.3, 0.9]]) * 50 + 100
    assert np.abs(completed(turned[POINTS_49], mean_face()) - turned).max() < 1e-3


def test_weak_jaws_fill_what_hand_made_labels_lack(data: Path, tmp_path: Path) -> None:
    hand = annotations(data)
    assert (hand["aaf/0.webp"].weight[:17] == 0).all() and (hand["helen/0.webp"].weight == 1).all()
    guess = np.stack([hand["aaf/0.webp"].points + 1.0, hand["aaf/1.webp"].points + 60.0, hand["aaf/2.webp"].points])
    weak = tmp_path / "weak.npz"
    np.savez(weak, names=["aaf/0.webp", "aaf/1.webp", "celeba/7.webp"], points=guess, score=[1.0, 1.0, 0.2])
    merged = annotations(data, [weak], 0.25)
    assert np.allclose(merged["aaf/0.webp"].points[:17], guess[0][:17])
    assert np.allclose(merged["aaf/0.webp"].points[17], hand["aaf/0.webp"].points[17])
    assert merged["aaf/0.webp"].weight[0] == 0.25 and merged["aaf/0.webp"].weight[30] == 1
    assert merged["aaf/1.webp"].weight[0] == 0, "a label of some other face is not used"
    assert set(weak_annotations([weak], 0.25, score=0.5)) == {"aaf/0.webp", "aaf/1.webp"}
