"""The delay line on a clock of the test's own."""

import pytest

from realtime.arguments import parse
from realtime.delay import DelayLine


def test_a_picture_comes_out_its_delay_after_its_capture_whatever_the_chain_took():
    line: DelayLine[str] = DelayLine(0.2)
    for captured, now, name in ((10.00, 10.05, "quick"), (10.033, 10.18, "slow"), (10.066, 10.19, "slower")):
        line.put(captured, name)
        assert line.take(now) == []
    assert line.wait_s(10.19) == pytest.approx(0.01)
    assert line.take(10.1999) == [] and line.take(10.2001) == ["quick"]
    assert line.wait_s(10.21) == pytest.approx(0.023)
    assert line.take(10.27) == ["slow", "slower"]
    assert line.wait_s(10.27) is None and len(line) == 0


def test_one_that_took_longer_than_the_delay_leaves_at_once_and_in_order():
    line: DelayLine[str] = DelayLine(0.1)
    line.put(5.0, "late")
    assert line.wait_s(5.4) == 0.0
    line.put(5.033, "next")
    assert line.take(5.4) == ["late", "next"]


def test_without_a_delay_everything_is_due():
    line: DelayLine[int] = DelayLine()
    line.put(1.0, 1)
    assert line.take(1.0) == [1]


def test_what_waits_at_the_end_is_not_lost():
    line: DelayLine[int] = DelayLine(2.0)
    line.put(0.0, 1)
    line.put(0.1, 2)
    assert line.take_all() == [1, 2] and line.take_all() == []


@pytest.mark.parametrize("delay_s", [-0.1, 2.5])
def test_delays_that_cannot_be(delay_s):
    with pytest.raises(ValueError, match="a delay is 0 to 2 s"):
        DelayLine(delay_s)


def test_the_option_is_in_milliseconds(capsys):
    assert parse(["live", "--delay", "250"]).delay_s == 0.25
    with pytest.raises(SystemExit) as ended:
        parse(["live", "--delay", "3000"])
    assert ended.value.code == 2 and "between 0 and 2000" in capsys.readouterr().err
