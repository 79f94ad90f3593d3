"""Eyeglasses from OBJ and GLB files, whatever their axes and units."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from engines.networks.classes import Region
from tools.factory.glasses import front_points, sample_design, wear_design
from tools.factory.head import pose_head
from tools.factory.lens_guess import names_a_lens
from tools.factory.scanned import load_scanned
from tools.factory.seat import sit
from tools.factory.wear import wear


@pytest.fixture(scope="module")
def meshes(model, frontal):
    """A procedural pair: (vertices, triangles) of frame and lenses in millimetres of the head."""
    rng = np.random.default_rng(0)
    design = sample_design(rng, "square", "clear")
    worn = wear_design(design, sit(pose_head(model, frontal).shape, front_points(design), rng))
    return [(m.vertices, m.triangles) for m in (worn.frame, worn.lenses)]


def write_obj(path, meshes) -> None:
    """Metres, z up, the front towards -y, lenses by the opacity of their material."""
    lines, start = ["mtllib pair.mtl"], 1
    for (vertices, triangles), material in zip(meshes, ("shell", "pane"), strict=True):
        lines.append(f"usemtl {material}")
        lines += ["v {:.6f} {:.6f} {:.6f}".format(*(np.array([x, -z, y]) / 1000)) for x, y, z in vertices]
        lines += ["f {} {} {}".format(*(triangle + start)) for triangle in triangles]
        start += len(vertices)
    path.write_text("\n".join(lines))
    path.with_name("pair.mtl").write_text("newmtl shell\nd 1.0\nnewmtl pane\nd 0.2\n")


def write_glb(path, meshes) -> None:
    """Centimetres under a scaled node, lenses by their blend mode."""
    binary, views, accessors, primitives = b"", [], [], []
    for number, (vertices, triangles) in enumerate(meshes):
        for array, kind, shape in (
            (vertices.astype("<f4"), 5126, "VEC3"),
            (triangles.astype("<u4"), 5125, "SCALAR"),
        ):
            views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": array.nbytes})
            count = len(array) if shape == "VEC3" else array.size
            accessors.append({"bufferView": len(views) - 1, "componentType": kind, "count": count, "type": shape})
            binary += array.tobytes()
        at = len(accessors)
        primitives.append({"attributes": {"POSITION": at - 2}, "indices": at - 1, "material": number})
    scene = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "scale": [0.1, 0.1, 0.1], "translation": [3, 2, 1]}],
        "meshes": [{"primitives": primitives}],
        "materials": [{"name": "shell"}, {"name": "pane", "alphaMode": "BLEND"}],
        "buffers": [{"byteLength": len(binary)}], "bufferViews": views,
        "accessors": accessors,
    }  # fmt: skip
    text = json.dumps(scene).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(binary))
    chunks = [(text, b"JSON"), (binary, b"BIN\0")]
    path.write_bytes(head + b"".join(struct.pack("<I4s", len(c), kind) + c for c, kind in chunks))


@pytest.mark.parametrize("write", [write_obj, write_glb])
def test_files_are_read_upright_and_worn(tmp_path, model, frontal, plain_crop, meshes, write):
    write(tmp_path / f"pair.{'obj' if write is write_obj else 'glb'}", meshes)
    (pair,) = load_scanned(tmp_path)
    assert len(pair.frame.triangles) == len(meshes[0][1]) and len(pair.lenses.triangles) == len(meshes[1][1])
    assert np.ptp(pair.frame.vertices[:, 0]) == pytest.approx(140, abs=0.5)
    assert pair.lenses.vertices[:, 2].min() > -25  # lenses in front, temples behind
    assert pair.frame.vertices[:, 2].min() < -80
    sample = wear(plain_crop, frontal, np.random.default_rng(1), model=model, scanned=[pair], unusual=0.0)
    assert sample.family == "pair"
    assert (sample.labels == Region.FRAME).sum() > 200
    assert np.isin(sample.labels[102:118, [92, 163]], (Region.CLEAR_LENS, Region.DARK_LENS, Region.GLARE)).any()


def test_lenses_are_found_by_their_shape_when_names_mislead(tmp_path, meshes):
    write_obj(tmp_path / "pair.obj", meshes)
    text = (tmp_path / "pair.obj").read_text()
    for name in ("shell", "pane"):
        text = text.replace(f"usemtl {name}", "usemtl Glass")
    (tmp_path / "pair.obj").write_text(text)
    (tmp_path / "pair.mtl").unlink()
    (pair,) = load_scanned(tmp_path)
    assert len(pair.lenses.triangles) == len(meshes[1][1])


@pytest.mark.parametrize(("name", "lens"), [
    ("Lens_L", True), ("glass", True), ("Glass.001", True),
    ("frame_glass", False), ("Sunglasses", False), ("rims", False),
])  # fmt: skip
def test_names_of_lenses(name, lens):
    assert names_a_lens(name) is lens


def test_a_folder_without_models_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"neither \.obj nor \.glb"):
        load_scanned(tmp_path)


def test_a_broken_line_is_named(tmp_path):
    (tmp_path / "x.obj").write_text("v 0 0 0\nv 1 zero 0\n")
    with pytest.raises(ValueError, match=r"x\.obj, line 2"):
        load_scanned(tmp_path)
