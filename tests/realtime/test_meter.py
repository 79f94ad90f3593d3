"""Durations, rates and percentiles, on a clock that the test turns."""

import pytest

from realtime.meter import Meter


class Clock:
    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


def test_the_rate_counts_intervals_not_frames():
    clock = Clock()
    meter = Meter(clock)
    for _ in range(31):
        clock.now += 0.1
        meter.finish_frame(captured_s=clock.now - 0.25)
    timing = meter.timing()
    assert timing.frames == 31
    assert timing.fps == pytest.approx(10.0)  # 30 intervals in 3 seconds
    assert timing.latency.median_s == pytest.approx(0.25)
    assert timing.interval.count == 30 and timing.interval.p95_s == pytest.approx(0.1)


def test_stage_medians_and_percentiles():
    clock = Clock()
    meter = Meter(clock)
    for milliseconds in range(1, 101):
        with meter.time("detect"):
            clock.now += milliseconds / 1000
    spread = meter.timing().stages["detect"]
    assert spread.count == 100
    assert spread.median_s == pytest.approx(0.0505)
    assert spread.p95_s == pytest.approx(0.09505)


def test_memory_is_bounded_and_few_frames_are_no_rate():
    meter = Meter(Clock(), window=16)
    for number in range(1000):
        meter.record("stage", float(number))
    assert meter.timing().stages["stage"].count == 16
    assert meter.timing().stages["stage"].median_s == pytest.approx(991.5)
    assert meter.timing().fps == 0.0
    meter.finish_frame(0.0)
    assert meter.timing().fps == 0.0
