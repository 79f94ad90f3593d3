from fractions import Fraction

import numpy as np
import pytest

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.drive import Eye
from realtime.sinks.livelink_csv import COLUMNS, LiveLinkCsvSink, timecode
from realtime.sinks.senders.base import Moment
from realtime.sinks.senders.livelink import VALUE_NAMES, LiveLink
from tests.realtime.sinks.senders.conftest import driven, shot_of
from tests.realtime.sinks.senders.receivers import read_livelink

MOMENT = Moment(2.002, Fraction(30000, 1001), (640, 480))  # frame 60 exactly
DEVICE_OF_ME = b"$fc4ce97c-e468-52e2-aac4-e2f62b1a5bf1"


def test_a_packet_is_these_bytes():
    face = driven({"eyeBlinkLeft": 1.0, "tongueOut": 0.5}, yaw=np.pi / 4)
    (packet,) = LiveLink("Me").encode([face], MOMENT)
    assert packet == (
        b"\x06\0\0\0" + DEVICE_OF_ME + b"\0\0\0\x02Me"
        b"\0\0\0\x3c" b"\0\0\0\0" b"\0\0\x75\x30" b"\0\0\x03\xe9" b"\x3d"
        b"\x3f\x80\0\0" + b"\0" * 4 * 50 + b"\x3f\0\0\0"  # a blink, fifty shapes at rest, tongue out
        b"\x3e\x80\0\0" + b"\0" * 4 * 8  # a quarter of a half turn to the left
    )  # fmt: skip


def test_unreal_reads_names_order_time_and_angles():
    face = driven({"jawLeft": 0.25, "mouthRight": 0.75}, pitch=0.2, left=Eye(yaw=0.1), right=Eye(pitch=-0.3))
    found = read_livelink(LiveLink().encode([face], MOMENT)[0])
    assert (found["version"], found["name"], found["rate"]) == (6, "Nakedeye", (30000, 1001))
    assert found["device"][0] == "$" and len(found["device"]) == 37
    assert found["frame"] + found["part"] == pytest.approx(60, abs=1e-4)
    values = dict(zip(VALUE_NAMES, found["values"], strict=True))
    assert [name[0].lower() + name[1:] for name in VALUE_NAMES[:52]] == list(ARKIT_NAMES)
    assert (values["JawLeft"], values["MouthRight"]) == (0.25, 0.75)
    assert found["values"][15] == 0.25 and found["values"][22] == 0.75
    assert values["HeadPitch"] * np.pi == pytest.approx(0.2) and values["HeadYaw"] == pytest.approx(0, abs=1e-7)
    assert values["LeftEyeYaw"] * np.pi == pytest.approx(0.1)
    assert values["RightEyePitch"] * np.pi == pytest.approx(-0.3)


def test_every_face_is_a_subject_that_keeps_its_name():
    sender = LiveLink("A")

    def names(*tracks: int) -> list[str]:
        return [read_livelink(packet)["name"] for packet in sender.encode([driven(track=t) for t in tracks], MOMENT)]

    assert names(3, 7) == ["A", "A 2"]
    assert names(7) == ["A 2"]  # the first one left
    assert names(9, 7) == ["A", "A 2"]
    devices = {read_livelink(packet)["device"] for packet in sender.encode([driven(track=7), driven(track=9)], MOMENT)}
    assert len(devices) == 2 and not sender.encode([], MOMENT)


def test_the_recording_has_the_apps_columns(tmp_path):
    path = tmp_path / "take.csv"
    sink = LiveLinkCsvSink(path, Fraction(30))
    sink.write(shot_of(driven({"jawLeft": 0.25, "mouthLeft": 0.5}, yaw=np.pi / 2), index=47))
    sink.write(shot_of(index=48))
    sink.close()
    header, row = path.read_text().splitlines()
    assert header.startswith("Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft")
    assert "JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft," in header
    assert header.endswith("TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,"
                           "RightEyeYaw,RightEyePitch,RightEyeRoll")  # fmt: skip
    assert row.startswith("00:00:01:17.000,61,0.00000000,")
    values = dict(zip(COLUMNS, (float(cell) for cell in row.split(",")[2:]), strict=True))
    assert (values["JawLeft"], values["JawRight"], values["MouthLeft"]) == (0.25, 0, 0.5)
    assert values["HeadYaw"] == pytest.approx(0.5) and sink.paths == (path,)


@pytest.mark.parametrize(
    ("time_s", "rate", "code"),
    [(0, 30, "00:00:00:00.000"), (3661.5, 60, "01:01:01:30.000"), (0.9999999, 30, "00:00:01:00.000"),
     (1.025, 60, "00:00:01:01.500")],
)  # fmt: skip
def test_time_codes(time_s, rate, code):
    assert timecode(time_s, Fraction(rate)) == code
