"""The pool: every unit ends with an outcome, whatever happens to the process that does it."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from realtime.batch.inputs import Job
from realtime.batch.work import Ended, Plan, Progress, Whole
from realtime.batch.workers import Workers
from realtime.options import Options
from tests.realtime.batch.clips import film

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return film(tmp_path_factory.mktemp("clip") / "clip.mp4", 12)


def ended(workers: Workers, count: int, on_progress=lambda worker: None) -> list[Ended]:
    """The ends of `count` units."""
    ends: list[Ended] = []
    deadline = time.monotonic() + 200
    while len(ends) < count:
        assert time.monotonic() < deadline, "hangs"
        for event in workers.events(0.1):
            if isinstance(event, Ended):
                ends.append(event)
            elif isinstance(event, Progress) and event.frames:
                on_progress(workers)
    return ends


def pids(workers: Workers) -> list[int]:
    return [worker.process.pid for worker in workers._workers]


def test_a_killed_worker_is_replaced_and_its_unit_done(clip, tmp_path):
    job, killed = Job("clip.mp4", clip, "clip"), []

    def kill_once(workers: Workers) -> None:
        if not killed:
            killed.extend(pids(workers))
            os.kill(killed[0], signal.SIGKILL)

    workers = Workers(Options(verb="batch", view="mesh", renderer="software"), 1)
    try:
        workers.submit(Whole(job, tmp_path))
        assert not workers.room()
        (end,) = ended(workers, 1, kill_once)
        assert killed and pids(workers) != killed
        assert end.outcome.error is None and end.outcome.frames == 12 and end.outcome.attempts == 2
        assert end.outcome.finished is not None and (end.outcome.finished / "clip.glb").exists()
    finally:
        workers.close()
    assert len(list(tmp_path.glob("whole-*"))) == 2  # what the dead one left is nobody's result


def test_a_unit_that_kills_its_workers_fails_and_says_how(clip, tmp_path):
    """A list may hold a pipe: nobody writes into this one, so that its reader waits until it is killed."""
    os.mkfifo(tmp_path / "pipe.mp4")
    workers = Workers(Options(verb="batch"), 1)
    stop = threading.Event()

    def kill_all() -> None:
        while not stop.wait(0.05):
            for worker in list(workers._workers):
                if worker.unit is not None and time.monotonic() - worker.heard_s > 0.2:
                    worker.process.kill()

    killer = threading.Thread(target=kill_all)
    try:
        workers.submit(Whole(Job("pipe.mp4", tmp_path / "pipe.mp4", "pipe"), tmp_path))
        killer.start()
        (end,) = ended(workers, 1)
        stop.set()
        killer.join()
        assert end.outcome.error == "the worker died (SIGKILL: out of memory?), 2 times" and end.outcome.attempts == 2
        workers.submit(Plan(Job("clip.mp4", clip, "clip"), tmp_path, 60.0))  # and the next one is done
        assert ended(workers, 1)[0].outcome.error is None
    finally:
        stop.set()
        workers.close()


def test_a_worker_that_hangs_is_noticed(clip, tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    workers = Workers(Options(verb="batch"), 1, stall_s=1.0)
    try:
        workers.submit(Whole(Job("pipe.mp4", tmp_path / "pipe.mp4", "pipe"), tmp_path))
        (end,) = ended(workers, 1)
        assert end.outcome.error is not None and "died (SIGKILL" in end.outcome.error
    finally:
        workers.close()


def test_closing_ends_every_process(clip, tmp_path):
    workers = Workers(Options(verb="batch"), 2)
    for name in ("a", "b"):
        workers.submit(Whole(Job(f"{name}.mp4", clip, name), tmp_path))
    running = pids(workers)
    assert len(set(running)) == 2
    workers.close()
    for pid in running:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
