import pytest

from realtime.sinks.senders import osc
from tests.realtime.sinks.senders.receivers import osc_messages


def test_messages_are_these_bytes():
    assert osc.message("/VMC/Ext/OK", 1, 3, 0, 1) == (
        b"/VMC/Ext/OK\0" b",iiii\0\0\0" b"\0\0\0\x01" b"\0\0\0\x03" b"\0\0\0\0" b"\0\0\0\x01"
    )
    assert osc.message("/VMC/Ext/Blend/Val", "Blink_L", 0.5) == (
        b"/VMC/Ext/Blend/Val\0\0" b",sf\0" b"Blink_L\0" b"\x3f\x00\x00\x00"
    )
    assert osc.message("/VMC/Ext/Blend/Apply") == b"/VMC/Ext/Blend/Apply\0\0\0\0,\0\0\0"


def test_a_bundle_is_these_bytes():
    (packet,) = osc.bundles([osc.message("/a", 1)])
    assert packet == b"#bundle\0" b"\0\0\0\0\0\0\0\x01" b"\0\0\0\x0c" b"/a\0\0,i\0\0\0\0\0\x01"


def test_bundles_fit_a_network_packet_and_keep_order():
    messages = [osc.message("/VMC/Ext/Blend/Val", f"Shape{k:02d}", float(k)) for k in range(90)]
    packets = osc.bundles(messages)
    assert len(packets) > 1 and all(len(packet) <= 1400 for packet in packets)
    read = [one for packet in packets for one in osc_messages(packet)]
    assert [arguments for _, arguments in read] == [(f"Shape{k:02d}", float(k)) for k in range(90)]


def test_nothing_makes_no_packet_and_what_has_no_type_is_refused():
    assert osc.bundles([]) == []
    with pytest.raises(TypeError, match="no type for None"):
        osc.message("/a", None)  # type: ignore[arg-type]
