"""Every sender's whole packet is what a hand laid out, when encoded and when it has come through a real socket."""

from fractions import Fraction

import numpy as np
import pytest

from realtime.frame import Frame
from realtime.sinks.base import Shot
from realtime.sinks.livelink_csv import LiveLinkCsvSink
from realtime.sinks.senders.base import Moment
from realtime.sinks.senders.ifacialmocap import IFacialMocap
from realtime.sinks.senders.livelink import LiveLink
from realtime.sinks.senders.openseeface import OpenSeeFace
from realtime.sinks.senders.sink import SenderSink
from realtime.sinks.senders.target import PROTOCOLS, Target
from realtime.sinks.senders.vmc import Vmc
from tests.realtime.sinks.senders import golden, golden_openseeface
from tests.realtime.sinks.senders.receivers import listening

RATE = Fraction(30)
PACKETS = {
    "vmc": (Vmc, golden.golden_vmc()),
    "livelink": (LiveLink, [golden.golden_livelink()]),
    "ifacialmocap": (IFacialMocap, [golden.GOLDEN_IFACIALMOCAP]),
    "openseeface": (
        lambda: OpenSeeFace(golden_openseeface.sloping_model()), [golden_openseeface.golden_openseeface()],
    ),
}  # fmt: skip


def shot_of(name: str) -> Shot:
    """The golden face of a protocol, 640x480."""
    of = golden_openseeface if name == "openseeface" else golden
    face = golden_openseeface.sloping_face() if name == "openseeface" else golden.golden_face()
    index = round(of.TIME_S * 1000)
    frame = Frame(np.zeros((480, 640, 3), np.uint8), index, pts=index, time_base=Fraction(1, 1000))
    return Shot(frame, frame, (face,))


def test_every_protocol_has_a_golden_packet():
    assert set(PACKETS) == set(PROTOCOLS)


@pytest.mark.parametrize("name", PACKETS)
def test_whole_packets_are_these_bytes(name):
    make, expected = PACKETS[name]
    shot = shot_of(name)
    assert make().encode(shot.faces, Moment(shot.original.time_s, RATE, (640, 480))) == expected


@pytest.mark.parametrize("name", PACKETS)
def test_the_same_bytes_come_out_of_a_real_socket(name, monkeypatch):
    monkeypatch.setattr("realtime.sinks.senders.target.load_face_model", lambda _: golden_openseeface.sloping_model())
    _, expected = PACKETS[name]
    with listening() as (receiver, port):
        sink = SenderSink(Target(name, "127.0.0.1", port), RATE)
        sink.write(shot_of(name))
        assert [receiver.recv(65536) for _ in expected] == expected
        sink.close()


def test_the_packets_have_the_documented_lengths():
    assert [len(packet) <= 1400 for packet in golden.golden_vmc()] == [True] * 3
    assert len(golden.golden_livelink()) == 4 + 37 + 4 + 8 + 16 + 1 + 61 * 4
    assert golden.GOLDEN_IFACIALMOCAP.count(b"|") == 52 + 3
    assert len(golden_openseeface.golden_openseeface()) == 1785


def test_the_whole_recording_is_this_text(tmp_path):
    sink = LiveLinkCsvSink(tmp_path / "take.csv", RATE)
    sink.write(shot_of("livelink"))
    sink.close()
    assert (tmp_path / "take.csv").read_bytes().decode() == golden.GOLDEN_CSV
