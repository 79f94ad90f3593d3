"""The machines of a Ray cluster that is there already: a task a unit, scheduled, retried and watched by Ray."""

from __future__ import annotations

import logging
import socket
import time
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from realtime.batch.counter import Counter
from realtime.batch.work import RETRIES, Ended, Outcome, Progress, Unit
from realtime.errors import DependencyError, NakedeyeError
from realtime.options import Options

if TYPE_CHECKING:
    from realtime.batch.convert import Converter

TELL_S = 1.0  # between two messages of a task about its progress
KNOCK_S = 10.0
AHEAD = 2  # tasks that are handed to Ray for each of its cores: enough to keep them busy, few enough to stop soon


class RayCluster:
    """address: "auto", "host:port" of the head node, or "ray://host:port". A task takes one core.

    Library and output folder must lie on storage that every machine sees under the same path, with Nakedeye installed.
    Raises DependencyError without the library, NakedeyeError where no cluster answers.
    """

    def __init__(self, options: Options, address: str):
        self._ray = ray = _library()
        try:
            _knock(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
        except (OSError, RuntimeError, ValueError) as error:
            raise NakedeyeError(
                f"no Ray cluster answers at {address} ({error}); start one with `ray start --head`, and join machines "
                "with `ray start --address HOST:6379`"
            ) from error
        self._options = options
        self._counter = ray.remote(num_cpus=0)(Counter).remote()
        self._task = ray.remote(num_cpus=1, max_retries=RETRIES, scheduling_strategy="SPREAD")(perform)
        self._units: dict[Any, Unit] = {}  # reference of the result -> what gives it
        self._numbers: dict[int, Unit] = {}
        self._next = 0
        self._told: dict[int, int] = {}

    def room(self) -> bool:
        cores = int(self._ray.cluster_resources().get("CPU", 1))
        return len(self._units) < max(1, AHEAD * cores)

    def submit(self, unit: Unit) -> None:
        number, self._next = self._next, self._next + 1
        self._numbers[number] = unit
        self._units[self._task.remote(unit, self._options, self._counter, number)] = unit

    def events(self, timeout_s: float) -> list[Progress | Ended]:
        if not self._units:
            return []
        ready, _ = self._ray.wait(list(self._units), num_returns=1, timeout=timeout_s)
        events: list[Progress | Ended] = [*self._progress()]
        for reference in ready:
            unit = self._units.pop(reference)
            self._numbers = {number: one for number, one in self._numbers.items() if one is not unit}
            events.append(Ended(unit, self._outcome(reference)))
        return events

    def close(self) -> None:
        for reference in self._units:
            self._ray.cancel(reference, force=True)
        self._ray.shutdown()

    def _outcome(self, reference: Any) -> Outcome:
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:  # it did not get as far as an outcome
            return Outcome(f"the task could not run on its machine: {_lines(error)[-1]}")
        except self._ray.exceptions.RayError as error:
            return Outcome(f"the worker died, {RETRIES + 1} times: {_lines(error)[0]}", attempts=RETRIES + 1)
        return outcome

    def _progress(self) -> list[Progress]:
        try:
            told: dict[int, int] = self._ray.get(self._counter.told.remote(), timeout=5)
        except self._ray.exceptions.RayError:  # its machine may have gone: the work goes on without a bar
            return []
        changed = {number: frames for number, frames in told.items() if self._told.get(number) != frames}
        self._told = told
        running = self._numbers
        return [Progress(running[number], frames) for number, frames in changed.items() if number in running]


def perform(unit: Unit, options: Options, counter: Any, number: int) -> Outcome:
    """One task, in a worker process of Ray's."""
    ray = _library()
    attempts = ray.get(counter.begin.remote(number))
    told = _Told(counter, number)
    outcome = _converter(options).perform(unit, told)
    counter.end.remote(number)
    return replace(outcome, attempts=attempts)


@lru_cache(maxsize=1)
def _converter(options: Options) -> Converter:
    """Ray gives a process one task after the other: the networks stay open between them."""
    from realtime.batch.alone import prepare_worker
    from realtime.batch.convert import Converter

    prepare_worker()
    return Converter(options)


class _Told:
    def __init__(self, counter: Any, number: int):
        self._counter, self._number, self._frames, self._last_s = counter, number, 0, time.monotonic()

    def __call__(self, frames: int) -> None:
        self._frames += frames
        if time.monotonic() - self._last_s >= TELL_S:
            self._last_s = time.monotonic()
            self._counter.tell.remote(self._number, self._frames)


def _lines(error: Exception) -> list[str]:
    return str(error).strip().splitlines() or [type(error).__name__]


def _knock(address: str) -> None:
    """Raises OSError, ValueError at once where nobody listens: Ray itself would go on trying for minutes."""
    if address != "auto":
        host, _, port = address.removeprefix("ray://").rpartition(":")
        socket.create_connection((host, int(port)), KNOCK_S).close()


def _library() -> Any:
    try:
        import ray
    except ImportError as why:
        raise DependencyError(f"--ray needs the extra `ray`: pip install -e '.[ray]' ({why})") from why
    return ray
