"""Avatars are placed, turned and moved as the face they stand for, whatever their file's axes, unit and bones."""

import numpy as np
import pytest

from realtime.avatar.avatar import gaze, load_avatar
from realtime.avatar.placement import RIGHT_ANGLES, reference_centres
from realtime.face.coefficients import rotation_matrix
from realtime.face.model import load_face_model
from realtime.face.regions import FaceRegion
from tests.realtime.avatar.files import NAMES, dents, egg, weights, write_egg
from tests.realtime.avatar.test_names import STYLES

STILL = np.eye(3)
LIDS = ("eyeBlinkLeft", "eyeBlinkRight")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return load_avatar(write_egg(tmp_path_factory.mktemp("egg") / "egg.glb"))


def posed(avatar, rotation=STILL, **named):
    return avatar.pose(weights(**named), rotation)[0]


def test_a_file_in_our_axes_lies_where_our_face_does(plain):
    vertices, *_ = egg()
    np.testing.assert_allclose(plain.vertices, vertices, atol=12.0)  # mm: its dents are no exact copies of our shapes
    assert plain.names == tuple(name for name in reference_centres() if name in NAMES)


@pytest.mark.parametrize("turn", range(0, 24, 5))
@pytest.mark.parametrize("unit", [1e-3, 1.0, 0.04])
def test_axes_and_unit_of_the_file_do_not_matter(plain, tmp_path, turn, unit):
    rotation = RIGHT_ANGLES[turn]
    other = load_avatar(write_egg(tmp_path / "egg.glb", change=lambda v: (v * unit) @ rotation.T + unit * 70))
    for named in ({}, {"jawOpen": 1.0}, {"eyeBlinkLeft": 0.5, "mouthPucker": 1.0}):
        np.testing.assert_allclose(posed(other, **named), posed(plain, **named), atol=0.02)


@pytest.mark.parametrize("style", STYLES)
def test_every_naming_style_moves_the_same(plain, tmp_path, style):
    other = load_avatar(write_egg(tmp_path / "egg.glb", labels=STYLES[style]))
    np.testing.assert_allclose(posed(other, eyeBlinkLeft=1, jawOpen=0.3), posed(plain, eyeBlinkLeft=1, jawOpen=0.3),
                               atol=1e-4)  # fmt: skip


def test_names_in_the_primitives_extras_and_dead_weights(plain, tmp_path):
    def edit(document, _):
        mesh = document["meshes"][0]
        mesh["primitives"][0]["extras"] = mesh.pop("extras")
        mesh["primitives"][0]["extras"]["targetNames"][NAMES.index("jawOpen")] = "gape"
        mesh["weights"] = [0.5] * len(NAMES)

    other = load_avatar(write_egg(tmp_path / "egg.glb", edit=edit))
    assert "jawOpen" not in other.names
    expected = posed(plain, jawOpen=0.5)  # what nobody moves stays as the file has it, what we move starts at rest
    np.testing.assert_allclose(np.ptp(posed(other), axis=0), np.ptp(expected, axis=0), rtol=0.02)
    moved = np.linalg.norm(posed(other) - posed(plain), axis=1)
    assert moved[np.argmax(np.linalg.norm(expected - posed(plain), axis=1))] > 2


def test_shapes_move_by_their_weight(plain):
    step = dents(egg()[0])["jawOpen"]
    for weight in (0.25, 1.0):
        moved = posed(plain, jawOpen=weight) - posed(plain)
        np.testing.assert_allclose(moved, weight * step, atol=0.7 * weight)
    assert np.linalg.norm(posed(plain, jawOpen=1) - posed(plain), axis=1).max() > 4


@pytest.mark.parametrize("angles", [(0.3, 0, 0), (0, -0.6, 0), (0.1, 0.4, -0.5)])
def test_the_whole_turns_about_the_point_between_the_eyes(plain, angles):
    rotation = rotation_matrix(*angles)
    vertices, normals = plain.pose(weights(jawOpen=0.5), rotation)
    resting, upright = plain.pose(weights(jawOpen=0.5), STILL)
    np.testing.assert_allclose(vertices, resting @ rotation.T, atol=1e-3)
    np.testing.assert_allclose(normals, upright @ rotation.T, atol=2e-3)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4)


