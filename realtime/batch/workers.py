"""The cores of this machine: processes that each do one unit after the other, and are replaced when they die."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from realtime.batch.work import RETRIES, Ended, Outcome, Progress, Unit
from realtime.options import Options

STALL_S = 1800.0  # without a single frame: not even building a GPU's engines takes so long, so that worker hangs
TELL_S = 0.25  # between two messages about progress


@dataclass
class Worker:
    """A process, our end of its pipe, the unit it has, and when it last said something (monotonic seconds)."""

    process: BaseProcess
    pipe: Connection
    unit: Unit | None = None
    heard_s: float = 0.0
    frames: int = 0


class Workers:
    """At most `count` processes, started when there is work for them.

    A process that dies, or that is silent for `stall_s`, is replaced and its unit tried again, once.
    """

    def __init__(self, options: Options, count: int, stall_s: float = STALL_S):
        self._options, self._count, self._stall_s = options, count, stall_s
        self._context = multiprocessing.get_context("spawn")  # threads and GL do not survive a fork
        self._workers: list[Worker] = []
        self._deaths: dict[Unit, int] = {}
        self._again: deque[Unit] = deque()

    def room(self) -> bool:
        return not self._again and sum(worker.unit is not None for worker in self._workers) < self._count

    def submit(self, unit: Unit) -> None:
        worker = next((one for one in self._workers if one.unit is None and one.process.is_alive()), None)
        if worker is None:
            worker = self._start()
        worker.unit, worker.heard_s, worker.frames = unit, time.monotonic(), 0
        try:
            worker.pipe.send(unit)
        except OSError:
            pass  # it has just died: `events` notices

    def events(self, timeout_s: float) -> list[Progress | Ended]:
        ends = [end for worker in self._workers for end in (worker.pipe, worker.process.sentinel)]
        if ends:
            wait(ends, timeout_s)
        else:
            time.sleep(timeout_s)
        events: list[Progress | Ended] = []
        for worker in list(self._workers):
            alive = self._hear(worker, events)
            if alive and worker.unit is not None and time.monotonic() - worker.heard_s > self._stall_s:
                worker.process.kill()
                worker.process.join()
                alive = False
            if not alive:
                self._bury(worker, events)
        while self._again and sum(worker.unit is not None for worker in self._workers) < self._count:
            self.submit(self._again.popleft())
        return events

    def close(self) -> None:
        """Idle workers are asked to go, busy ones are killed."""
        for worker in self._workers:
            if worker.unit is not None:
                worker.process.kill()
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join(5)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.process.close()
        self._workers.clear()

    def _start(self) -> Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=work, args=(theirs, self._options), name="nakedeye worker", daemon=True)
        with _ctrl_c_kept():
            process.start()
        theirs.close()  # or its death would not be noticed
        worker = Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _hear(self, worker: Worker, events: list[Progress | Ended]) -> bool:
        """Takes everything that the worker has said; whether it is still there."""
        try:
            while worker.pipe.poll():
                said: int | Outcome = worker.pipe.recv()
                worker.heard_s = time.monotonic()
                assert worker.unit is not None
                if isinstance(said, Outcome):
                    attempts = self._deaths.pop(worker.unit, 0) + 1
                    events.append(Ended(worker.unit, replace(said, attempts=attempts)))
                    worker.unit = None
                else:
                    worker.frames += said
                    events.append(Progress(worker.unit, worker.frames))
        except (EOFError, OSError):
            worker.process.join(5)
            worker.process.kill()
            worker.process.join()
            return False
        return worker.process.is_alive()

    def _bury(self, worker: Worker, events: list[Progress | Ended]) -> None:
        self._workers.remove(worker)
        unit, code = worker.unit, worker.process.exitcode
        worker.pipe.close()
        worker.process.close()
        if unit is None:
            return
        self._deaths[unit] = self._deaths.get(unit, 0) + 1
        if self._deaths[unit] <= RETRIES:
            logging.getLogger(__name__).warning("%s: its worker %s; trying again", unit.job.name, _death(code))
            events.append(Progress(unit, 0))
            self._again.append(unit)
        else:
            died = self._deaths.pop(unit)
            events.append(Ended(unit, Outcome(f"the worker {_death(code)}, {died} times", attempts=died)))


@contextmanager
def _ctrl_c_kept() -> Iterator[None]:
    """What is started inside does not hear Ctrl-C: it is for us, who hear it afterwards, and we end the workers."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in list(signal.Signals) else f"signal {-code}"
        return f"died ({name}{': out of memory?' if name == 'SIGKILL' else ''})"
    return f"died (exit code {code})"


def work(pipe: Connection, options: Options) -> None:
    """The life of a worker process: a unit from the pipe, frames and its outcome back, until the pipe is closed."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from realtime.batch.alone import prepare_worker
    from realtime.batch.convert import Converter

    prepare_worker()
    converter = Converter(options)
    told = _Told(pipe)
    try:
        while True:
            unit: Unit = pipe.recv()
            outcome = converter.perform(unit, told)
            told.flush()
            pipe.send(outcome)
    except (EOFError, OSError):
        pass
    finally:
        converter.close()


class _Told:
    """Sends numbers of finished frames, not too often; a call with 0 is a sign of life."""

    def __init__(self, pipe: Connection):
        self._pipe, self._frames, self._last_s = pipe, 0, 0.0

    def __call__(self, frames: int) -> None:
        self._frames += frames
        if time.monotonic() - self._last_s >= TELL_S:
            self.flush()

    def flush(self) -> None:
        self._pipe.send(self._frames)
        self._frames, self._last_s = 0, time.monotonic()


def _die_with_parent() -> None:
    """A worker without anybody to report to would write into files of the next run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
