"""Pictures that leave on a thread of their own: order, delay, a slow and a failing receiver; how they fit."""

import threading
import time
from fractions import Fraction

import numpy as np
import pytest

from realtime.errors import NakedeyeError, SinkError
from realtime.frame import Frame
from realtime.sinks.base import Shot
from realtime.sinks.fitting import even, fitted
from realtime.sinks.outgoing import MOST_WAITING, Outgoing


class Received:
    """A channel that keeps times of arrival; `gate` is waited for before each picture."""

    def __init__(self, gate=None, breaks=None):
        self.pictures, self.arrived_s, self.closed = [], [], 0
        self.gate, self.breaks = gate, breaks

    def send(self, picture, time_s):
        if self.gate is not None:
            self.gate.wait(5)
        if self.breaks is not None:
            raise self.breaks
        self.pictures.append((int(picture[0, 0, 0]), time_s))
        self.arrived_s.append(time.perf_counter())

    def close(self):
        self.closed += 1


def shot(index, captured_s=None):
    frame = Frame(np.full((4, 6, 3), index, np.uint8), index, index, Fraction(1, 30))
    return Shot(frame, frame, (), captured_s=time.perf_counter() if captured_s is None else captured_s)


def test_everything_arrives_in_order_and_the_channel_is_closed_once():
    channel = Received()
    sink = Outgoing(channel)
    for index in range(3):
        sink.write(shot(index))
        time.sleep(0.02)
    sink.close()
    assert [number for number, _ in channel.pictures] == [0, 1, 2] and channel.pictures[2][1] == pytest.approx(2 / 30)
    assert channel.closed == 1 and (sink.sent, sink.dropped) == (3, 0)


def test_the_delay_is_from_the_capture():
    channel = Received()
    sink = Outgoing(channel, delay_s=0.3)
    start = time.perf_counter()
    sink.write(shot(0, captured_s=start - 0.1))
    time.sleep(0.4)
    sink.close()
    assert channel.arrived_s[0] - start == pytest.approx(0.2, abs=0.08)


def test_at_the_end_nothing_waits_for_its_delay():
    channel = Received()
    sink = Outgoing(channel, delay_s=2.0)
    for index in range(3):
        sink.write(shot(index))
    start = time.perf_counter()
    sink.close()
    assert [number for number, _ in channel.pictures] == [0, 1, 2] and time.perf_counter() - start < 1


def test_a_slow_receiver_slows_nobody_and_gets_the_newest():
    gate = threading.Event()
    channel = Received(gate)
    sink = Outgoing(channel)
    start = time.perf_counter()
    for index in range(50):
        sink.write(shot(index))
    assert time.perf_counter() - start < 0.5
    gate.set()
    sink.close()
    assert channel.pictures[-1][0] == 49 and sink.sent + sink.dropped == 50
    assert sink.sent <= 2 * MOST_WAITING


@pytest.mark.parametrize(("error", "words"), [(SinkError("gone"), "gone"), (RuntimeError("odd"), "RuntimeError: odd")])
def test_a_failing_channel_is_an_error_of_the_next_write_and_closed(error, words):
    channel = Received(breaks=error)
    sink = Outgoing(channel)
    sink.write(shot(0))
    with pytest.raises(NakedeyeError, match=words):
        for index in range(100):
            sink.write(shot(index))
            time.sleep(0.01)
    sink.close()
    assert channel.closed == 1


def test_an_error_of_the_last_picture_is_an_error_of_closing():
    sink = Outgoing(Received(breaks=SinkError("gone")), delay_s=1.0)
    sink.write(shot(0))
    with pytest.raises(SinkError, match="gone"):
        sink.close()


def test_pictures_are_fitted_whole_and_centred():
    white = np.full((100, 200, 3), 255, np.uint8)
    picture = fitted(white, (100, 100))
    assert picture.shape == (100, 100, 3)
    rows = np.flatnonzero(picture[:, 50, 0] > 128)
    assert (rows[0], rows[-1]) == (25, 74)
    assert fitted(white[:99, :199], even((199, 99))).shape == (98, 198, 3)
    assert np.array_equal(fitted(white, (200, 100)), white)
    clear = fitted(np.full((100, 200, 4), 255, np.uint8), (100, 100))
    assert clear.shape == (100, 100, 4) and clear[0, 50, 3] == 0 and clear[50, 50, 3] == 255