def skinned(document, buffer, root_turn=None):
    """The egg on two bones: Neck below y = -90 mm, Head above; Head's node stands at (0, -90, -50) mm."""
    vertices = egg()[0]
    low = vertices[:, 1] < -90
    joints = np.zeros((len(vertices), 4), "<u2")
    joints[:, 0] = np.where(low, 0, 1)
    shares = np.tile(np.array([1, 0, 0, 0], "<f4"), (len(vertices), 1))
    document["meshes"][0]["primitives"][0]["attributes"] |= {
        "JOINTS_0": buffer.accessor(joints), "WEIGHTS_0": buffer.accessor(shares),
    }  # fmt: skip
    bind = np.tile(np.eye(4, dtype="<f4"), (2, 1, 1))
    bind[:, :3, 3] = [[0, 0.09, 0.05], [0, 0.09, 0.05]]
    where = buffer.accessor(bind.swapaxes(1, 2).reshape(32))
    buffer.accessors[where] |= {"type": "MAT4", "count": 2}
    document["nodes"] = [
        {"name": "Wolf_Head_mesh", "mesh": 0, "skin": 0, "translation": [5, 5, 5]},  # a skinned mesh's node is ignored
        {"name": "Armature", "children": [2], **({"rotation": root_turn} if root_turn else {})},
        {"name": "Neck", "translation": [0, -0.09, -0.05], "children": [3]}, {"name": "Head"},
    ]
    document["scenes"][0]["nodes"] = [0, 1]
    document["skins"] = [{"joints": [2, 3], "inverseBindMatrices": where}]


def test_only_what_hangs_on_the_head_bone_turns(tmp_path, plain):
    avatar = load_avatar(write_egg(tmp_path / "egg.glb", edit=skinned))
    np.testing.assert_allclose(avatar.vertices, plain.vertices, atol=1e-2)
    assert avatar.head is not None
    np.testing.assert_allclose(avatar.head.pivot, [0, -90, -50], atol=7)
    rotation = rotation_matrix(0.2, 0.5, 0.1)
    turned = posed(avatar, rotation)
    low = egg()[0][:, 1] < -90
    head, neck = turned[~low], turned[low]
    np.testing.assert_allclose(head, avatar.vertices[~low] @ rotation.T, atol=1e-2)  # the point between the eyes stays
    shift = neck - avatar.vertices[low]
    np.testing.assert_allclose(shift, np.tile(shift[0], (len(shift), 1)), atol=1e-2)  # the body only moves along


def test_a_turned_armature_turns_its_mesh(tmp_path, plain):
    half = np.sqrt(0.5)
    avatar = load_avatar(
        write_egg(tmp_path / "egg.glb", edit=lambda d, b: skinned(d, b, [half, 0.0, 0.0, half]))
    )  # fmt: skip
    np.testing.assert_allclose(posed(avatar, jawOpen=1), posed(plain, jawOpen=1), atol=0.02)


def test_a_mirrored_node_still_faces_outwards(tmp_path, plain):
    avatar = load_avatar(write_egg(
        tmp_path / "egg.glb", change=lambda v: v / 1000 * [-1, 1, 1], node={"scale": [-1, 1, 1]}
    ))  # fmt: skip
    np.testing.assert_allclose(avatar.vertices, plain.vertices, atol=1e-2)
    np.testing.assert_array_equal(avatar.triangles, plain.triangles[:, ::-1])


def with_eyes(document, buffer, looks=False):
    """A ball of 3 vertices on a node LeftEye, 35 mm beside the middle."""
    corners = np.array([[0, 0, 0.012], [0.005, 0, 0.01], [0, 0.005, 0.01]], "<f4")
    attributes = {"POSITION": buffer.accessor(corners, bounds=True)}
    eye = {"attributes": attributes, "indices": buffer.accessor(np.array([0, 1, 2], "<u2"))}
    mesh = {"primitives": [eye]}
    if looks:
        eye["targets"] = [{"POSITION": buffer.accessor(np.full((3, 3), 0.004, "<f4"), bounds=True)}]
        mesh["extras"] = {"targetNames": ["eyeLookOutLeft"]}
    document["meshes"].append(mesh)
    document["nodes"] = [{"name": "Head", "mesh": 0, "children": [1]},
                         {"name": "eye.L", "mesh": 1, "translation": [0.035, 0.0, 0.02]}]  # fmt: skip


def test_eyes_turn_about_their_own_middle_and_with_the_head(tmp_path):
    avatar = load_avatar(write_egg(tmp_path / "egg.glb", edit=with_eyes))
    left, right = avatar.eyes
    assert right is None and left is not None and len(left.rows) == 3
    resting = avatar.vertices[-3:] - left.pivot
    turned = posed(avatar, eyeLookOutLeft=1)[-3:] - left.pivot
    out = rotation_matrix(0, np.radians(32), 0)
    np.testing.assert_allclose(turned, resting @ out.T, atol=1e-3)
    assert turned[0, 0] > 5  # mm towards the subject's left
    head = rotation_matrix(0.1, 0.5, 0.2)
    both = posed(avatar, head, eyeLookOutLeft=1)[-3:]
    np.testing.assert_allclose(both, posed(avatar, eyeLookOutLeft=1)[-3:] @ head.T, atol=1e-2)


