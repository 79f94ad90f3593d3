"""Shards, sensors, the guess of light and of who wears glasses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tools.factory.cleanliness import looks_bare
from tools.factory.light import estimate_light
from tools.factory.make import Recipe, make_record
from tools.factory.produce import Order, produce
from tools.factory.sensor import sample_sensor
from tools.factory.shards import PER_SHARD, Record, read_shard, write_shard
from tools.factory.sheet import sheet
from tools.factory.wear import wear

from .conftest import DATA


def record_of(sample, points) -> Record:
    return Record(
        sample.image, sample.clean, sample.labels, sample.shadow, int(sample.kind), points,
        np.ones(68, np.float32), sample.coefficients, "set/file", False,
    )  # fmt: skip


def test_a_shard_gives_back_what_was_put_in_and_stays_small(tmp_path, model, frontal, plain_crop):
    points = model.landmarks_of(frontal)
    samples = [wear(plain_crop, frontal, np.random.default_rng(s), model=model) for s in range(3)]
    write_shard(tmp_path / "a.npz", [record_of(s, points) for s in samples])
    back = list(read_shard(tmp_path / "a.npz"))
    for sample, record in zip(samples, back, strict=True):
        assert np.array_equal(record.labels, sample.labels) and record.kind == sample.kind
        assert np.abs(record.image.astype(int) - sample.image).mean() < 1.5
        assert np.abs(record.shadow - sample.shadow).max() <= 0.5 / 255 + 1e-6
        assert np.allclose(record.points, points) and np.allclose(record.coefficients, frontal)
    assert (tmp_path / "a.npz").stat().st_size / 3 * PER_SHARD < 20e6
    assert sheet(back).shape == (512, 2048, 3)


def test_a_file_that_is_no_shard_is_named(tmp_path):
    np.savez(tmp_path / "b.npz", kind=np.zeros(3))
    with pytest.raises(ValueError, match=r"b\.npz: not a shard"):
        next(read_shard(tmp_path / "b.npz"))


def test_the_same_sensor_sees_both_pictures_alike(plain_crop):
    for seed in range(8):
        sensor = sample_sensor(np.random.default_rng(seed))
        other = plain_crop.copy()
        other[100:130, 60:200] = 20
        seen = [sensor(picture).astype(int) for picture in (plain_crop, other)]
        assert np.abs(seen[0] - seen[1])[:70].mean() < 1.0  # far from the change both agree, noise included
        assert np.array_equal(sensor(plain_crop), seen[0])


@pytest.mark.parametrize("direction", [(0.6, 0.3, 0.74), (-0.6, 0.5, 0.62), (0.0, 0.7, 0.71)])
def test_the_light_of_a_face_is_found(direction):
    rng = np.random.default_rng(0)
    normals = rng.standard_normal((2000, 3)) * (1, 1, 0.3) + (0, 0, 0.8)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    linear = 0.35 * (0.3 + 0.7 * np.clip(normals @ direction, 0, 1))
    colours = (linear[:, None] * (1.2, 0.95, 0.85)) ** (1 / 2.2)
    light = estimate_light(colours, normals, rng)
    assert light.key @ direction / np.linalg.norm(direction) > np.cos(np.radians(30))
    assert light.share > 0.4


def test_rims_are_noticed(plain_crop, model, frontal):
    assert looks_bare(plain_crop)
    found = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        found += not looks_bare(wear(plain_crop, frontal, rng, family="square", model=model, unusual=0.0).image)
    assert found >= 5


def test_a_number_and_a_seed_make_one_picture(model, subjects):
    recipe = Recipe(seed=4, synthetic=0.5)
    for number in range(3):
        first, second = (make_record(number, recipe, subjects, model) for _ in range(2))
        assert np.array_equal(first.image, second.image) and first.source == second.source
        assert first.image.shape == (256, 256, 3) and first.labels.max() <= 255


def test_synthetic_heads_carry_exact_coefficients(model, subjects):
    record = make_record(0, Recipe(seed=6, synthetic=1.0, bare=1.0, sensor=False), subjects, model)
    assert record.synthetic and np.isfinite(record.coefficients[:144]).all()
    assert np.isfinite(record.coefficients[224:]).all()
    assert np.abs(model.landmarks_of(np.nan_to_num(record.coefficients)) - record.points).max() < 1e-3


def test_finished_shards_are_kept(tmp_path, subjects):
    order = Order(DATA, "val", Recipe(seed=1), ("helen", "aaf"))
    produce(order, tmp_path, 2, 1)
    path = tmp_path / "val-0000.npz"
    before = path.stat().st_mtime_ns
    assert len(list(itertools.islice(read_shard(path), 5))) == 2
    produce(order, tmp_path, 2, 1)
    assert path.stat().st_mtime_ns == before
