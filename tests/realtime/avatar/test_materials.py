"""Colours and textures of avatar files, looked up where the renderer will look them up."""

import numpy as np
import pytest

from realtime.avatar.avatar import load_avatar
from realtime.avatar.materials import srgb
from realtime.errors import AvatarError
from tests.realtime.avatar.files import egg, painted, write_egg

RED, GREEN, BLUE, CLEAR = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (10, 20, 30, 0)
QUARTERS = np.kron(np.array([[0, 1], [2, 3]]), np.ones((32, 32), int))
PICTURE = np.array([RED, GREEN, BLUE, CLEAR], np.uint8)[QUARTERS]


def seen(avatar, rows):
    """(n, 4) what the texture shows at these vertices."""
    height, width = avatar.texture.shape[:2]
    at = np.clip((avatar.uv[rows] * [width, height]).astype(int), 0, [width - 1, height - 1])
    return avatar.texture[at[:, 1], at[:, 0]]


def quarter(uv):
    """(n,) which quarter of PICTURE each (n, 2) uv is in, and (n,) whether it is well inside."""
    turns = np.mod(uv, 1)
    return (turns[:, 1] > 0.5) * 2 + (turns[:, 0] > 0.5), (np.abs(np.mod(uv, 0.5) - 0.25) < 0.2).all(1)


def load(tmp_path, edit):
    return load_avatar(write_egg(tmp_path / "egg.glb", edit=edit))


def test_a_texture_lies_where_its_uv_says(tmp_path):
    avatar = load(tmp_path, lambda d, b: painted(b, d, PICTURE))
    where, sure = quarter(egg()[3])
    expected = np.array([RED, GREEN, BLUE, (10, 20, 30, 255)])[where]  # opaque: its alpha is not asked for
    np.testing.assert_array_equal(seen(avatar, sure), expected[sure])
    assert avatar.solid == len(avatar.triangles) and not avatar.texture.flags.writeable


def test_textures_repeat_and_move(tmp_path):
    moved = {"offset": [0.25, -0.5], "scale": [2, 1.5], "rotation": 0.0}

    def edit(document, buffer):
        painted(buffer, document, PICTURE)
        texture = document["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
        texture["extensions"] = {"KHR_texture_transform": moved}

    where, sure = quarter(egg()[3] * [2, 1.5] + [0.25, -0.5])
    expected = np.array([RED, GREEN, BLUE, (10, 20, 30, 255)])[where]
    np.testing.assert_array_equal(seen(load(tmp_path, edit), sure), expected[sure])


def test_a_clamped_texture_keeps_its_border(tmp_path):
    def edit(document, buffer):
        painted(buffer, document, PICTURE)
        document["samplers"] = [{"wrapS": 33071, "wrapT": 33071}]
        document["textures"][0]["sampler"] = 0
        texture = document["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
        texture["extensions"] = {"KHR_texture_transform": {"offset": [3.0, 0.0]}}

    where, sure = quarter(np.column_stack([np.full(len(egg()[3]), 0.75), egg()[3][:, 1]]))
    expected = np.array([RED, GREEN, BLUE, (10, 20, 30, 255)])[where]
    np.testing.assert_array_equal(seen(load(tmp_path, edit), sure), expected[sure])


def test_factors_are_linear_and_multiply(tmp_path):
    def edit(document, buffer):
        painted(buffer, document, np.full((8, 8, 3), 200, np.uint8))
        document["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"] = [0.5, 1.0, 0.25, 1.0]

    expected = np.round(200 * srgb(np.array([0.5, 1.0, 0.25])))
    assert np.abs(seen(load(tmp_path, edit), slice(0, 5))[:, :3] - expected).max() <= 1


def test_vertex_colours_show_where_there_is_no_texture(tmp_path):
    count = len(egg()[0])

    def edit(document, buffer):
        colours = np.zeros((count, 4), "<u1")
        colours[:, 0], colours[:, 3] = 128, 255
        attributes = document["meshes"][0]["primitives"][0]["attributes"]
        attributes["COLOR_0"] = buffer.accessor(colours, normalized=True)

    avatar = load(tmp_path, edit)
    assert not seen(avatar, slice(None))[:, 3].any()
    np.testing.assert_allclose(avatar.colours, np.tile(srgb(np.array([128 / 255, 0, 0])), (count, 1)), atol=1e-5)


@pytest.mark.parametrize(("mode", "cutoff"), [("MASK", 0.5), ("MASK", 0.1), ("BLEND", None)])
def test_what_is_clear_is_cut_out(tmp_path, mode, cutoff):
    def edit(document, buffer):
        painted(buffer, document, PICTURE, alphaMode=mode, doubleSided=True, **({} if cutoff is None else
                {"alphaCutoff": cutoff}))  # fmt: skip

    avatar = load(tmp_path, edit)
    where, sure = quarter(egg()[3])
    np.testing.assert_array_equal(seen(avatar, sure)[:, 3], np.where(where[sure] == 3, 0, 255))
    assert avatar.solid == 0 and len(avatar.triangles) == 2 * len(egg()[1])  # both sides
    rotation = np.eye(3)
    normals = avatar.pose(np.zeros(52), rotation)[1]
    assert (normals * egg()[2]).sum(1).min() > 0.9  # backs do not cancel fronts


def test_a_picture_that_cannot_be_read_is_named(tmp_path):
    def edit(document, buffer):
        painted(buffer, document, PICTURE)
        document["images"] = [{"bufferView": buffer.view(b"no picture"), "mimeType": "image/ktx2"}]

    with pytest.raises(AvatarError, match=r"picture 0 \(image/ktx2\) cannot be read"):
        load(tmp_path, edit)
