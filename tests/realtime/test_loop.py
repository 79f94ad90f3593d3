"""The loop: order, ends, errors at every place, dropping, bounded memory."""

import os
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction

import numpy as np
import pytest

from realtime.errors import SinkError, SourceError
from realtime.frame import Face, Frame
from realtime.loop import Loop
from realtime.sinks.base import NullSink
from realtime.sources.base import Properties, Silent
from realtime.workers import Group

FACE = Face(0, np.zeros(4, np.float32), np.zeros((68, 2), np.float32))


class Counting(Silent):
    """Frames whose pixels are their index; `breaks` raises in place of that frame; `gate` is asked before each."""

    def __init__(self, count, live=False, breaks=None, gate=None):
        self.properties = Properties("counting", "counting", (4, 4), live=live)
        self.count, self.breaks, self.gate = count, breaks, gate
        self.given = 0
        self.closed = 0

    def frames(self):
        for index in range(self.count):
            if index == self.breaks:
                raise SourceError("counting: unplugged")
            if self.gate is not None:
                self.gate(index)
            self.given = index + 1
            yield Frame(np.full((4, 4, 3), index % 256, np.uint8), index, index, Fraction(1, 30))

    def close(self):
        self.closed += 1


class Collect:
    paths = ()

    def __init__(self, breaks=None, close_breaks=False):
        self.shots, self.closed, self.breaks, self.close_breaks = [], 0, breaks, close_breaks

    def write(self, shot):
        if shot.frame.index == self.breaks:
            raise SinkError("disk full")
        self.shots.append(shot)

    def close(self):
        self.closed += 1
        if self.close_breaks:
            raise SinkError("cannot be ended")

    @property
    def indices(self):
        return [shot.frame.index for shot in self.shots]


def same(frame, faces):
    return frame, faces


def breaks_at(index):
    def breaking(frame, faces):
        if frame.index == index:
            raise RuntimeError("network broke")
        return frame, faces

    return breaking


def no_threads_left():
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        if not [thread for thread in threading.enumerate() if thread.name.startswith(("infer", "capture"))]:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_order_is_restored_behind_workers(workers):
    def uneven(frame, faces):
        time.sleep((frame.index * 7 % 5) * 0.001)
        return frame.with_(image=frame.image + 1), (FACE,)

    source, sink = Counting(60), Collect()
    report = Loop(source, [Group([uneven], workers), Group([same])], [sink]).run()
    assert sink.indices == list(range(60))
    assert all(shot.frame.image[0, 0, 0] == shot.original.image[0, 0, 0] + 1 for shot in sink.shots)
    assert report.frames == report.frames_with_faces == 60 and report.dropped == 0 and not report.stopped
    assert (source.closed, sink.closed) == (1, 1) and no_threads_left()


def test_groups_run_at_the_same_time():
    """The second group holds its first frame until the first group has begun the next one."""
    begun = threading.Event()

    def first(frame, faces):
        if frame.index == 1:
            begun.set()
        return frame, faces

    def second(frame, faces):
        assert begun.wait(5)
        return frame, faces

    assert Loop(Counting(3), [Group([first]), Group([second])], [NullSink()]).run().frames == 3


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("where", ["source", "first group", "second group", "render", "sink"])
def test_an_error_anywhere_ends_everything_behind_the_frames_before_it(where, workers):
    source = Counting(1000, breaks=20 if where == "source" else None)
    sink, other = Collect(breaks=20 if where == "sink" else None), Collect()
    groups = [
        Group([breaks_at(20 if where == "first group" else -1)], workers),
        Group([same, breaks_at(20 if where == "second group" else -1)], workers),
    ]

    def render(frame, faces):
        if where == "render" and frame.index == 20:
            raise RuntimeError("no GL")
        return frame.image

    with pytest.raises((SourceError, RuntimeError, SinkError)):
        Loop(source, groups, [sink, other], render=render).run()
    assert sink.indices == other.indices == list(range(20))
    assert (source.closed, sink.closed, other.closed) == (1, 1, 1)
    assert no_threads_left()


def test_an_error_while_closing_is_raised_and_the_other_sinks_are_closed():
    bad, good = Collect(close_breaks=True), Collect()
    with pytest.raises(SinkError, match="cannot be ended"):
        Loop(Counting(3), [Group([same])], [bad, good]).run()
    assert good.closed == 1 and good.indices == [0, 1, 2]


