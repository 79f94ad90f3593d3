"""The glTF reader: numbers as they were meant, and one clear line for what is broken or not read."""

import base64
import json
import struct

import numpy as np
import pytest

from realtime.avatar.avatar import load_avatar
from realtime.avatar.gltf import read_gltf
from realtime.errors import AvatarError
from realtime.face.glb import pack
from tests.realtime.avatar.files import write_egg


def glb(path, views, accessors, chunk, **more):
    path.write_bytes(pack({"asset": {"version": "2.0"}, "bufferViews": views, "accessors": accessors, **more}, chunk))
    return read_gltf(path)


@pytest.mark.parametrize(
    ("kind", "dtype", "normalized", "expected"),
    [
        (5120, "<i1", True, [-1, 0, 1, -1]), (5121, "<u1", True, [0, 1, 0.2, 0]), (5122, "<i2", True, [-1, 0, 1, -1]),
        (5123, "<u2", False, [7, 65535, 0, 3]), (5125, "<u4", False, [70000, 1, 2, 3]),
        (5126, "<f4", False, [0.5, -2, 9, 1]),
    ],
)  # fmt: skip
def test_components(tmp_path, kind, dtype, normalized, expected):
    stored = {"<i1": [-127, 0, 127, -128], "<u1": [0, 255, 51, 0], "<i2": [-32767, 0, 32767, -32768]}
    chunk = np.array(stored.get(dtype, expected), dtype).tobytes()
    entry = {"bufferView": 0, "componentType": kind, "count": 2, "type": "VEC2", "normalized": normalized}
    found = glb(tmp_path / "a.glb", [{"buffer": 0, "byteLength": len(chunk)}], [entry], chunk).array(0)
    np.testing.assert_allclose(found, np.array(expected).reshape(2, 2), atol=1e-6)


def test_strides_offsets_and_matrices(tmp_path):
    rows = np.arange(32, dtype="<f4")
    view = {"buffer": 0, "byteOffset": 8, "byteLength": 120, "byteStride": 16}
    accessors = [
        {"bufferView": 0, "byteOffset": 4, "componentType": 5126, "count": 3, "type": "VEC2"},
        {"bufferView": 1, "componentType": 5126, "count": 2, "type": "MAT4"},
    ]
    gltf = glb(tmp_path / "a.glb", [view, {"buffer": 0, "byteLength": 128}], accessors, rows.tobytes())
    np.testing.assert_array_equal(gltf.array(0), [[3, 4], [7, 8], [11, 12]])
    np.testing.assert_array_equal(gltf.array(1)[0], np.arange(16).reshape(4, 4).T)


@pytest.mark.parametrize("based", [True, False])
def test_sparse(tmp_path, based):
    base = np.ones((5, 3), "<i2")
    chunk = np.array([1, 3], "<u2").tobytes() + np.array([[9, 8, 7], [-1, -2, -3]], "<i2").tobytes() + base.tobytes()
    views = [{"buffer": 0, "byteLength": 4}, {"buffer": 0, "byteOffset": 4, "byteLength": 12},
             {"buffer": 0, "byteOffset": 16, "byteLength": 30}]  # fmt: skip
    entry = {"componentType": 5122, "count": 5, "type": "VEC3", "sparse": {
        "count": 2, "indices": {"bufferView": 0, "componentType": 5123}, "values": {"bufferView": 1}}}  # fmt: skip
    found = glb(tmp_path / "a.glb", views, [entry | ({"bufferView": 2} if based else {})], chunk).array(0)
    expected = base.copy() if based else np.zeros((5, 3))
    expected[1], expected[3] = (9, 8, 7), (-1, -2, -3)
    np.testing.assert_array_equal(found, expected)


def test_data_in_the_document_itself(tmp_path):
    uri = "data:application/octet-stream;base64," + base64.b64encode(np.array([1, 2], "<f4").tobytes()).decode()
    document = {"asset": {"version": "2.0"}, "buffers": [{"byteLength": 8, "uri": uri}],
                "bufferViews": [{"buffer": 0, "byteLength": 8}],
                "accessors": [{"bufferView": 0, "componentType": 5126, "count": 2, "type": "SCALAR"}]}  # fmt: skip
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 20 + len(text)) + struct.pack("<I4s", len(text), b"JSON")
    (tmp_path / "a.glb").write_bytes(head + text)
    np.testing.assert_array_equal(read_gltf(tmp_path / "a.glb").array(0), [1, 2])


