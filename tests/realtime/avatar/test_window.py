"""The avatar in the window, drawn with the window's own OpenGL context, and recorded from there."""

import os
import subprocess
import sys
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest

from realtime.frame import Frame
from realtime.live import WindowSink
from realtime.pipeline import Switches
from realtime.sinks.base import Shot
from realtime.sinks.window_controls import Controls, press
from realtime.sources.base import Properties
from tests.realtime.sinks.test_window import ROOT, display, needs_screen, needs_window  # noqa: F401

SESSION = """
import sys
import numpy as np
from realtime.drawing import FaceDrawer
from realtime.face.model import load_face_model
from realtime.sinks.window import open_window
from realtime.sinks.window_controls import Controls
from realtime.views import show
from realtime.frame import Frame
from tests.realtime.avatar.test_default_avatar import face

window = open_window("Nakedeye test", (640, 480), Controls(view="avatar", timings=False))
drawer = FaceDrawer(load_face_model("live"), "gl", window.context, "default", "#00ff00")
frame = Frame(np.zeros((480, 640, 3), np.uint8), 0)
for _ in range(3):
    for view in ("mesh", window.controls.view):
        picture = show(frame, (face(place=(420, 240, 1.2)),), view, drawer)
    window.show(picture, {})
np.savez(sys.argv[1], shot=window.screenshot(), picture=picture)
drawer.close()
window.close()
"""


@pytest.mark.gl
@needs_screen
@needs_window
def test_the_window_shows_the_avatar(display, tmp_path):  # noqa: F811
    found = tmp_path / "shot.npz"
    run = subprocess.run(
        [sys.executable, "-c", SESSION, str(found)], cwd=ROOT, capture_output=True, text=True, timeout=200,
        env={**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    shot, picture = (np.load(found)[name].astype(int) for name in ("shot", "picture"))
    assert (shot[5, 5] == (0, 255, 0)).all()
    assert np.abs(shot - picture)[:, 330:].mean() < 2  # beside the panel: the avatar as it was drawn
    assert (np.abs(picture - (0, 255, 0)).max(-1) > 40)[:, 330:].mean() > 0.2


def test_the_next_view_can_be_an_avatar():
    controls = Controls(view="landmarks")
    assert press(controls, "view").view == "avatar"


@pytest.mark.parametrize("clear", [True, False])
def test_recording_from_the_window_keeps_what_is_clear(tmp_path, clear):
    properties = Properties("camera", "camera", (64, 48), time_base=Fraction(1, 30), live=True)
    window = SimpleNamespace(
        controls=Controls(view="avatar", recording=True), show=lambda *_: None, take_events=tuple, closed=False
    )
    source = SimpleNamespace(properties=properties)
    sink = WindowSink(window, Switches(), source, tmp_path)  # type: ignore[arg-type]
    picture = np.full((48, 64, 4 if clear else 3), 200, np.uint8)
    if clear:
        picture[..., 3] = np.where(np.arange(48) < 24, 0, 255)[:, None]
    for index in range(3):
        frame = Frame(np.zeros((48, 64, 3), np.uint8), index, index)
        sink.write(Shot(frame, frame, (), picture))
    sink.close()
    assert [path.name for path in sink.paths] == ["nakedeye_001.webm" if clear else "nakedeye_001.mp4"]
    with av.open(str(sink.paths[0])) as container:
        decoder = av.CodecContext.create("libvpx-vp9" if clear else "h264", "r")
        decoder.extradata = container.streams.video[0].codec_context.extradata
        packets = [packet for packet in container.demux(video=0) if packet.size]
        frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    assert len(frames) == 3
    alpha = frames[-1].to_ndarray(format="rgba")[..., 3].astype(int)
    assert alpha[30:].min() > 250 and (alpha[:18].max() < 10) == clear
