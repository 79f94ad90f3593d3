"""What the window is told while avatar data are sent; the window itself stands in `sinks/test_window.py`."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from realtime.live import WindowSink
from realtime.pipeline import Switches
from realtime.sinks.base import Shot
from realtime.sinks.senders.sink import SenderSink
from realtime.sinks.senders.target import Target
from realtime.sinks.window_controls import Controls
from tests.realtime.sinks.senders.conftest import driven, shot_of
from tests.realtime.sinks.senders.receivers import listening


class Screen:
    """Stands where the window does, and remembers the notes that were up with each picture."""

    def __init__(self) -> None:
        self.controls, self.closed, self.notes, self.shown = Controls(), False, (), []

    def show(self, *what: object) -> None:
        self.shown.append(self.notes)

    def take_events(self) -> frozenset[str]:
        return frozenset()


def test_the_window_tells_rates_and_targets():
    now = [0.0]
    screen = Screen()
    with listening() as (_, port):
        sender = SenderSink(Target("livelink", "127.0.0.1", port), Fraction(30), clock=lambda: now[0])
        source = SimpleNamespace(properties=None)
        sink = WindowSink(screen, Switches(), source, Path("."))  # type: ignore[arg-type]
        sink.senders = (sender,)
        for index in range(20):
            now[0] = index / 20
            shot = shot_of(driven(), index=index)
            sender.write(shot)
            sink.write(Shot(shot.original, shot.frame, shot.faces, np.zeros((8, 8, 3), np.uint8)))
        sender.close()
    assert screen.shown[-1] == (f"Live Link Face to 127.0.0.1:{port}, 20/s",)
