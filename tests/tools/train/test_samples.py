import numpy as np
import pytest

from engines.networks.classes import Region
from tests.tools.train.hand_made import drawn, write_shard
from tools.train.samples import Samples
from tools.train.shards import RenderedFaces


def test_pictures_come_back_as_written(tmp_path):
    write_shard(tmp_path / "a.npz", 4, seed=3)
    write_shard(tmp_path / "b.npz", 2, seed=4)
    samples = Samples(tmp_path)
    assert len(samples) == 6
    rng = np.random.default_rng(4)
    for row, kind in ((4, 0), (5, 1)):  # the two of the second shard
        for name, picture in drawn(rng, kind).items():
            np.testing.assert_array_equal(samples[row].picture(name), picture)
        assert samples[row].value("kind") == kind
    assert samples.values("kind").tolist() == [0, 1, 2, 0, 0, 1]
    assert (samples[5].picture("labels") == Region.FRAME).sum() > 500


def test_an_empty_folder_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"tools\.factory"):
        Samples(tmp_path)
    write_shard(tmp_path / "a.npz", 1)
    with pytest.raises(IndexError):
        Samples(tmp_path)[1]


def test_what_lies_beside_the_shards_is_no_shard(tmp_path):
    write_shard(tmp_path / "a.npz", 3)
    np.savez(tmp_path / "removed.npz", codes=np.zeros(0, np.uint8), offsets=np.zeros(4, int))
    assert len(Samples(tmp_path)) == 3
    image, points, weight = RenderedFaces(tmp_path).draw(np.random.default_rng(0))
    assert image.shape == (256, 256, 3) and points.shape == (68, 2) and weight.shape == (68,)
