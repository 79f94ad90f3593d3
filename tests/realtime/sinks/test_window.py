"""The real window on a virtual screen, with real key events. Skips without Xvfb, xdotool or the extra `window`."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import av
import cv2
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

SETUP = """
import json, subprocess, sys, threading, time
from fractions import Fraction
from pathlib import Path
import numpy as np
from realtime.notices import Notice, Notices
from realtime.sinks.window import open_window
from realtime.sinks.window_controls import Controls, Status

def xdotool(*words):
    subprocess.run(["xdotool", "search", "--name", "Nakedeye test", *words], check=True, capture_output=True)

def flat(colour, size=(640, 480)):
    return np.full((size[1], size[0], 3), colour, np.uint8)
"""

KEYS_AND_CURTAIN = """
window = open_window("Nakedeye test", (640, 480), Controls(curtain=0.5))
window.show(flat((255, 0, 0)), before=flat((0, 0, 255)))

def until(done, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        window.redraw()

window.redraw()
window.redraw()
np.save(sys.argv[1], window.screenshot())
xdotool("windowfocus")
seen = []
for key in ("g", "l", "m", "s", "c", "r", "h", "t", "space"):
    xdotool("key", "--clearmodifiers", key)
    events = set()
    until(lambda: events.update(window.take_events()) or events)
    seen += sorted(events)
controls = window.controls
left = window.screenshot().shape[1] - 640
xdotool("mousemove", "--window", "%1", str(left + 320), "300", "mousedown", "1")
until(lambda: False, 0.5)
xdotool("mousemove", "--window", "%1", str(left + 160), "300")
until(lambda: abs(window.controls.curtain - 0.25) < 0.01)
xdotool("mouseup", "1")
pulled = window.controls.curtain
size = window.screenshot().shape[1::-1]
xdotool("key", "F11")
until(lambda: window.screenshot().shape[1::-1] != size)
full = window.screenshot().shape[1::-1]
until(lambda: False, 0.5)
with_panel = window.screenshot()[1000, 10].tolist()
until(lambda: window.screenshot()[1000, 10].tolist() == [0, 0, 255])
alone = window.screenshot()[1000, 10].tolist()
xdotool("key", "F11")
until(lambda: window.screenshot().shape[1::-1] == size)
restored = window.screenshot().shape[1::-1] == size
xdotool("key", "Escape")
until(lambda: window.closed)
print(json.dumps({"seen": seen, "controls": [controls.remove, controls.landmarks, controls.view, controls.recording,
                  controls.help, controls.timings, controls.paused], "pulled": pulled, "full": full,
                  "with_panel": with_panel, "alone": alone,
                  "restored": restored, "closed": window.closed}))
window.close()
"""

LOOK = """
sources = (("0", "HD Webcam (0)"), ("pattern", "Test person"))
status = Status(fps=29.7, latency_ms=48, stages_ms={"locate": 0.6, "landmarks": 1.9, "generate": 7.9}, dropped=3,
                sources=sources, networks=("cpu int8: deleter",), senders=("VMC 127.0.0.1:39539, 30/s",),
                notice=Notice("camera 1 is in use", True, 0.0))
window = open_window("Nakedeye test", (640, 480), Controls(source="0", help=True))
window.show(flat((90, 90, 90)), None, status)
for _ in range(3):
    window.redraw(status)
np.save(sys.argv[1], window.screenshot())
print(json.dumps({"scale": window.scale}))
window.close()
"""

# A stage that takes 300 ms and a source that gives 30 pictures a second; the switches are pulled by a thread.
SLOW = """
from realtime.errors import SourceError
from realtime.frame import Frame
from realtime.loop import Loop
from realtime.pipeline import Switches
from realtime.sinks.base import Shot
from realtime.sinks.window_sink import WindowSink
from realtime.sources.base import Properties, Silent
from realtime.sources.choices import SourceChoices
from realtime.sources.paced import Paced
from realtime.sources.switching import SwitchingSource
from realtime.workers import Group

class Colour(Silent):
    def __init__(self, name, colour, size):
        self.properties = Properties(name, name, size, live=True)
        self.frame, self.size, self.closed = flat(colour, size), size, False
    def frames(self):
        index = 0
        while True:
            yield Frame(self.frame, index, index, Fraction(1, 30), source_size=self.size)
            index += 1
    def close(self):
        self.closed = True

opened = []
def open_choice(text):
    if text == "broken":
        raise SourceError("camera broken: is in use by another program; close that first")
    opened.append(Paced(Colour("green", (0, 255, 0), (320, 240))))
    return opened[-1]

def slow(frame, faces):
    time.sleep(0.3)
    return frame, faces

notices = Notices()
first = Colour("red", (255, 0, 0), (640, 480))
switching = SwitchingSource(Paced(first), "red", open_choice, notices.tell)
window = open_window("Nakedeye test", (320, 240), Controls(source="red"))
choices = SourceChoices(("red", "Red"), cameras=lambda: [])
sink = WindowSink(window, Switches(), switching, choices, notices, folder=Path(sys.argv[1]))
drawn, redraw, told, colours = [], window.redraw, [], []
def counted(status):
    redraw(status)
    drawn.append(time.monotonic())
    if status.notice is not None and status.notice.text not in told:
        told.append(status.notice.text)
window.redraw = counted

def press():
    # seconds until the window obeys a key
    before, start = window.controls.landmarks, time.monotonic()
    xdotool("key", "l")
    while window.controls.landmarks == before and time.monotonic() < start + 20:
        time.sleep(0.002)
    return time.monotonic() - start

def measured():
    # redraws a second, and the median delay of a key, while eight are pressed
    first, start = len(drawn), time.monotonic()
    delays = [press() for _ in range(8)]
    return (len(drawn) - first) / (time.monotonic() - start), float(np.median(delays))

def without_inference():
    # the same from a loop like that of Loop, with as many pictures, but no stage
    found, shown = [], 0.0
    person = threading.Thread(target=lambda: found.append(measured()))
    person.start()
    while person.is_alive():
        if time.monotonic() > shown + 0.3:
            frame, shown = Frame(first.frame, 0), time.monotonic()
            sink.write(Shot(frame, frame, ()))
        sink.refresh()
        time.sleep(0.01)
    return found[0]

xdotool("windowfocus")
quick = [without_inference()]
loop = Loop(switching, [Group([slow])], [sink], idle=sink.refresh, poll_s=0.01)
sink.on_close = lambda: (switching.stop(), loop.stop())

with_inference = []
def act():
    def wait(done, seconds=20):
        deadline = time.monotonic() + seconds
        while not done() and time.monotonic() < deadline:
            time.sleep(0.02)
    wait(lambda: loop.meter.frames >= 5)
    with_inference.append(measured())
    colours.append(sink.picture[0, 0].tolist())
    window.controls = window.controls.with_(source="broken")
    wait(lambda: any("broken" in text for text in told))
    count = loop.meter.frames
    wait(lambda: loop.meter.frames > count + 2)
    colours.append(sink.picture[0, 0].tolist())
    kept = window.controls.source
    window.controls = window.controls.with_(source="green")
    wait(lambda: sink.picture[0, 0].tolist() == [0, 255, 0])
    colours.append(sink.picture[0, 0].tolist())
    colours.append(kept)
    xdotool("key", "r")
    count = loop.meter.frames
    wait(lambda: loop.meter.frames > count + 5)
    xdotool("key", "q")

actor = threading.Thread(target=act)
actor.start()
report = loop.run()
actor.join()
quick.append(without_inference())
print(json.dumps({"slow": with_inference[0], "quick": quick, "fps": report.timing.fps, "told": told,
                  "colours": colours, "first_closed": first.closed, "files": [p.name for p in sink.paths]}))
window.close()
"""


@pytest.fixture
def display():
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "2400x1800x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as numbers:
        yield f":{numbers.readline().strip()}"
    server.terminate()
    server.wait(10)


def run_session(display: str, code: str, *arguments: str) -> dict:
    """What the session printed last, as JSON."""
    run = subprocess.run(
        [sys.executable, "-c", SETUP + code, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=200,
        env={**os.environ, "DISPLAY": display},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.strip().splitlines()[-1])


@pytest.mark.gl
@needs_screen
@needs_window
def test_keys_curtain_full_screen_and_close(display, tmp_path):
    shot = tmp_path / "shot.npy"
    said = run_session(display, KEYS_AND_CURTAIN, str(shot))
    assert said["seen"] == ["remove", "landmarks", "view", "screenshot", "calibrate", "record", "help", "timings",
                            "pause"]  # fmt: skip
    assert said["controls"] == [False, True, "mesh", True, True, False, True]
    assert said["pulled"] == pytest.approx(0.25, abs=0.01)
    assert said["full"] == [2400, 1800] and max(said["with_panel"]) < 60 and said["alone"] == [0, 0, 255]
    assert said["restored"] and said["closed"]
    picture = np.load(shot)
    left = picture.shape[1] - 640  # the panel
    assert left == 285 and picture.shape[0] == 780
    assert tuple(picture[600, left + 310]) == (0, 0, 255) and tuple(picture[600, left + 330]) == (255, 0, 0)


@pytest.mark.gl
@needs_screen
@needs_window
@pytest.mark.skipif(shutil.which("xprop") is None, reason="needs Debian's package x11-utils")
def test_at_twice_the_scale_everything_is_twice_as_large_and_text_is_as_crisp(display, tmp_path):
    pictures = []
    for dpi, scale in ((96, 1.0), (192, 2.0)):
        wish = ["-root", "-f", "RESOURCE_MANAGER", "8s", "-set", "RESOURCE_MANAGER", f"Xft.dpi:\t{dpi}\n"]
        subprocess.run(["xprop", *wish], env={**os.environ, "DISPLAY": display}, check=True)
        shot = tmp_path / f"{dpi}.npy"
        assert run_session(display, LOOK, str(shot)) == {"scale": scale}
        pictures.append(np.load(shot))
    small, large = pictures
    assert small.shape == (780, 925, 3) and large.shape == (1560, 1850, 3)
    shrunk = cv2.resize(large, (925, 780), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(shrunk - small)[:, :280].mean() < 6  # the same layout
    panels = [small[:, :250], large[:, :500]]
    steepest = [np.sort(np.abs(np.diff(panel[..., 1].astype(int), axis=1)).ravel())[-400:].mean() for panel in panels]
    assert steepest[1] > 0.85 * steepest[0]  # text that is only stretched has half the steepness


@pytest.mark.gl
@needs_screen
@needs_window
def test_a_slow_stage_does_not_slow_the_window_and_sources_change_while_it_runs(display, tmp_path):
    said = run_session(display, SLOW, str(tmp_path))
    assert said["fps"] < 3.5  # the chain is as slow as its stage
    redraws, delays = zip(*said["quick"], strict=True)  # without inference, before and after: what this machine can
    assert said["slow"][0] >= 0.8 * min(redraws), said
    assert said["slow"][1] <= 2 * max(delays) + 0.1, said  # a key waits for no stage
    red, still_red, green, kept = said["colours"]
    assert red == still_red == [255, 0, 0] and green == [0, 255, 0] and kept == "red" and said["first_closed"]
    assert "camera broken: is in use by another program; close that first; red goes on" in said["told"]
    assert "now from green" in said["told"] and said["files"] == ["nakedeye_001.mp4"]
    with av.open(str(tmp_path / "nakedeye_001.mp4")) as clip:
        images = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    assert len(images) >= 5 and np.abs(images[0][100, 100].astype(int) - (0, 255, 0)).max() < 12


def test_without_a_display_the_error_says_what_to_do():
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux can be without a display server")
    code = "from realtime.sinks.window import open_window; open_window('x', (64, 64))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=env, timeout=60)
    assert run.returncode != 0 and "no display" in run.stderr and "run_live.py video" in run.stderr
