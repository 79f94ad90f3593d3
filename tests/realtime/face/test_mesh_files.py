"""Mesh files: what is written is what the face is, and other programs accept it."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.face.blendshapes import ARKIT_NAMES, blendshapes, expression_from
from realtime.face.coefficients import COUNT, SLICES, rotation_matrix
from realtime.face.export import head_rotations, write_animation, write_mesh
from realtime.face.glb import quaternion
from realtime.face.model import FaceModel, load_face_model
from tests.realtime.npm import validate


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_face_model("live")


@pytest.fixture(scope="module")
def smiling() -> np.ndarray:
    y = np.zeros(COUNT, np.float32)
    y[:80] = np.random.default_rng(0).standard_normal(80)
    y[SLICES["expression"]] = expression_from({"mouthSmileLeft": 0.8, "mouthSmileRight": 0.7, "jawOpen": 0.3})
    y[SLICES["pose"]] = [0.1, -0.3, 0.05, 1.5, 120, 130]
    return y


def talking(person: np.ndarray, frames: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rows = np.repeat(person[None], frames, axis=0)
    rows[:, SLICES["expression"]][:, ARKIT_NAMES.index("jawOpen")] = np.linspace(0, 0.8, frames)
    rows[:, SLICES["pose"].start + 1] = np.linspace(-0.4, 0.4, frames)
    return np.arange(frames) / 25 + 3.0, rows


def read_glb(path: Path) -> tuple[dict, bytes]:
    raw = path.read_bytes()
    magic, version, total = struct.unpack_from("<4sII", raw)
    assert magic == b"glTF" and version == 2 and total == len(raw)
    (length,) = struct.unpack_from("<I", raw, 12)
    return json.loads(raw[20 : 20 + length]), raw[28 + length :]


def test_glb_names_its_morphs_and_counts_metres(model: FaceModel, smiling: np.ndarray, tmp_path: Path) -> None:
    write_mesh(model, tmp_path / "face.glb", smiling)
    document, chunk = read_glb(tmp_path / "face.glb")
    mesh = document["meshes"][0]
    assert mesh["extras"]["targetNames"] == list(ARKIT_NAMES)
    assert mesh["weights"] == pytest.approx(list(blendshapes(smiling).values()))
    position = document["accessors"][mesh["primitives"][0]["attributes"]["POSITION"]]
    start = document["bufferViews"][position["bufferView"]]["byteOffset"]
    stored = np.frombuffer(chunk, "<f4", position["count"] * 3, start).reshape(-1, 3)
    neutral = smiling.copy()
    neutral[SLICES["expression"]] = 0
    np.testing.assert_allclose(stored * 1000, model.vertices(neutral), atol=1e-3)
    assert 0.15 < np.ptp(stored[:, 1]) < 0.45


def test_head_rotations_are_the_pose(smiling: np.ndarray) -> None:
    x, y, z, w = head_rotations(smiling[None])[0]
    rotation = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    np.testing.assert_allclose(rotation, rotation_matrix(*smiling[233:236]), atol=1e-6)


def test_quaternions_turn_the_short_way() -> None:
    q = quaternion(np.array([[0, 0, 0, 1], [0, 0, 0, -1], [0, 0.1, 0, 1], [0, -0.1, 0, -1]]))
    assert np.all((q[1:] * q[:-1]).sum(1) > 0)


def test_the_animation_plays_the_coefficients(model: FaceModel, smiling: np.ndarray, tmp_path: Path) -> None:
    times, rows = talking(smiling)
    times[5] = times[4]  # a frame that does not advance is left out
    write_animation(model, tmp_path / "talk.glb", times, rows)
    document, chunk = read_glb(tmp_path / "talk.glb")
    channels = {c["target"]["path"]: c["sampler"] for c in document["animations"][0]["channels"]}
    samplers, accessors = document["animations"][0]["samplers"], document["accessors"]
    assert set(channels) == {"weights", "rotation"}
    weights = accessors[samplers[channels["weights"]]["output"]]
    assert weights["count"] == 11 * len(ARKIT_NAMES)
    start = document["bufferViews"][weights["bufferView"]]["byteOffset"]
    played = np.frombuffer(chunk, "<f4", weights["count"], start).reshape(11, -1)
    opening = np.delete(np.linspace(0, 0.8, 12), 5)
    np.testing.assert_allclose(played[:, ARKIT_NAMES.index("jawOpen")], opening, atol=1e-6)
    seconds = accessors[samplers[0]["input"]]
    assert seconds["min"] == [0.0] and seconds["max"][0] == pytest.approx(11 / 25)


def test_an_animation_without_frames_is_refused(model: FaceModel, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no frame"):
        write_animation(model, tmp_path / "none.glb", np.zeros(0), np.zeros((0, COUNT), np.float32))


def test_khronos_validator_finds_no_error(
    model: FaceModel, smiling: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("validator")
    write_mesh(model, folder / "still.glb", smiling)
    seen = np.full((256, 256, 4), 128, np.uint8)
    write_animation(model, folder / "moving.glb", *talking(smiling), seen)
    for report in validate(folder, folder / "still.glb", folder / "moving.glb"):
        assert report["errors"] == 0 and report["warnings"] == 0, report


def test_obj_brings_its_material_and_texture(model: FaceModel, smiling: np.ndarray, tmp_path: Path) -> None:
    live = np.zeros((256, 256, 4), np.uint8)
    live[100:150, 100:150] = (10, 200, 30, 255)
    write_mesh(model, tmp_path / "face.obj", smiling, live)
    lines = (tmp_path / "face.obj").read_text().splitlines()
    kinds = {kind: [line.split()[1:] for line in lines if line.startswith(f"{kind} ")] for kind in ("v", "vt", "f")}
    assert len(kinds["v"]) == len(kinds["vt"]) == len(model.mean) and len(kinds["f"]) == len(model.triangles)
    rotation = rotation_matrix(*smiling[233:236])
    np.testing.assert_allclose(np.array(kinds["v"], float), model.vertices(smiling) @ rotation.T, atol=2e-3)
    assert float(kinds["vt"][0][1]) == pytest.approx(1 - model.uv[0, 1], abs=1e-5)
    assert "map_Kd face.png" in (tmp_path / "face.mtl").read_text()
    picture = cv2.imread(str(tmp_path / "face.png"))[..., ::-1]
    np.testing.assert_array_equal(picture[250, 250], (10, 200, 30))


def test_ply_holds_vertices_normals_and_colours(model: FaceModel, smiling: np.ndarray, tmp_path: Path) -> None:
    write_mesh(model, tmp_path / "face.ply", smiling)
    header, body = (tmp_path / "face.ply").read_bytes().split(b"end_header\n", 1)
    assert f"element vertex {len(model.mean)}\n".encode() in header
    assert len(body) == len(model.mean) * 27 + len(model.triangles) * 13
    first = np.frombuffer(body, "<f4", 3)
    np.testing.assert_allclose(first, rotation_matrix(*smiling[233:236]) @ model.vertices(smiling)[0], atol=1e-3)


def test_another_ending_is_refused(model: FaceModel, smiling: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.obj, \.ply, \.glb"):
        write_mesh(model, tmp_path / "face.fbx", smiling)


def test_blendshapes_are_clamped_and_named() -> None:
    y = np.zeros(COUNT, np.float32)
    y[SLICES["expression"]] = 2.0
    shapes = blendshapes(y)
    assert tuple(shapes) == ARKIT_NAMES and set(shapes.values()) == {1.0}
    assert len(ARKIT_NAMES) == 52 and ARKIT_NAMES[51] == "tongueOut" and ARKIT_NAMES[17] == "jawOpen"
    with pytest.raises(KeyError, match="jawOpened"):
        expression_from({"jawOpened": 1.0})
