"""The avatar that ships: small, valid, made anew byte for byte, and it does what a face does."""

import time
from pathlib import Path

import numpy as np
import pytest

from realtime.avatar.drawer import AvatarDrawer, draw_of, find_avatar
from realtime.avatar.gltf import read_gltf
from realtime.face.blendshapes import ARKIT_NAMES, expression_from
from realtime.face.coefficients import COUNT, SLICES
from realtime.frame import Face
from tests.realtime.npm import validate
from tools.make_avatar import OUT, build

PLACE = (320, 230, 1.5)


def face(angles=(0, 0, 0), place=PLACE, **named):
    y = np.zeros(COUNT, np.float32)
    y[SLICES["expression"]] = expression_from(named)
    y[SLICES["pose"]] = [*angles, place[2], place[0], place[1]]
    return Face(1, np.zeros(4, np.float32), np.zeros((68, 2), np.float32), coefficients=y)


@pytest.fixture(scope="module")
def drawer():
    drawer = AvatarDrawer("default", "#00ff00", ("software",))
    yield drawer
    drawer.close()


@pytest.fixture(scope="module")
def draw(drawer):
    blank = np.zeros((480, 640, 3), np.uint8)
    return lambda *args, **named: drawer.draw(blank, (face(*args, **named),)).astype(int)


def test_it_is_small_and_has_every_shape(drawer):
    assert OUT.stat().st_size <= 700 * 1024
    avatar = drawer.load()
    assert avatar.names == ARKIT_NAMES
    assert avatar.head is not None and all(eye is not None for eye in avatar.eyes)
    moved = np.abs(avatar.shapes).reshape(52, -1).max(1)
    assert moved.min() > 1.0, dict(zip(ARKIT_NAMES, moved, strict=True))  # mm


def test_it_is_made_the_same_every_time(tmp_path):
    for name in ("once.glb", "again.glb"):
        build(tmp_path / name)
    assert (tmp_path / "once.glb").read_bytes() == (tmp_path / "again.glb").read_bytes()
    made, shipped = read_gltf(tmp_path / "once.glb"), read_gltf(OUT)
    assert made.list_of("nodes") == shipped.list_of("nodes")
    for number in range(len(shipped.list_of("accessors"))):  # another processor may round the last bit the other way
        apart = np.abs(made.array(number).astype(float) - shipped.array(number))
        assert apart.max() <= 1 and apart.mean() < 1e-3


def test_khronos_validator_finds_no_error(tmp_path):
    (report,) = validate(tmp_path, OUT)
    assert report["errors"] == 0 and report["warnings"] == 0, report["messages"]


def test_an_open_jaw_shows_the_mouths_inside(draw):
    closed, opened = draw(), draw(jawOpen=1.0)
    changed = np.abs(opened - closed).max(-1) > 40
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 1500
    assert 260 < np.median(rows) < 420 and abs(np.median(columns) - PLACE[0]) < 20
    dark = opened.sum(-1) < 240
    assert dark[300:400, 280:360].sum() > (closed.sum(-1) < 240)[300:400, 280:360].sum() + 300


def test_blinks_close_one_eye_or_both(draw):
    def white(picture, side):
        part = picture[190:270, slice(330, 460) if side else slice(180, 310)]
        return int(((part.min(-1) > 120) & (np.ptp(part, axis=-1) < 30)).sum())

    opened, left, both = draw(), draw(eyeBlinkLeft=1.0), draw(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    assert white(opened, 0) > 150 and white(opened, 1) > 150
    assert white(left, 1) < 0.05 * white(opened, 1) and white(left, 0) > 0.9 * white(opened, 0)
    assert white(both, 0) < 0.05 * white(opened, 0) and white(both, 1) < 0.05 * white(opened, 1)


def iris(picture):
    """Mean column of the dark pixels of the left eye."""
    part = picture[215:255, 345:430].sum(-1) < 150
    return np.nonzero(part)[1].mean()


def test_eyes_turn(draw):
    out, into = draw(eyeLookOutLeft=1.0), draw(eyeLookInLeft=1.0)
    assert iris(out) - iris(into) > 12  # px; the subject's left is on the picture's right


@pytest.mark.parametrize(("angles", "along"), [((0, 0.5, 0), (1, 0)), ((0, -0.5, 0), (-1, 0)), ((0.4, 0, 0), (0, 1)),
                                               ((-0.4, 0, 0), (0, -1))])  # fmt: skip
def test_the_head_turns_as_the_pose_does(drawer, angles, along):
    avatar = drawer.load()
    tip = int(np.argmax(avatar.vertices[:, 2]))  # the nose
    moved = draw_of(avatar, face(angles)).vertices[tip] - draw_of(avatar, face()).vertices[tip]
    assert moved[:2] @ along > 15  # px


def test_it_stands_where_the_face_does_and_as_large(draw):
    def box(picture):
        rows, columns = np.nonzero((picture != [0, 255, 0]).any(-1))
        return np.array([columns.min(), rows.min(), columns.max(), rows.max()])

    near, far = box(draw(place=(320, 240, 0.8))), box(draw(place=(300, 200, 0.4)))
    np.testing.assert_allclose(np.diff(far.reshape(2, 2), axis=0), np.diff(near.reshape(2, 2), axis=0) / 2, atol=2)
    np.testing.assert_allclose(far - [300, 200] * 2, (near - [320, 240] * 2) / 2, atol=2)


@pytest.mark.gl
def test_gl_and_software_draw_it_alike(gl_context, drawer):
    blank = np.full((480, 640, 3), 120, np.uint8)
    gl = AvatarDrawer("default", "original", ("gl",), gl_context)
    software = AvatarDrawer("default", "original", ("software",))
    for angles, named in (((0, 0, 0), {}), ((0.2, -0.5, 0.1), {"jawOpen": 0.8, "mouthSmileLeft": 1.0})):
        one, other = (each.draw(blank, (face(angles, **named),)).astype(int) for each in (gl, software))
        apart = np.abs(one - other).max(-1)
        assert (apart > 4).mean() < 0.001 and apart.mean() < 0.1
    gl.close()


def test_posing_takes_little_time(drawer):
    avatar, busy = drawer.load(), face(**{name: 0.5 for name in ARKIT_NAMES})
    draw_of(avatar, busy)
    taken = []
    for _ in range(15):
        start = time.thread_time()
        draw_of(avatar, busy)
        taken.append(time.thread_time() - start)
    assert np.median(taken) < 0.015  # s of CPU; 2 ms where nothing else runs


def test_the_default_is_opened_once():
    assert find_avatar("default") is find_avatar("default") and Path(OUT).name == "default.glb"
