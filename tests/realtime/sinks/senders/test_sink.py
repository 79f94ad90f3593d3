import logging
import socket
from fractions import Fraction

import pytest

from realtime.errors import SinkError, UsageError
from realtime.sinks.senders.probe import probe_default, probe_target
from realtime.sinks.senders.sink import SenderSink
from realtime.sinks.senders.target import PROTOCOLS, Target, parse_target
from tests.realtime.sinks.senders.conftest import driven, shot_of
from tests.realtime.sinks.senders.receivers import (
    VmcReceiver,
    listening,
    read_ifacialmocap,
    read_livelink,
    read_openseeface,
)

RATE = Fraction(30)


def free_port() -> int:
    with listening() as (_, port):
        return port


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("vmc://10.0.0.2:40000", Target("vmc", "10.0.0.2", 40000)),
        ("vmc://127.0.0.1", Target("vmc", "127.0.0.1", 39539)),
        ("livelink://studio?subject=Me", Target("livelink", "studio", 11111, (("subject", "Me"),))),
        ("ifacialmocap", Target("ifacialmocap", "127.0.0.1", 49983)),
        ("openseeface://[::1]", Target("openseeface", "::1", 11573)),
    ],
)
def test_targets_are_read_with_their_own_ports(text, target):
    assert parse_target(text) == target


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("osc://127.0.0.1", "vmc://HOST:39539"),
        ("vmc://127.0.0.1:99999", "vmc://127.0.0.1:39539"),
        ("vmc://h?name=x", "no option 'name'"),
        ("vmc://h?names=vrm2", "vrm0,vrm1,perfectsync"),
        ("vmc://h?case=upper", "pascal or camel"),
        ("ifacialmocap://h/path", "HOST:PORT"),
    ],
)
def test_a_target_that_cannot_be_meant_is_explained(text, says):
    with pytest.raises(UsageError, match=says.replace("?", r"\?")):
        parse_target(text)


def test_every_protocol_arrives_at_a_real_receiver_at_once():
    face = driven({"eyeBlinkRight": 1.0, "jawOpen": 0.5}, yaw=0.3)
    with listening() as vmc, listening() as live, listening() as text, listening() as open_see:
        ports = dict(zip(PROTOCOLS, (vmc[1], live[1], text[1], open_see[1]), strict=True))
        sinks = [SenderSink(Target(name, "127.0.0.1", port), RATE) for name, port in ports.items()]
        for index in range(3):
            for sink in sinks:
                sink.write(shot_of(face, index=index))
        heard = VmcReceiver()
        while heard.frames < 3:
            heard.take(vmc[0].recv(65536))
        assert heard.shapes["EyeBlinkRight"] == 1 and heard.shapes["Blink_R"] == 1 and heard.shapes["Blink"] == 0
        assert heard.times == pytest.approx([0, 1 / 30, 2 / 30])
        assert [read_livelink(live[0].recv(65536))["values"][7] for _ in range(3)] == [1, 1, 1]
        assert read_ifacialmocap(text[0].recv(65536))[0]["jawOpen"] == 50
        assert read_openseeface(open_see[0].recv(65536))["features"][0, 1] == -1
        for sink in sinks:
            assert sink.failed == 0 and sink.paths == ()
            sink.close()


def test_the_followed_face_stays_the_one_that_is_sent():
    with listening() as (receiver, port):
        sink = SenderSink(Target("ifacialmocap", "127.0.0.1", port), RATE)

        def jaw(*faces) -> int:
            sink.write(shot_of(*faces))
            return read_ifacialmocap(receiver.recv(65536))[0]["jawOpen"]

        small = driven({"jawOpen": 0.1}, track=0, scale=1.0)
        large = driven({"jawOpen": 0.9}, track=1, scale=2.0)
        assert jaw(small, large) == 90
        assert jaw(driven({"jawOpen": 0.2}, track=0, scale=3.0), large) == 90
        assert jaw(small) == 10
        sink.close()


def test_a_face_without_drive_is_left_out():
    with listening(0.1) as (receiver, port):
        sink = SenderSink(Target("livelink", "127.0.0.1", port), RATE)
        sink.write(shot_of(driven().with_(drive=None)))
        with pytest.raises(TimeoutError):
            receiver.recv(65536)
        sink.close()


class Said(logging.Handler):
    """What one logger says from WARNING on, whatever else listens."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def test_an_absent_receiver_is_said_once_and_never_waited_for():
    port = free_port()
    sink = SenderSink(Target("vmc", "127.0.0.1", port), RATE)
    listener, logger = Said(), logging.getLogger("realtime.sinks.senders.sink")
    logger.addHandler(listener)
    try:
        for index in range(50):
            sink.write(shot_of(driven(), index=index))
    finally:
        logger.removeHandler(listener)
    said = listener.lines
    assert said == [f"VMC to 127.0.0.1:{port}: nobody is listening there; start the receiver, or correct --send"]
    assert sink.failed > 0 and "nobody listening" in sink.status
    with listening():  # a receiver that comes later still gets it
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.bind(("127.0.0.1", port))
            late.settimeout(5)
            for index in range(3):
                sink.write(shot_of(driven(), index=index))
            assert late.recv(65536)
    sink.close()


def test_a_host_without_an_address_is_an_error_at_once():
    with pytest.raises(SinkError, match=r"VMC to no-such-host\.invalid:39539: no-such-host\.invalid has no address"):
        SenderSink(Target("vmc", "no-such-host.invalid", 39539), RATE)


def test_the_rate_is_that_of_the_frames_sent():
    now = [0.0]
    with listening() as (_, port):
        sink = SenderSink(Target("vmc", "127.0.0.1", port), RATE, clock=lambda: now[0])
        for index in range(50):
            now[0] = index / 25
            sink.write(shot_of(driven(), index=index))
        assert sink.rate == pytest.approx(25) and sink.status == f"VMC to 127.0.0.1:{port}, 25/s"
        now[0] += 5
        assert sink.rate == 0
        sink.close()


def test_doctor_hears_who_listens():
    with listening() as (_, port):
        works, line = probe_target(Target("livelink", "127.0.0.1", port))
        assert works is True and f"Live Link Face to 127.0.0.1:{port}: packets leave" in line
    works, line = probe_target(Target("livelink", "127.0.0.1", port))
    assert works is False and "nobody is listening" in line
    works, line = probe_default("vmc")
    assert works in (True, None) and "--send vmc://" in line