def test_live_input_drops_the_oldest_and_bounds_the_latency():
    def gate(index):
        time.sleep(0.001)

    def slow(frame, faces):
        time.sleep(0.01)
        return frame, faces

    source, sink = Counting(150, live=True, gate=gate), Collect()
    report = Loop(source, [Group([slow])], [sink]).run()
    assert sink.indices == sorted(set(sink.indices)) and sink.indices[-1] == 149
    assert report.dropped > 50 and report.dropped + report.frames == 150
    assert report.timing.latency.p95_s < 0.6  # a queue would make it 1.3


def test_a_recorded_source_is_never_far_ahead():
    ahead = []
    source = Counting(200)

    class Slow(Collect):
        def write(self, shot):
            ahead.append(source.given - shot.frame.index)
            super().write(shot)

    Loop(source, [Group([same]), Group([same], workers=2)], [Slow()], depth=2).run()
    assert max(ahead) <= 12  # three queues of two, four threads with one each, and the frame being written


@pytest.mark.parametrize("live", [False, True])
def test_a_limit_ends_the_run(live):
    source, sink = Counting(10**9, live=live), Collect()
    report = Loop(source, [Group([same])], [sink], limit=25).run()
    assert report.frames == len(sink.shots) == 25
    assert live or sink.indices == list(range(25))
    assert source.closed == 1 and no_threads_left()


def test_stop_ends_the_run_and_idle_is_called_meanwhile():
    waiting = threading.Event()
    calls = []

    def gate(index):
        if index == 5:
            waiting.wait(10)

    sink = Collect()

    def idle():
        calls.append(1)
        if len(calls) == 3:
            loop.stop()
            waiting.set()

    loop = Loop(Counting(10**9, gate=gate), [Group([same])], [sink], idle=idle)
    report = loop.run()
    assert report.stopped and sink.indices == list(range(5)) and sink.closed == 1 and len(calls) == 3


def test_times_of_every_stage_reach_the_shots_and_the_report():
    class Detect:
        def __call__(self, frame, faces):
            return frame, faces

    class Named(Detect):
        name = "regress"

    sink = Collect()
    report = Loop(Counting(10), [Group([Detect(), Named()]), Group([same])], [sink], render=lambda f, _: f.image).run()
    assert set(report.timing.stages) == {"capture", "detect", "regress", "same", "render", "sinks"}
    assert set(sink.shots[0].timings_s) == {"detect", "regress", "same", "render", "sinks"}
    assert all(spread.count == 10 for spread in report.timing.stages.values())
    assert sink.shots[3].rendered[0, 0, 0] == 3


def test_an_empty_source_ends_well():
    report = Loop(Counting(0), [Group([same])], [NullSink()]).run()
    assert report.frames == 0 and report.timing.fps == 0.0


def test_stages_may_not_write_into_the_captured_picture():
    def careless(frame, faces):
        frame.image[0, 0] = 0
        return frame, faces

    with pytest.raises(ValueError, match="read-only"):
        Loop(Counting(3), [Group([careless])], [NullSink()]).run()


ENDLESS = """
import sys
from fractions import Fraction
import numpy as np
from realtime.errors import NakedeyeError
from realtime.frame import Frame
from realtime.loop import Loop
from realtime.sources.base import Properties, Silent
from realtime.workers import Group

class Endless(Silent):
    properties = Properties("endless", "endless", (4, 4))
    def frames(self):
        for index in range(10**9):
            yield Frame(np.zeros((4, 4, 3), np.uint8), index)
    def close(self):
        print("source closed", flush=True)

class Sink:
    paths = ()
    def write(self, shot):
        if shot.frame.index == 50:
            print("running", flush=True)
    def close(self):
        print("sink closed", flush=True)

try:
    Loop(Endless(), [Group([lambda frame, faces: (frame, faces)])], [Sink()]).run()
except NakedeyeError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_closes_everything_and_ends_with_130(number):
    process = subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "running\n"
    os.kill(process.pid, number)
    rest, _ = process.communicate(timeout=20)
    assert "sink closed" in rest and "source closed" in rest and "interrupted after" in rest
    assert process.returncode == 130