def ring(document, _):
    document["nodes"] = [{"mesh": 0, "children": [1]}, {"children": [0]}]


def corner(document, buffer):
    document["meshes"][0]["primitives"][0]["indices"] = buffer.accessor(np.array([0, 1, 60000], "<u2"))


def elsewhere(document, buffer):
    document["images"] = [{"uri": "skin.png"}]
    document["textures"] = [{"source": 0}]
    document["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
    document["meshes"][0]["primitives"][0]["material"] = 0


BROKEN = {
    "draco": (lambda d, b: d.update(extensionsRequired=["KHR_draco_mesh_compression"]), ["Draco", "without"]),
    "meshopt": (lambda d, b: d.update(extensionsRequired=["EXT_meshopt_compression"]), ["meshoptimizer"]),
    "ktx2": (lambda d, b: d.update(extensionsRequired=["KHR_texture_basisu"]), ["KTX2", "PNG"]),
    "unknown": (lambda d, b: d.update(extensionsRequired=["X_new"]), ["X_new", "not read"]),
    "ring": (ring, ["ring"]),
    "corner": (corner, ["vertex 60000"]),
    "no names": (lambda d, b: d["meshes"][0].pop("extras"), ["ARKit", "targetNames"]),
    "no mesh": (lambda d, b: d["nodes"][0].pop("mesh"), ["no mesh"]),
    "elsewhere": (elsewhere, ["another file", "skin.png"]),
    "no accessor": (lambda d, b: b.accessors.pop(), ["broken"]),
    "huge": (lambda d, b: b.accessors[0].update(count=10**12), ["broken", "elements"]),
    "not finite": (lambda d, b: b.chunk.__setitem__(slice(0, 4), struct.pack("<f", np.nan)), ["not finite"]),
    "wrong kind": (lambda d, b: d.update(nodes={"0": 1}), ["broken"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_one_line(tmp_path, name):
    edit, words = BROKEN[name]
    path = write_egg(tmp_path / "broken.glb", edit=edit)
    with pytest.raises(AvatarError) as raised:
        load_avatar(path)
    said = str(raised.value)
    assert said.startswith(str(path)) and "\n" not in said and all(word in said for word in words), said


@pytest.mark.parametrize("kept", [0, 3, 11, 15, 400, -1])
def test_files_cut_short(tmp_path, kept):
    whole = write_egg(tmp_path / "egg.glb").read_bytes()
    (tmp_path / "egg.glb").write_bytes(whole[:kept])
    with pytest.raises(AvatarError, match=r"egg\.glb: (broken|is no binary glTF)"):
        load_avatar(tmp_path / "egg.glb")


@pytest.mark.parametrize("seed", range(40))
def test_damage_anywhere_is_an_avatar_error_or_harmless(tmp_path, seed):
    random = np.random.default_rng(seed)
    raw = bytearray(write_egg(tmp_path / "egg.glb").read_bytes())
    (length,) = struct.unpack_from("<I", raw, 12)
    for _ in range(3):  # in the JSON, where structure is
        raw[20 + int(random.integers(length))] = int(random.choice(list(b'0123456789-{}[],:"ae')))
    (tmp_path / "egg.glb").write_bytes(raw)
    try:
        load_avatar(tmp_path / "egg.glb")
    except AvatarError as said:
        assert "\n" not in str(said)


def test_other_files(tmp_path):
    with pytest.raises(AvatarError, match="cannot be read: no such file"):
        load_avatar(tmp_path / "none.glb")
    (tmp_path / "a.gltf").write_text('{"asset": {"version": "2.0"}}')
    with pytest.raises(AvatarError, match="binary glTF"):
        load_avatar(tmp_path / "a.gltf")
    (tmp_path / "a.glb").write_bytes(struct.pack("<4sII", b"glTF", 1, 12))
    with pytest.raises(AvatarError, match="glTF 1 is not read"):
        load_avatar(tmp_path / "a.glb")
