"""Coefficients, blendshapes, pictures and meshes on disk."""

import csv
import resource
import tracemalloc
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.errors import SinkError
from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import SLICES
from realtime.frame import Face, Frame, Glasses
from realtime.sinks.base import Shot
from realtime.sinks.blendshapes import BlendshapesSink
from realtime.sinks.coefficients import CoefficientsSink
from realtime.sinks.mesh import AnimationSink, MeshSink
from realtime.sinks.names import output_path
from realtime.sinks.pictures import PicturesSink, write_picture
from realtime.sinks.rows import ROW

IMAGE = np.zeros((6, 8, 3), np.uint8)


def face(track: int, seed: int, size: float = 10.0, **changes) -> Face:
    random = np.random.default_rng(seed)
    return Face(
        track,
        np.array([0, 0, size, size], np.float32),
        random.random((68, 2), np.float32),
        confidence=0.75,
        glasses=Glasses.DARK,
        glasses_confidence=0.5,
        coefficients=random.random(239, np.float32),
    ).with_(**changes)


def shot(index: int, *faces: Face) -> Shot:
    frame = Frame(IMAGE, index, index * 40, Fraction(1, 1000))
    return Shot(frame, frame, faces)


def test_coefficients(tmp_path):
    path = tmp_path / "deep" / "clip_coefficients.npz"
    sink = CoefficientsSink(path)
    sink.write(shot(0, face(1, 10), face(2, 20)))
    sink.write(shot(1))
    sink.write(shot(2, face(2, 22), face(3, 30, coefficients=None)))
    sink.close()
    assert sink.paths == (path,) and list(path.parent.iterdir()) == [path]
    with np.load(path) as arrays:
        assert arrays["frame"].tolist() == [0, 0, 2] and arrays["face"].tolist() == [1, 2, 2]
        assert arrays["time"].tolist() == [0.0, 0.0, 0.08]
        expected = np.array([face(1, 10).coefficients, face(2, 20).coefficients, face(2, 22).coefficients])
        assert np.array_equal(arrays["coefficients"], expected)
        assert np.array_equal(arrays["pose"], expected[:, SLICES["pose"]])
        assert arrays["pose_names"].tolist() == ["pitch", "yaw", "roll", "scale", "x", "y"]
        assert arrays["landmarks"].shape == (3, 68, 2) and arrays["confidence"].tolist() == [0.75] * 3
        assert arrays["glasses"].tolist() == [2, 2, 2] and arrays["glasses_confidence"].tolist() == [0.5] * 3


def test_coefficients_of_nobody_are_an_empty_table(tmp_path):
    sink = CoefficientsSink(tmp_path / "a.npz")
    sink.write(shot(0))
    sink.close()
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["coefficients"].shape == (0, 239) and arrays["pose"].shape == (0, 6)


def test_memory_stays_flat_over_ten_thousand_frames(tmp_path):
    sinks = [CoefficientsSink(tmp_path / "a.npz"), BlendshapesSink(tmp_path / "a.csv")]
    one = face(1, 1)
    tracemalloc.start()
    for index in range(10_000):
        for sink in sinks[: 2 if index % 20 == 0 else 1]:
            sink.write(shot(index, one))
    _, peak = tracemalloc.get_traced_memory()
    for sink in sinks:
        sink.close()
    tracemalloc.stop()
    assert peak < 2 * 2**20
    assert (tmp_path / "a.npz").stat().st_size > 10_000 * ROW.itemsize
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["frame"].tolist() == list(range(10_000))


def test_blendshapes(tmp_path):
    sink = BlendshapesSink(tmp_path / "clip_blendshapes.csv")
    known = face(4, 1)
    known.coefficients[SLICES["expression"]][:3] = (0.25, 1.5, -0.5)
    sink.write(shot(3, known, face(5, 2, coefficients=None)))
    sink.close()
    with open(tmp_path / "clip_blendshapes.csv", newline="") as file:
        header, row = csv.reader(file)
    assert header == ["time", "frame", "face", *ARKIT_NAMES] and len(header) == 55
    assert row[:6] == ["0.120000", "3", "4", "0.25000", "1.00000", "0.00000"]


