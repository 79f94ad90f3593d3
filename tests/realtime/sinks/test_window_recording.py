"""A recording that goes on while another camera takes over; the window itself stands in `test_window.py`."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from realtime.frame import Frame
from realtime.notices import Notices
from realtime.pipeline import Switches
from realtime.sinks.base import Shot
from realtime.sinks.window_controls import Controls
from realtime.sinks.window_sink import WindowSink
from realtime.sources import open_source
from realtime.sources.choices import SourceChoices
from realtime.sources.pattern import PatternSource
from realtime.sources.switching import SwitchingSource


def test_a_camera_of_another_size_goes_on_in_the_same_recording_undistorted(tmp_path: Path):
    source = SwitchingSource(
        PatternSource(size=(320, 240)), "wide", lambda _: PatternSource(size=(240, 240)), lambda *_: None
    )
    window = SimpleNamespace(
        controls=Controls(recording=True, source="wide"), show=lambda *_: None, redraw=lambda _: None,
        take_events=tuple, closed=False, dismissed=False,
    )  # fmt: skip
    choices = SourceChoices(("wide", "wide"), cameras=lambda: [])
    sink = WindowSink(window, Switches(), source, choices, Notices(), folder=tmp_path)  # type: ignore[arg-type]
    sizes: list[tuple[int, ...]] = []
    for frame in source.frames():
        white = np.full_like(frame.image, 255)
        shown = Frame(white, frame.index, frame.pts, frame.time_base)
        sink.write(Shot(shown, shown, ()))
        sizes.append(frame.image.shape[:2])
        if len(sizes) == 2:
            window.controls = window.controls.with_(source="square")  # as the panel does
        if sizes.count((240, 240)) == 3:
            break
    source.close()
    sink.close()
    (path,) = sink.paths
    written = [frame.image for frame in open_source(str(path)).frames()]
    assert len(written) == len(sizes) and {image.shape for image in written} == {(240, 320, 3)}
    for image, size in zip(written, sizes, strict=True):
        sides = 0 if size == (240, 240) else 255
        assert abs(image[:, [*range(35), *range(285, 320)]].mean() - sides) < 3 and image[:, 45:275].min() > 250
