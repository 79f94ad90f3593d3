"""Sources that change while they run: times go on, the old one stays when the new one fails, what was lost is found."""

import threading
import time
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from realtime.errors import SourceError
from realtime.frame import Frame
from realtime.sources.base import Properties, Silent
from realtime.sources.cameras import Camera
from realtime.sources.choices import SourceChoices
from realtime.sources.switching import SwitchingSource


class Camera30(Silent):
    """30 pictures a second for ever, all of one value; `gone` unplugs it; `silent` lets it wait for ever."""

    def __init__(self, value, count=None, silent=False):
        self.properties = Properties(f"camera {value}", "camera", (8, 6), live=True)
        self.value, self.count = value, count
        self.gone, self.silent, self.closed = threading.Event(), silent, threading.Event()

    def frames(self):
        index = 0
        while index != self.count:
            if self.silent:
                self.closed.wait(20)
                return
            if self.gone.wait(1 / 60):
                raise SourceError(f"camera {self.value}: was unplugged")
            yield Frame(np.full((6, 8, 3), self.value, np.uint8), index, index, Fraction(1, 30))
            index += 1

    def close(self):
        self.closed.set()


class Bench:
    def __init__(self, first, others=()):
        self.others, self.told = dict(others), []
        self.source = SwitchingSource(first, "first", self.open, lambda text, bad: self.told.append((text, bad)))
        self.frames = self.source.frames()

    def open(self, choice):
        if choice not in self.others:
            raise SourceError(f"camera {choice}: is in use by another program")
        return self.others[choice]

    def until(self, done):
        """Frames until one of them fulfils `done`."""
        taken = []
        for frame in self.frames:
            taken.append(frame)
            if done(frame):
                return taken
            assert len(taken) < 2000
        raise AssertionError("ended")


def value(frame):
    return int(frame.image[0, 0, 0])


def test_the_new_one_takes_over_with_a_cut_and_times_go_on():
    first, second = Camera30(1), Camera30(2)
    bench = Bench(first, {"second": second})
    taken = [next(bench.frames) for _ in range(5)]
    bench.source.choose("second")
    taken += bench.until(lambda frame: value(frame) == 2)
    taken += [next(bench.frames) for _ in range(3)]
    assert [frame.index for frame in taken] == list(range(len(taken)))
    steps = np.diff([frame.time_s for frame in taken])
    assert steps.min() > 0 and steps.max() < 0.2
    values = [value(frame) for frame in taken]
    assert [frame.cut for frame in taken] == [now == 2 and before == 1 for before, now in pairwise([1, *values])]
    assert bench.source.choice == "second" and bench.source.properties.name == "camera 2"
    assert first.closed.wait(5) and bench.told == [("now from camera 2", False)]
    bench.source.close()
    assert second.closed.wait(5)


def test_one_that_cannot_be_opened_leaves_the_old_one_running():
    bench = Bench(Camera30(1))
    next(bench.frames)
    bench.source.choose("busy")
    bench.until(lambda _: bench.told)
    assert bench.told == [("camera busy: is in use by another program; camera 1 goes on", True)]
    assert value(next(bench.frames)) == 1 and bench.source.choice == "first" and not bench.source.changing
    bench.source.close()


def test_one_that_gives_no_pictures_can_be_left():
    silent = Camera30(1, silent=True)
    bench = Bench(silent, {"second": Camera30(2)})
    bench.source.choose("second")
    assert value(next(bench.frames)) == 2
    bench.source.close()


def test_an_unplugged_one_is_told_of_and_found_again(monkeypatch):
    monkeypatch.setattr("realtime.sources.switching.RETRY_S", 0.1)
    first, again = Camera30(1), Camera30(3)
    bench = Bench(first)
    next(bench.frames)
    first.gone.set()
    threading.Timer(0.5, lambda: bench.others.update(first=again)).start()
    bench.until(lambda frame: value(frame) == 3)
    assert bench.told == [
        ("camera 1: was unplugged; choose another, or plug it in again", True), ("now from camera 3", False),
    ]  # fmt: skip
    bench.source.close()


def test_one_that_ends_ends_all_and_an_odd_error_is_not_hidden():
    bench = Bench(Camera30(1, count=2))
    assert len(list(bench.frames)) >= 1
    bench.source.close()

    class Broken(Camera30):
        def frames(self):
            raise RuntimeError("decoder broke")
            yield

    with pytest.raises(RuntimeError, match="decoder broke"):
        next(Bench(Broken(1)).frames)


def test_it_stops_while_nothing_comes():
    bench = Bench(Camera30(1, silent=True))
    threading.Timer(0.2, bench.source.stop).start()
    start = time.monotonic()
    assert list(bench.frames) == [] and time.monotonic() - start < 5
    bench.source.close()


def test_choices_are_cameras_by_name_the_test_person_and_what_the_run_began_with():
    now = [0.0]
    asked = []

    def cameras():
        asked.append(now[0])
        return [Camera(0, "HD Webcam", "/dev/video0", ()), Camera(2, "Logi", "/dev/video2", ())]

    choices = SourceChoices(("clip.mp4", "clip.mp4"), cameras, clock=lambda: now[0])
    assert choices.choices == (("pattern", "Test person"), ("clip.mp4", "clip.mp4"))
    choices.refresh()
    deadline = time.monotonic() + 10
    while len(choices.choices) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert choices.choices == (
        ("0", "HD Webcam (0)"), ("2", "Logi (2)"), ("pattern", "Test person"), ("clip.mp4", "clip.mp4"),
    )  # fmt: skip
    choices.refresh()
    assert asked == [0.0]  # not asked again so soon
