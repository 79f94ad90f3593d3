"""The chain that all visitors share: each network open once, a thread per group of stages, one that draws."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from engines import Engine, open_network
from realtime.drawing import FaceDrawer
from realtime.errors import NakedeyeError
from realtime.face.model import load_face_model
from realtime.options import Options
from realtime.page.lanes import Lanes
from realtime.page.visitor import Encode, Visitor
from realtime.page.wire import Wishes
from realtime.pipeline import Switches, build_groups, networks_of
from realtime.workers import Group, stage_name

logger = logging.getLogger(__name__)

Joined = TypeVar("Joined")


SHOW = "show"  # the last lane, which draws and encodes
PATIENCE_S = 1.0  # a page that is loaded anew comes back before the server knows that it has left


class Full(NakedeyeError):
    """Every place is taken."""


async def admitted(join: Callable[[], Joined], patience_s: float = PATIENCE_S) -> Joined:
    """What `join` returns, tried for a while when all places are taken. Raises Full."""
    end = time.monotonic() + patience_s
    while True:
        try:
            return join()
        except Full:
            if time.monotonic() > end:
                raise
        await asyncio.sleep(0.05)


class SharedChain:
    """Opens the networks. `join` gives a visitor stages of their own on them; memory is that of one chain plus theirs.

    first_wishes: what a visitor finds set. Raises engines.EngineError. limit: most visitors at a time.
    """

    def __init__(self, options: Options, limit: int):
        self.limit = limit
        self.first_wishes = Wishes(options.view, options.remove, options.landmarks, options.smooth)
        self._options = options = replace(options, remove=True)  # who starts with glasses on may take them off
        self._lock = threading.Lock()
        self._visitors: set[Visitor] = set()
        self._gone = threading.Condition(self._lock)
        self._engines: dict[str, Engine] = {}
        try:
            for name in networks_of(options):
                self._engines[name] = open_network(
                    name, options.quality, options.provider, models_dir=options.models_dir
                )
            renderer = "gpu" if options.renderer == "auto" else options.renderer
            self._drawer = FaceDrawer(load_face_model("live"), renderer)
        except BaseException:
            self._close_engines()
            raise
        self._detecting = ThreadPoolExecutor(1, thread_name_prefix="serve detect")
        names = [*(stage_name(group.stages[0]) for group in self._groups(Switches())), SHOW]
        self._lanes = Lanes(names, time.perf_counter, at_end={SHOW: self._drawer.close})

    @property
    def visitors(self) -> int:
        return len(self._visitors)

    @property
    def providers(self) -> dict[str, str]:
        return {name: engine.provider for name, engine in self._engines.items()}

    def join(self, encode: Encode, **callbacks: Callable[..., Any]) -> Visitor:
        """A place for one visitor; `callbacks` as of `Visitor`, on_gone excepted. Raises Full."""
        with self._lock:
            if len(self._visitors) >= self.limit:
                raise Full(f"all {self.limit} places are taken")
            wishes = self.first_wishes
            switches = Switches(wishes.remove, wishes.smooth)
            groups = self._groups(switches)
            visitor = Visitor(
                self._lanes, groups, switches, self._drawer, encode, wishes, on_gone=self._forget, **callbacks
            )
            self._visitors.add(visitor)
            return visitor

    def close(self, patience_s: float = 5.0) -> None:
        """Sends everybody away, ends the threads, closes the networks."""
        for visitor in tuple(self._visitors):
            visitor.leave()
        with self._gone:
            self._gone.wait_for(lambda: not self._visitors, patience_s)
        self._lanes.close()
        self._detecting.shutdown(cancel_futures=True)
        self._close_engines()

    def _groups(self, switches: Switches) -> tuple[Group, ...]:
        return build_groups(self._options, self._engines, switches, executor=self._detecting)

    def _forget(self, visitor: Visitor) -> None:
        with self._gone:
            self._visitors.discard(visitor)
            self._gone.notify_all()

    def _close_engines(self) -> None:
        for engine in self._engines.values():
            engine.close()
