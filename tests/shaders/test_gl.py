"""OpenGL against the software renderer, and the manners of a guest in somebody's context."""

import threading

import numpy as np
import pytest

from shaders import Draw, Mode, RenderError, Topology
from tests.shaders.scenes import smooth_picture, sphere

pytestmark = pytest.mark.gl

LIGHT = np.array([2.2, 0.6, 0.9, -0.5, 0.2, 0.1, 0.25, -0.2, 0.15], np.float32)


@pytest.fixture(scope="module")
def crowded_scene():
    """topology, frame and draws: a bumpy sphere with everything a draw can have, and one that leaves the picture."""
    vertices, triangles, normals, uv = sphere(rings=97)
    bumps = (1 + 0.05 * np.sin(9 * normals[:, 0]) * np.sin(7 * normals[:, 1]))[:, None]
    vertices = ((vertices - (160, 120, 0)) * bumps + (160, 120, 0)).astype(np.float32)
    texture = smooth_picture((256, 256, 4), seed=11)
    scalar = normals[:, 1] * 0.5 + 0.5
    first = Draw(vertices, normals, normals * 0.5 + 0.5, texture, LIGHT, scalar)
    second = Draw(vertices * np.float32(0.6) + np.float32([150, 90, 0]), normals, light=LIGHT, scalar=scalar)
    return Topology(triangles, uv), smooth_picture((240, 320, 3), seed=12), [first, second]


@pytest.mark.parametrize("mode", list(Mode))
def test_opengl_and_software_draw_the_same_picture(crowded_scene, gl_renderer, software_renderer, mode):
    """The stated tolerance: no more than 4 of 255 anywhere but on 0.02 % of the pixels, 0.5 on average."""
    topology, frame, draws = crowded_scene
    by_gl = gl_renderer(topology).draw(frame, draws, mode)
    in_software = software_renderer(topology).draw(frame, draws, mode)
    error = np.abs(by_gl.astype(int) - in_software).max(-1)
    assert (error > 4).sum() <= 0.0002 * error.size and error.mean() < 0.5


@pytest.mark.parametrize("mode", [Mode.TEXTURED, Mode.SHADED, Mode.DEPTH])
def test_multisampling_differs_at_edges_only(crowded_scene, gl_renderer, software_renderer, mode):
    topology, frame, draws = crowded_scene
    error = np.abs(
        gl_renderer(topology, samples=4).draw(frame, draws, mode).astype(int)
        - software_renderer(topology).draw(frame, draws, mode)
    ).max(-1)
    assert (error > 4).mean() < 0.03 and error.mean() < 0.7


def test_large_boxes_are_drawn_in_parts_without_seams(crowded_scene, gl_renderer, monkeypatch):
    topology, frame, draws = crowded_scene
    whole = gl_renderer(topology).draw(frame, draws, Mode.TEXTURED)
    monkeypatch.setattr("shaders.gl.TILE", 50)
    error = np.abs(gl_renderer(topology).draw(frame, draws, Mode.TEXTURED).astype(int) - whole).max(-1)
    assert (error > 2).sum() <= 10  # a part is rasterised from its own corner: a tie may fall the other way


def test_a_guest_leaves_the_context_as_it_was(crowded_scene, gl_context, gl_renderer):
    topology, frame, draws = crowded_scene
    theirs = gl_context.framebuffer([gl_context.renderbuffer((32, 32), 4)])
    theirs.use()
    gl_context.front_face = "ccw"
    renderer = gl_renderer(topology)
    renderer.draw(frame, draws, Mode.TEXTURED)
    assert gl_context.fbo is theirs and gl_context.front_face == "ccw"
    renderer.close()
    theirs.clear(1.0, 0.0, 0.0, 1.0)
    assert theirs.read(components=3) == bytes([255, 0, 0]) * 1024  # still theirs, still alive


def test_its_own_context_and_another_live_side_by_side(crowded_scene, gl_context_static):
    from shaders.gl import GLRenderer

    topology, frame, draws = crowded_scene
    own, pictures = GLRenderer((320, 240), topology), []
    for _ in range(2):
        with gl_context_static as theirs:
            pictures.append(GLRenderer((320, 240), topology, theirs).draw(frame, draws, Mode.SHADED))
            assert theirs.error == "GL_NO_ERROR"
        pictures.append(own.draw(frame, draws, Mode.SHADED))
    own.close()
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)
    with gl_context_static as theirs:
        assert theirs.buffer(b"abcd").read() == b"abcd" and theirs.error == "GL_NO_ERROR"


def test_another_thread_is_told_so(crowded_scene, gl_renderer):
    topology, frame, draws = crowded_scene
    renderer, raised = gl_renderer(topology), []

    def draw():
        try:
            renderer.draw(frame, draws, Mode.SHADED)
        except RenderError as why:
            raised.append(str(why))

    thread = threading.Thread(target=draw)
    thread.start()
    thread.join()
    assert raised and "thread" in raised[0]


def test_a_renderer_lives_on_whatever_thread_made_it(crowded_scene, gl_context_static, software_renderer):
    from shaders.gl import GLRenderer

    topology, frame, draws = crowded_scene
    pictures = []

    def render_thread():
        renderer = GLRenderer((320, 240), topology)
        pictures.append(renderer.draw(frame, draws, Mode.SHADED))
        renderer.close()

    thread = threading.Thread(target=render_thread)
    thread.start()
    thread.join()
    expected = software_renderer(topology).draw(frame, draws, Mode.SHADED)
    assert np.abs(pictures[0].astype(int) - expected).mean() < 0.7


def test_memory_stays_flat_over_many_sizes(crowded_scene, gl_renderer):
    topology, frame, draws = crowded_scene
    renderer = gl_renderer(topology)
    for size in range(20, 60):
        renderer.draw(np.zeros((size * 4, size * 5, 3), np.uint8), draws, Mode.SHADED)
    largest = renderer._target._size
    renderer.draw(frame[:40, :40], draws, Mode.SHADED)
    assert renderer._target._size == largest  # grown once, kept