def test_eyes_that_shapes_turn_are_not_turned_twice(tmp_path):
    avatar = load_avatar(write_egg(tmp_path / "egg.glb", edit=lambda d, b: with_eyes(d, b, looks=True)))
    assert avatar.eyes == (None, None) and "eyeLookOutLeft" in avatar.names
    moved = posed(avatar, eyeLookOutLeft=1)[-3:] - posed(avatar)[-3:]
    np.testing.assert_allclose(moved, np.full((3, 3), 4.0), rtol=0.1)


@pytest.mark.parametrize("side", ["Left", "Right"])
@pytest.mark.parametrize("way", ["In", "Out", "Up", "Down"])
def test_the_gaze_is_that_of_our_own_eyeballs(side, way):
    model = load_face_model("live")
    ball = model.regions == (FaceRegion.L_EYE if side == "Left" else FaceRegion.R_EYE)
    resting = model.mean[ball].astype(np.float64)
    shape = model.expression.reshape(64, -1, 3)[model.expression_names.index(f"eyeLook{way}{side}")]
    turned = resting + shape[ball]
    rotation = gaze(weights(**{f"eyeLook{way}{side}": 1.0}))[side == "Right"]
    np.testing.assert_allclose((resting - resting.mean(0)) @ rotation.T, turned - turned.mean(0), atol=0.1)


def vrm(version):
    """Presets and one perfect-sync clip, binding the egg's nameless targets."""
    binds = {name: k for k, name in enumerate(NAMES)}

    def edit(document, _):
        document["meshes"][0].pop("extras")
        if version == 0:
            groups = [{"name": name, "presetName": "unknown", "binds": [{"mesh": 0, "index": k, "weight": 100}]}
                      for name, k in binds.items()]  # fmt: skip
            groups.append({"name": "A", "presetName": "a", "binds": [{"mesh": 0, "index": 0, "weight": 100}]})
            document["extensions"] = {"VRM": {"blendShapeMaster": {"blendShapeGroups": groups},
                                              "humanoid": {"humanBones": [{"bone": "head", "node": 0}]}}}  # fmt: skip
        else:
            custom = {name[0].upper() + name[1:]: {"morphTargetBinds": [{"node": 0, "index": k, "weight": 1.0}]}
                      for name, k in binds.items()}  # fmt: skip
            document["extensions"] = {"VRMC_vrm": {
                "expressions": {"custom": custom, "preset": {"happy": {}}},
                "humanoid": {"humanBones": {"head": {"node": 0}}}}}  # fmt: skip

    return edit


@pytest.mark.parametrize("version", [0, 1])
def test_vrm_perfect_sync(plain, tmp_path, version):
    avatar = load_avatar(write_egg(tmp_path / "egg.vrm", edit=vrm(version)))
    assert avatar.names == plain.names and avatar.head is not None
    np.testing.assert_allclose(posed(avatar, jawOpen=1, browInnerUp=0.5), posed(plain, jawOpen=1, browInnerUp=0.5),
                               atol=1e-3)  # fmt: skip


def test_vrm_presets_stand_in(tmp_path):
    def edit(document, _):
        document["meshes"][0].pop("extras")
        groups = [{"name": label, "presetName": label, "binds": [{"mesh": 0, "index": NAMES.index(name), "weight": 50}]}
                  for label, name in (("a", "jawOpen"), ("blink_l", LIDS[0]), ("blink_r", LIDS[1]))]  # fmt: skip
        document["extensions"] = {"VRM": {"blendShapeMaster": {"blendShapeGroups": groups}}}

    avatar = load_avatar(write_egg(tmp_path / "egg.vrm", edit=edit))
    assert set(avatar.names) == {"jawOpen", *LIDS}
    moved = np.linalg.norm(posed(avatar, jawOpen=1) - posed(avatar), axis=1).max()
    assert moved > 0 and np.linalg.norm(posed(avatar, eyeBlinkLeft=1) - posed(avatar), axis=1).max() > 0


def test_strips_and_fans_are_triangles_too(tmp_path):
    def edit(document, buffer):
        for mode, corners in ((5, [0, 1, 2, 3, 4]), (6, [0, 1, 2, 3])):
            more = dict(document["meshes"][0]["primitives"][0]) | {
                "mode": mode, "indices": buffer.accessor(np.array(corners, "<u2")),
            }  # fmt: skip
            more.pop("targets")
            document["meshes"].append({"primitives": [more]})
        document["nodes"] += [{"mesh": 1}, {"mesh": 2}]
        document["scenes"][0]["nodes"] = [0, 1, 2]

    avatar = load_avatar(write_egg(tmp_path / "egg.glb", edit=edit))
    count = len(egg()[0])
    last = avatar.triangles[-5:]
    np.testing.assert_array_equal(last[:3] - count, [[0, 1, 2], [1, 3, 2], [2, 3, 4]])
    np.testing.assert_array_equal(last[3:] - 2 * count, [[1, 2, 0], [2, 3, 0]])
