"""`live` in a window: the loop on its threads, the window and its controls on the main thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from realtime.drawing import FaceDrawer
from realtime.errors import EXIT_OK
from realtime.face.model import load_face_model
from realtime.frame import Faces, Frame
from realtime.loop import Loop
from realtime.options import Options
from realtime.outputs import live_sinks
from realtime.pipeline import Switches, open_pipeline
from realtime.sinks.base import Shot
from realtime.sinks.pictures import write_picture
from realtime.sinks.senders.sink import SenderSink
from realtime.sinks.video import VideoSink
from realtime.sinks.views import rendered, transparent
from realtime.sources.base import Source
from realtime.views import show

logger = logging.getLogger(__name__)

TITLE = "Nakedeye"


def run_window(options: Options, source: Source, stack: ExitStack) -> int:
    """Until the window is closed or the source ends."""
    from realtime.sinks.window import open_window
    from realtime.sinks.window_controls import Controls, key_list

    controls = Controls(
        view=options.view, remove=options.remove, landmarks=options.landmarks, smooth=options.smooth
    )  # fmt: skip
    try:
        window = open_window(TITLE, source.properties.size, controls)
        stack.callback(window.close)
        pipeline = open_pipeline(options, live=True)
        stack.callback(pipeline.close)
        model = load_face_model("live")
        drawer = FaceDrawer(model, options.renderer, window.context, options.avatar, options.background)
        stack.callback(drawer.close)
        shown = WindowSink(window, pipeline.switches, source, Path.cwd(), mirror=options.mirror)
        sinks = live_sinks(options, source, model)
        shown.senders = tuple(sink for sink in sinks if isinstance(sink, SenderSink))
    except BaseException:
        source.close()
        raise
    logger.info("keys:\n%s", key_list())

    def render(frame: Frame, faces: Faces) -> np.ndarray:
        wish = window.controls
        return show(frame, faces, wish.view, drawer, landmarks=wish.landmarks, mirror=options.mirror)

    loop = Loop(source, pipeline.groups, [*sinks, shown], render=render, idle=shown.refresh, limit=options.frames)
    shown.on_close = loop.stop
    loop.run()
    return EXIT_OK


class WindowSink:
    """Shows every rendered picture, obeys the window's controls, takes screenshots and records into `folder`."""

    def __init__(self, window: Any, switches: Switches, source: Source, folder: Path, mirror: bool = False):
        self.on_close: Callable[[], None] = lambda: None
        self.senders: tuple[SenderSink, ...] = ()  # whose rates the window tells
        self._window, self._switches, self._source, self._mirror = window, switches, source, mirror
        self._names = (folder / f"nakedeye_{number:03d}" for number in count(1))
        self._shown: tuple[np.ndarray, dict[str, float], np.ndarray] | None = None
        self._recording: VideoSink | None = None
        self._last_s: float | None = None
        self._paths: list[Path] = []

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(self._paths)

    def write(self, shot: Shot) -> None:
        self._record(shot)
        if not self._window.controls.paused or self._shown is None:
            picture = rendered(shot)
            before = shot.original.image[:, ::-1] if self._mirror else shot.original.image
            self._shown = (picture, self._stats(shot), before)
        self.refresh()

    def refresh(self) -> None:
        """Draw the newest picture again and act on what the person did."""
        if self._shown is not None:
            self._window.notes = tuple(sender.status for sender in self.senders)
            self._window.show(*self._shown)
        wish = self._window.controls
        self._switches.remove, self._switches.smooth = wish.remove, wish.smooth
        for event in self._window.take_events():
            if event == "calibrate":
                self._switches.calibrations += 1
            elif event == "screenshot" and self._shown is not None:
                path = self._free_name(".png")
                write_picture(path, self._shown[0])
                self._told(path)
        if self._window.closed:
            self.on_close()

    def close(self) -> None:
        self._end_recording()

    def _stats(self, shot: Shot) -> dict[str, float]:
        stats = {name: 1000 * seconds for name, seconds in shot.timings_s.items()}
        now, before = shot.original.time_s, self._last_s
        self._last_s = now
        return {"fps": 1 / (now - before), **stats} if before is not None and now > before else stats

    def _record(self, shot: Shot) -> None:
        if self._window.controls.recording and self._recording is None:
            clear = shot.rendered is not None and shot.rendered.shape[2] == 4
            path, view = self._free_name(".webm" if clear else ".mp4"), transparent if clear else rendered
            self._recording = VideoSink(path, self._source.properties, view=view, threads=1, alpha=clear)
        elif not self._window.controls.recording:
            self._end_recording()
        if self._recording is not None:
            self._recording.write(shot)

    def _end_recording(self) -> None:
        if self._recording is not None:
            recording, self._recording = self._recording, None
            recording.close()
            for path in recording.paths:
                self._told(path)

    def _free_name(self, suffix: str) -> Path:
        return next(path for name in self._names if not (path := name.with_suffix(suffix)).exists())

    def _told(self, path: Path) -> None:
        self._paths.append(path)
        logger.info("%s", path)
