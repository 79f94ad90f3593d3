"""`live` in a window: the loop on its threads, the window and its controls on the main thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import numpy as np

from realtime.drawing import FaceDrawer
from realtime.errors import EXIT_OK
from realtime.face.model import load_face_model
from realtime.frame import Faces, Frame
from realtime.interruption import check
from realtime.loop import Loop
from realtime.notices import Notices
from realtime.options import Options
from realtime.outputs import live_sinks
from realtime.pipeline import open_pipeline
from realtime.sinks.senders.sink import SenderSink
from realtime.sinks.window import Window, open_window
from realtime.sinks.window_controls import Controls, Status, key_list
from realtime.sinks.window_sink import WindowSink
from realtime.sources.base import Source
from realtime.sources.choices import SourceChoices
from realtime.sources.choose import open_source
from realtime.sources.paced import Paced
from realtime.sources.switching import SwitchingSource
from realtime.views import show

logger = logging.getLogger(__name__)

TITLE = "Nakedeye"
POLL_S = 0.01  # how often the window is looked after while no picture is ready
T = TypeVar("T")


def run_window(options: Options, source: Source, stack: ExitStack) -> int:
    """Until the window is closed or the source ends."""
    notices = Notices()
    controls = Controls(
        view=options.view, remove=options.remove, landmarks=options.landmarks, smooth=options.smooth,
        source=options.input,
    )  # fmt: skip
    switching = SwitchingSource(source, options.input, lambda choice: open_live(options, choice), notices.tell)
    try:
        window = open_window(TITLE, source.properties.size, controls)
        stack.callback(window.close)
        pipeline = while_shown(window, lambda: open_pipeline(options, live=True), "opening the networks")
        if pipeline is None:
            switching.close()
            return EXIT_OK
        stack.callback(pipeline.close)
        model = load_face_model("live")
        drawer = FaceDrawer(model, options.renderer, window.context, options.avatar, options.background)
        stack.callback(drawer.close)
        choices = SourceChoices((options.input, source.properties.name))
        shown = WindowSink(window, pipeline.switches, switching, choices, notices, mirror=options.mirror,
                           delay_s=options.delay_s, folder=Path.cwd())  # fmt: skip
        sinks = live_sinks(options, switching, model)
    except BaseException:
        switching.close()
        raise
    logger.info("keys:\n%s", key_list())

    def render(frame: Frame, faces: Faces) -> np.ndarray:
        wish = window.controls
        return show(frame, faces, wish.view, drawer, landmarks=wish.landmarks, mirror=options.mirror)

    loop = Loop(switching, pipeline.groups, [*sinks, shown], render=render, idle=shown.refresh, limit=options.frames,
                poll_s=POLL_S)  # fmt: skip
    senders = [sink for sink in sinks if isinstance(sink, SenderSink)]
    shown.tells(
        networks=pipeline.describe(), senders=lambda: [sender.status for sender in senders],
        dropped=lambda: loop.dropped,
    )  # fmt: skip

    def end() -> None:
        switching.stop()
        loop.stop()

    shown.on_close = end
    loop.run()
    return EXIT_OK


def open_live(options: Options, choice: str) -> Source:
    """What `-i CHOICE` means, at its own speed. Raises SourceError."""
    rate = Fraction(options.fps).limit_denominator(1001) if options.fps else Fraction(30)
    source = open_source(choice, size=options.size, rate=rate, seed=options.seed)
    return source if source.properties.live else Paced(source)


def while_shown(window: Window, work: Callable[[], T], waiting: str) -> T | None:
    """The result of `work`, done on a thread of its own while the window stays alive; None where it was closed."""
    result: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="open", daemon=True)
    thread.start()
    while thread.is_alive():
        window.redraw(Status(waiting=waiting))
        check()  # a KeyboardInterrupt inside the window's callbacks goes no further
        thread.join(POLL_S)
    if errors:
        raise errors[0]
    if not window.closed:
        return result[0]
    close = getattr(result[0], "close", None)
    if close is not None:
        close()
    return None