def test_a_full_disk_keeps_the_rows(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    sink = CoefficientsSink(tmp_path / "a.npz")
    resource.setrlimit(resource.RLIMIT_FSIZE, (50 * ROW.itemsize + 5, limits[1]))
    try:
        with pytest.raises(SinkError, match=r"a\.npz: writing failed behind 50 rows"):
            for index in range(100):
                sink.write(shot(index, face(1, index)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    sink.close()
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["frame"].tolist() == list(range(50))


@pytest.mark.parametrize("make", [CoefficientsSink, BlendshapesSink])
def test_unwritable_tables(tmp_path, make):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="a file stands where a folder is needed"):
        make(tmp_path / "file" / "a.npz")


def test_pictures_keep_their_names(tmp_path):
    names = ["b.JPG", "a.png", "c.gif"]
    sink = PicturesSink(tmp_path / "out", names.__getitem__)
    colour = np.full((6, 8, 3), (200, 100, 50), np.uint8)
    for index in range(3):
        frame = Frame(colour, index)
        sink.write(Shot(frame, frame, ()))
    sink.close()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.JPG", "c.png"]
    assert cv2.imread(str(tmp_path / "out" / "a.png"))[0, 0].tolist() == [50, 100, 200]
    assert sink.paths == (tmp_path / "out",)


def test_pictures_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be made"):
        PicturesSink(tmp_path / "file" / "out", str)
    with pytest.raises(SinkError, match="a file stands where a folder is needed"):
        write_picture(tmp_path / "file" / "a.png", IMAGE)


def test_a_mesh_of_the_first_or_of_a_chosen_frame(tmp_path):
    written = []

    def write(path, coefficients, texture):
        written.append((coefficients[0], texture))
        path.write_text("mesh")
        path.with_suffix(".mtl").write_text(f"of {path.name}")

    first, chosen = MeshSink(tmp_path / "first.obj", write), MeshSink(tmp_path / "chosen.ply", write, frame=2)
    texture = np.zeros((4, 4, 4), np.uint8)
    for index in range(4):
        faces = (face(1, 5 * index), face(2, 5 * index + 1, size=20.0, texture=texture)) if index else ()
        for sink in (first, chosen):
            sink.write(shot(index, *faces))
    for sink in (first, chosen):
        sink.close()
    assert [value for value, _ in written] == [face(2, 6).coefficients[0], face(2, 11).coefficients[0]]
    assert all(given is texture for _, given in written)
    assert first.paths == (tmp_path / "first.obj",) and (tmp_path / "chosen.ply").read_text() == "mesh"
    assert (tmp_path / "first.mtl").read_text() == "of first.obj"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chosen.mtl", "chosen.ply", "first.mtl", "first.obj"]


def test_an_animation_follows_one_face(tmp_path):
    written = {}

    def write(path, times, coefficients, texture):
        written.update(times=times, coefficients=coefficients, texture=texture)
        path.write_text("glb")

    sink = AnimationSink(tmp_path / "clip.glb", write)
    sink.write(shot(0))
    sink.write(shot(1, face(7, 1, size=30.0), face(8, 2)))
    sink.write(shot(2, face(8, 3, size=90.0)))
    sink.write(shot(3, face(7, 4), face(8, 5, size=90.0)))
    sink.close()
    assert written["times"].tolist() == [0.04, 0.12]
    assert np.array_equal(written["coefficients"], [face(7, 1).coefficients, face(7, 4).coefficients])
    assert list(tmp_path.iterdir()) == [tmp_path / "clip.glb"]


def test_an_animation_of_nobody_is_no_file(tmp_path):
    sink = AnimationSink(tmp_path / "clip.glb", lambda *_: None)
    sink.write(shot(0))
    sink.close()
    assert sink.paths == () and list(tmp_path.iterdir()) == []


def test_names_share_a_stem():
    folder = Path("out")
    assert output_path(folder, "clip", "noglasses") == folder / "clip_noglasses.mp4"
    assert output_path(folder, "my.clip", "noglasses", ".mov") == folder / "my.clip_noglasses.mov"
    assert output_path(folder, "my.clip", "animation", ".glb") == folder / "my.clip.glb"
