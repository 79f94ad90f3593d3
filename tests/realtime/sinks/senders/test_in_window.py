"""What the window is told while avatar data are sent; the window itself stands in `sinks/test_window.py`."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np

from realtime.notices import Notices
from realtime.pipeline import Switches
from realtime.sinks.base import Shot
from realtime.sinks.senders.sink import SenderSink
from realtime.sinks.senders.target import Target
from realtime.sinks.window_controls import Controls
from realtime.sinks.window_sink import WindowSink
from realtime.sources.choices import SourceChoices
from tests.realtime.sinks.senders.conftest import driven, shot_of
from tests.realtime.sinks.senders.receivers import listening


def test_the_window_tells_rates_and_targets(tmp_path):
    now, told = [0.0], []
    window = SimpleNamespace(
        controls=Controls(source="0"), show=lambda *_: None, redraw=lambda status: told.append(status.senders),
        take_events=tuple, closed=False, dismissed=False,
    )  # fmt: skip
    source, choices = SimpleNamespace(choice="0", changing=False), SourceChoices(("0", "0"), cameras=lambda: [])
    with listening() as (_, port):
        sender = SenderSink(Target("livelink", "127.0.0.1", port), Fraction(30), clock=lambda: now[0])
        sink = WindowSink(
            window, Switches(), source, choices, Notices(), folder=tmp_path, clock=lambda: now[0]  # type: ignore[arg-type]
        )
        sink.tells(networks=(), senders=lambda: [sender.status], dropped=lambda: 0)
        for index in range(20):
            now[0] = index / 20
            shot = shot_of(driven(), index=index)
            sender.write(shot)
            picture = np.zeros((8, 8, 3), np.uint8)
            sink.write(Shot(shot.original, shot.frame, shot.faces, picture, captured_s=now[0]))
        sender.close()
    assert told[-1] == (f"Live Link Face to 127.0.0.1:{port}, 20/s",)
