"""Which renderer a machine gets, and what it is told."""

import logging
import subprocess
import sys

import numpy as np
import pytest

from shaders import Draw, GLUnavailable, Mode, RenderError, Topology, open_renderer
from shaders.context import explain

SQUARE = Topology(np.array([[0, 2, 1], [1, 2, 3]]), np.zeros((4, 2)))
DRAW = Draw(
    np.array([[2, 2, 0], [12, 2, 0], [2, 12, 0], [12, 12, 0]], np.float32), np.tile(np.float32([0, 0, 1]), (4, 1))
)
NO_LIBRARY = {"GLCONTEXT_LINUX_LIBEGL": "libEGL-is-not-here.so", "PATH": "/usr/bin:/bin"}


@pytest.mark.gl
def test_opengl_is_taken_where_it_can_be_had(gl_context_static, caplog):
    renderer = open_renderer((16, 16), SQUARE)
    assert renderer.name.startswith("OpenGL") and not caplog.records
    assert renderer.draw(None, [DRAW], Mode.SHADED)[7, 7].all()
    renderer.close()


def test_without_opengl_the_software_renderer_takes_over_and_says_so_once(monkeypatch, caplog):
    def no_context():
        raise GLUnavailable(explain(Exception("libEGL.so.1 not loaded")))

    monkeypatch.setattr("shaders.gl.open_context", no_context)
    with caplog.at_level(logging.INFO):
        renderer = open_renderer((16, 16), SQUARE)
        for _ in range(3):
            assert renderer.draw(None, [DRAW], Mode.SHADED)[7, 7].all()
    assert renderer.name == "software" and len(caplog.records) == 1
    message = caplog.records[0].getMessage()
    assert "\n" not in message and "libEGL.so.1 not loaded" in message and "apt install libegl1 libgl1" in message


@pytest.mark.gl
@pytest.mark.parametrize(("maker", "expected"), [("llvmpipe (LLVM 15)", "software"), ("NVIDIA H100", "OpenGL")])
def test_a_gpu_that_is_none_is_not_taken_for_one(gl_context_static, monkeypatch, caplog, maker, expected):
    monkeypatch.setattr("shaders.gl.is_software", lambda context: "llvmpipe" in maker)
    with caplog.at_level(logging.INFO):
        renderer = open_renderer((16, 16), SQUARE, prefer=("gpu", "software"))
    assert renderer.name.startswith(expected)
    assert [record.levelname for record in caplog.records] == (["INFO"] if expected == "software" else [])
    assert renderer.draw(None, [DRAW], Mode.SHADED)[7, 7].all()
    renderer.close()


def test_a_renderer_that_was_demanded_is_not_replaced(monkeypatch):
    monkeypatch.setattr("shaders.gl.open_context", lambda: (_ for _ in ()).throw(GLUnavailable("no OpenGL here")))
    with pytest.raises(RenderError, match="no OpenGL here"):
        open_renderer((16, 16), SQUARE, prefer=("gl",))
    assert open_renderer((16, 16), SQUARE, prefer=("software",)).name == "software"
    with pytest.raises(ValueError, match="vulkan"):
        open_renderer((16, 16), SQUARE, prefer=("vulkan",))


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], env=NO_LIBRARY | environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL is Linux's")
def test_a_library_that_is_really_missing_is_one_clear_line():
    stdout = run_python(
        "from shaders.context import open_context\nfrom shaders import GLUnavailable\n"
        "try: open_context()\nexcept GLUnavailable as why: print(why)"
    )
    assert stdout.count("\n") == 1 and "no OpenGL 3.3 context" in stdout and "apt install libegl1 libgl1" in stdout


def test_the_software_renderer_needs_neither_moderngl_nor_torch():
    stdout = run_python(
        "import sys; from shaders import Topology, open_renderer; import numpy as np\n"
        "open_renderer((8, 8), Topology(np.zeros((0, 3)), np.zeros((1, 2))), prefer=('software',))\n"
        "print([name for name in ('moderngl', 'glcontext', 'torch') if name in sys.modules])"
    )
    assert stdout.strip() == "[]"
