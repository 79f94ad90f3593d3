"""Threads that run stages: several frames in flight, their order restored behind them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from realtime.frame import Faces, Frame
from realtime.handover import Closed, OrderedQueue
from realtime.meter import Meter

Stage = Callable[[Frame, Faces], tuple[Frame, Faces]]


@dataclass(frozen=True, slots=True)
class Group:
    """Stages that run one after the other on a thread of their own.

    workers: more than one lets frames overtake each other inside the group: only for stages without memory, and safe
    to call from several threads.
    """

    stages: Sequence[Stage]
    workers: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A frame on its way. captured_s: on the meter's clock."""

    original: Frame
    frame: Frame
    faces: Faces
    captured_s: float
    timings_s: dict[str, float] = field(default_factory=dict)


def stage_name(stage: Stage) -> str:
    """`name` of the stage where it has one, else that of its class or function, in lower case."""
    name = getattr(stage, "name", None) or getattr(stage, "__name__", None) or type(stage).__name__
    return str(name).lower()


class Workers:
    """The threads of one group, between two queues.

    A frame may be put out only when all before it are: a worker that is early waits for its turn, so no more than
    `workers` frames are held. An error takes its frame's turn: frames before it still come out.
    """

    def __init__(self, group: Group, source: OrderedQueue[Item], target: OrderedQueue[Item], meter: Meter):
        self._stages = [(stage_name(stage), stage) for stage in group.stages]
        self._source = source
        self._target = target
        self._meter = meter
        self._taking = threading.Lock()  # held from taking a frame to numbering it
        self._turn = threading.Condition()
        self._taken = self._put = 0
        self._ended = False
        self._error: BaseException | None = None
        self._running = group.workers
        label = "+".join(name for name, _ in self._stages) or "pass"
        self.threads = tuple(
            threading.Thread(target=self._work, name=f"infer {label} {number}", daemon=True)
            for number in range(group.workers)
        )

    def cancel(self) -> None:
        """Nobody wants the results any more."""
        with self._turn:
            self._ended = True
            self._turn.notify_all()
        self._source.cancel()
        self._target.cancel()

    def _work(self) -> None:
        try:
            while not self._ended:
                item, ticket = self._take()
                self._pass_on(ticket, *self._run(item))
        except Closed:
            pass
        except BaseException as error:  # of the source, or ours
            self._error = self._error or error
        self._leave()

    def _take(self) -> tuple[Item, int]:
        with self._taking:
            item = self._source.get()
            self._taken += 1
            return item, self._taken - 1

    def _run(self, item: Item) -> tuple[Item | None, BaseException | None]:
        """The item after all stages, or what went wrong."""
        frame, faces, timings = item.frame, item.faces, dict(item.timings_s)
        try:
            for name, stage in self._stages:
                start = self._meter.clock()
                frame, faces = stage(frame, faces)
                timings[name] = self._meter.clock() - start
                self._meter.record(name, timings[name])
        except BaseException as error:
            return None, error
        return Item(item.original, frame, faces, item.captured_s, timings), None

    def _pass_on(self, ticket: int, item: Item | None, error: BaseException | None) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._ended or self._put == ticket)
            if self._ended:
                raise Closed
            if item is None:
                self._ended = True
                self._turn.notify_all()
                self._source.cancel()
                assert error is not None
                raise error
        try:
            self._target.put(item)
        except Closed:
            self.cancel()
            raise
        with self._turn:
            self._put += 1
            self._turn.notify_all()

    def _leave(self) -> None:
        """The last worker to go tells the reader that, and why, there is no more."""
        with self._turn:
            self._running -= 1
            last = self._running == 0
        if not last:
            return
        if self._error is not None:
            self._target.fail(self._error)
        else:
            self._target.close()
