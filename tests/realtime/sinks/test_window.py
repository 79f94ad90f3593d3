"""The real window on a virtual screen, with real key events. Skips without Xvfb, xdotool or the extra `window`."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
needs_screen = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Debian's packages xvfb and xdotool"
)
needs_window = pytest.mark.skipif(
    importlib.util.find_spec("imgui_bundle") is None or importlib.util.find_spec("glfw") is None,
    reason="needs the extra `window`",
)

SESSION = """
import json, subprocess, sys, time
import numpy as np
from realtime.sinks.window import open_window
from realtime.sinks.window_controls import Controls

window = open_window("Nakedeye test", (640, 480), Controls(curtain=0.5))
red, blue = np.zeros((2, 480, 640, 3), np.uint8)
red[..., 0], blue[..., 2] = 255, 255

def draw(times):
    for _ in range(times):
        window.show(red, {"fps": 25.0, "locate": 1.5}, before=blue)

draw(3)
shot = window.screenshot()
np.save(sys.argv[1], shot)
seen = []
for key in ("g", "l", "m", "s"):
    subprocess.run(["xdotool", "search", "--name", "Nakedeye test", "key", "--clearmodifiers", key], check=False)
    deadline = time.monotonic() + 3
    events = frozenset()
    while not events and time.monotonic() < deadline:
        draw(1)
        events = window.take_events()
    seen += sorted(events)
controls = window.controls
window.press("quit")
print(json.dumps({"seen": seen, "remove": controls.remove, "landmarks": controls.landmarks, "view": controls.view,
                  "closed": window.closed}))
window.close()
"""


@pytest.fixture
def display():
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as numbers:
        yield f":{numbers.readline().strip()}"
    server.terminate()
    server.wait(10)


@pytest.mark.gl
@needs_screen
@needs_window
def test_keys_switches_curtain_and_close(display, tmp_path):
    shot = tmp_path / "shot.npy"
    run = subprocess.run(
        [sys.executable, "-c", SESSION, str(shot)], cwd=ROOT, capture_output=True, text=True, timeout=90,
        env={**os.environ, "DISPLAY": display},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout.strip().splitlines()[-1])
    assert said == {"seen": ["remove", "landmarks", "view", "screenshot"], "remove": False, "landmarks": True,
                    "view": "mesh", "closed": True}  # fmt: skip
    picture = np.load(shot)
    assert picture.shape == (480, 640, 3)
    assert tuple(picture[470, 310]) == (0, 0, 255) and tuple(picture[470, 330]) == (255, 0, 0)


def test_without_a_display_the_error_says_what_to_do():
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux can be without a display server")
    code = "from realtime.sinks.window import open_window; open_window('x', (64, 64))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=env, timeout=60)
    assert run.returncode != 0 and "no display" in run.stderr and "run_live.py video" in run.stderr
