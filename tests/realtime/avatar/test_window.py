"""The avatar in the window, drawn with the window's own OpenGL context, and recorded from there."""

import os
import subprocess
import sys
from fractions import Fraction
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from realtime.frame import Frame
from realtime.notices import Notices
from realtime.pipeline import Switches
from realtime.sinks.base import Shot
from realtime.sinks.window_controls import Controls, press
from realtime.sinks.window_sink import WindowSink
from realtime.sources.base import Properties
from realtime.sources.choices import SourceChoices
from tests.realtime.sinks.test_window import ROOT, display, needs_screen, needs_window  # noqa: F401

SESSION = """
import sys
import numpy as np
from realtime.drawing import FaceDrawer
from realtime.face.model import load_face_model
from realtime.sinks.window import open_window
from realtime.sinks.window_controls import Controls, Status
from realtime.views import show
from realtime.frame import Frame
from tests.realtime.avatar.test_default_avatar import face

window = open_window("Nakedeye test", (640, 480), Controls(view="avatar", timings=False, panel=False))
drawer = FaceDrawer(load_face_model("live"), "gl", window.context, "default", "#00ff00")
frame = Frame(np.zeros((480, 640, 3), np.uint8), 0)
for _ in range(3):
    for view in ("mesh", window.controls.view):
        picture = show(frame, (face(place=(420, 240, 1.2)),), view, drawer)
    window.show(picture, None, Status())
    window.redraw(Status())
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
    green = (shot == (0, 255, 0)).all(-1)  # the background shows where the picture lies in the window
    rows, columns = np.flatnonzero(green.any(1)), np.flatnonzero(green.any(0))
    shown = shot[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    wanted = cv2.resize(picture.astype(np.float32), (shown.shape[1], shown.shape[0]))
    assert np.abs(shown - wanted)[:, shown.shape[1] // 2 :].mean() < 3  # the avatar as it was drawn
    assert (np.abs(shown - (0, 255, 0)).max(-1) > 40)[:, shown.shape[1] // 2 :].mean() > 0.2


def test_the_next_view_can_be_an_avatar():
    controls = Controls(view="landmarks")
    assert press(controls, "view").view == "avatar"


@pytest.mark.parametrize("clear", [True, False])
def test_recording_from_the_window_keeps_what_is_clear(tmp_path, clear):
    properties = Properties("camera", "camera", (64, 48), time_base=Fraction(1, 30), live=True)
    window = SimpleNamespace(
        controls=Controls(view="avatar", recording=True, source="camera"), show=lambda *_: None, take_events=tuple,
        redraw=lambda _: None, closed=False, dismissed=False,
    )  # fmt: skip
    source = SimpleNamespace(properties=properties, choice="camera", changing=False)
    choices = SourceChoices(("camera", "camera"), cameras=lambda: [])
    sink = WindowSink(window, Switches(), source, choices, Notices(), folder=tmp_path)  # type: ignore[arg-type]
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
