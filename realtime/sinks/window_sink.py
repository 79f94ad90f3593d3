"""The window as a sink: shows every picture when its time has come, obeys the controls, takes screenshots, records."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from realtime.delay import DelayLine
from realtime.errors import NakedeyeError
from realtime.meter import Clock
from realtime.notices import Notices
from realtime.pipeline import Switches
from realtime.sinks.base import Shot, Sink
from realtime.sinks.leaving import outgoing
from realtime.sinks.pictures import write_picture
from realtime.sinks.video import VideoSink
from realtime.sinks.views import rendered, transparent
from realtime.sinks.window_controls import Status
from realtime.sources.choices import SourceChoices
from realtime.sources.switching import SwitchingSource

REDRAW_S = 1 / 36  # between drawings while no new picture comes: more would only take time from the networks
COUNTED = 30  # pictures that the rate is taken over


class WindowSink:
    """window: realtime.sinks.window.Window. folder: for screenshots and recordings. clock: the loop's.

    delay_s: from a picture's capture to its being shown or sent; recordings are not delayed. A recording or the
    virtual camera that fails is told of and switched off: the rest goes on. picture: what is shown, without controls.
    """

    def __init__(
        self, window: Any, switches: Switches, source: SwitchingSource, choices: SourceChoices, notices: Notices, *,
        mirror: bool = False, delay_s: float = 0.0, folder: Path | None = None, clock: Clock = time.perf_counter,
    ):  # fmt: skip
        self.on_close: Callable[[], None] = lambda: None
        self._window, self._switches, self._source = window, switches, source
        self._choices, self._notices, self._mirror, self._clock = choices, notices, mirror, clock
        self._delay_s, self._line = delay_s, DelayLine[Shot](delay_s)
        self._names = ((folder or Path.cwd()) / f"nakedeye_{number:03d}" for number in count(1))
        self.picture: np.ndarray | None = None
        self._status = Status()
        self._asked = source.choice
        self._recording: VideoSink | None = None
        self._recording_since_s = 0.0
        self._sending: Any = None
        self._shown_s: deque[float] = deque(maxlen=COUNTED)
        self._drawn_s = float("-inf")
        self._paths: list[Path] = []
        self._senders: Callable[[], Sequence[str]] = lambda: ()
        self._dropped: Callable[[], int] = lambda: 0
        choices.refresh()

    def tells(self, networks: Sequence[str], senders: Callable[[], Sequence[str]], dropped: Callable[[], int]) -> None:
        """What the panel says besides times."""
        self._status = Status(networks=tuple(networks))
        self._senders, self._dropped = senders, dropped

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(self._paths)

    def write(self, shot: Shot) -> None:
        self._record(shot)
        self._send(shot)
        self._line.put(shot.captured_s, shot)
        self.refresh()

    def refresh(self) -> None:
        """Show the newest picture that is due, and act on what the person did."""
        now = self._clock()
        due = self._line.take(now)
        fresh = bool(due) and (not self._window.controls.paused or self.picture is None)
        if fresh:
            self._show(due[-1], now)
        elif now - self._drawn_s < REDRAW_S:
            return
        self._drawn_s = now
        self._window.redraw(self._told(now))
        self._obey()

    def close(self) -> None:
        self._end_recording()
        self._end_sending()

    def _show(self, shot: Shot, now: float) -> None:
        self._shown_s.append(now)
        elapsed = now - self._shown_s[0]
        self.picture = rendered(shot)
        before = shot.original.image[:, ::-1] if self._mirror else shot.original.image
        self._status = Status(
            fps=(len(self._shown_s) - 1) / elapsed if elapsed > 0 else 0.0,
            latency_ms=1000 * (now - shot.captured_s),
            stages_ms={name: 1000 * seconds for name, seconds in shot.timings_s.items()},
            networks=self._status.networks,
        )
        self._window.show(self.picture, before, self._status)

    def _told(self, now: float) -> Status:
        status = self._status
        return Status(
            fps=status.fps, latency_ms=status.latency_ms, stages_ms=status.stages_ms, networks=status.networks,
            dropped=self._dropped(), sources=self._choices.choices, senders=tuple(self._senders()),
            recorded_s=now - self._recording_since_s if self._recording is not None else None,
            sent_to=self._sending[0] if self._sending is not None else None, notice=self._notices.current,
        )  # fmt: skip

    def _obey(self) -> None:
        window = self._window
        wish = window.controls
        self._switches.remove, self._switches.smooth = wish.remove, wish.smooth
        self._choose_source(wish.source)
        if window.dismissed:
            self._notices.dismiss()
            window.dismissed = False
        for event in window.take_events():
            if event == "calibrate":
                self._switches.calibrations += 1
                self._notices.tell("this face is now the neutral one")
            elif event == "cameras":
                self._choices.refresh()
            elif event == "screenshot" and self.picture is not None:
                self._take_screenshot(self.picture)
        if window.closed:
            self.on_close()

    def _choose_source(self, wanted: str) -> None:
        if wanted != self._asked:
            self._asked = wanted
            self._notices.dismiss()  # older news is of no use any more
            self._notices.tell(f"opening {dict(self._choices.choices).get(wanted, wanted)}")
            self._source.choose(wanted)
        elif not self._source.changing and self._source.choice != wanted:  # it could not be opened, or took over
            self._asked = self._source.choice
            self._window.controls = self._window.controls.with_(source=self._asked)

    def _take_screenshot(self, picture: np.ndarray) -> None:
        path = self._free_name(".png")
        try:
            write_picture(path, picture)
        except NakedeyeError as error:
            self._notices.tell(str(error), bad=True)
        else:
            self._saved(path)

    def _record(self, shot: Shot) -> None:
        try:
            if not self._window.controls.recording:
                self._end_recording()
                return
            if self._recording is None:
                clear = shot.rendered is not None and shot.rendered.shape[2] == 4
                path, view = self._free_name(".webm" if clear else ".mp4"), transparent if clear else rendered
                self._recording = VideoSink(path, self._source.properties, view=view, threads=1, alpha=clear)
                self._recording_since_s = self._clock()
            self._recording.write(shot)
        except NakedeyeError as error:
            self._notices.tell(str(error), bad=True)
            self._window.controls = self._window.controls.with_(recording=False)

    def _end_recording(self) -> None:
        if self._recording is not None:
            recording, self._recording = self._recording, None
            self._close(recording)
            for path in recording.paths:
                self._saved(path)

    def _send(self, shot: Shot) -> None:
        try:
            if not self._window.controls.sending:
                self._end_sending()
                return
            if self._sending is None:
                sink = outgoing("camera", self._source.properties, self._delay_s)
                self._sending = sink.target, sink
            self._sending[1].write(shot)
        except NakedeyeError as error:
            self._notices.tell(str(error), bad=True)
            self._window.controls = self._window.controls.with_(sending=False)

    def _end_sending(self) -> None:
        if self._sending is not None:
            (_, sink), self._sending = self._sending, None
            self._close(sink)

    def _close(self, sink: Sink) -> None:
        try:
            sink.close()
        except NakedeyeError as error:
            self._notices.tell(str(error), bad=True)

    def _free_name(self, suffix: str) -> Path:
        return next(path for name in self._names if not (path := name.with_suffix(suffix)).exists())

    def _saved(self, path: Path) -> None:
        self._paths.append(path)
        self._notices.tell(f"saved {path}")
