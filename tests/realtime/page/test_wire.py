import json
import struct

import numpy as np
import pytest

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import COUNT, SLICES
from realtime.frame import Face, Glasses
from realtime.options import VIEWS
from realtime.page import wire
from realtime.page.wire import WireError, Wishes

GOLDEN_FRAME = bytes.fromhex("01010000 07000000 0000000000c05e40".replace(" ", "")) + b"\xff\xd8jpeg"
GOLDEN_TAKEN = bytes.fromhex("03010000 07000000".replace(" ", ""))
GOLDEN_RESULT = bytes.fromhex("02010000 07000000 09000000".replace(" ", "")) + b'{"ok":99}' + b"\xff\xd8"


def test_golden_bytes():
    assert wire.pack_frame(7, 123.0, b"\xff\xd8jpeg") == GOLDEN_FRAME
    assert wire.pack_taken(7) == GOLDEN_TAKEN
    assert wire.pack_result(7, {"ok": 99}, b"\xff\xd8") == GOLDEN_RESULT


def test_a_frame_is_read_back():
    frame = wire.read_frame(GOLDEN_FRAME)
    assert (frame.sequence, frame.captured_s, bytes(frame.jpeg)) == (7, 0.123, b"\xff\xd8jpeg")
    assert wire.read_result(GOLDEN_RESULT) == (7, {"ok": 99}, b"\xff\xd8")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x01",
        GOLDEN_FRAME[:16],
        b"\x02" + GOLDEN_FRAME[1:],
        b"\x01\x02" + GOLDEN_FRAME[2:],
        GOLDEN_FRAME[:8] + struct.pack("<d", float("nan")) + b"xx",
        GOLDEN_FRAME[:8] + struct.pack("<d", float("inf")) + b"xx",
        GOLDEN_FRAME[:8] + struct.pack("<d", 1e300) + b"xx",
    ],
)
def test_what_is_no_frame_is_told_so(message):
    with pytest.raises(WireError):
        wire.read_frame(message)


def test_wishes_change_only_what_they_name():
    before = Wishes(view="mesh", smooth=0.2)
    after = wire.read_wishes('{"kind": "wishes", "remove": false, "smooth": 1}', before)
    assert after == Wishes(view="mesh", remove=False, smooth=1)
    assert wire.read_wishes('{"kind": "wishes", "calibrate": true}', after).calibrations == 1
    assert all(wire.read_wishes(json.dumps({"kind": "wishes", "view": view}), before).view == view for view in VIEWS)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "3", "[" * 3000, '{"kind": "other"}', '{"kind": "wishes", "view": "../../etc/passwd"}',
        '{"kind": "wishes", "view": ["mesh"]}', '{"kind": "wishes", "smooth": NaN}',
        '{"kind": "wishes", "smooth": true}', '{"kind": "wishes", "smooth": 1.01}', '{"kind": "wishes", "remove": 1}',
        '{"kind": "wishes", "calibrations": 3}', '{"kind": "wishes", "__class__": 1}',
        '{"kind": "wishes", "x": "' + "y" * 5000 + '"}',
    ],
)  # fmt: skip
def test_what_is_no_wish_is_told_so(text):
    with pytest.raises(WireError) as why:
        wire.read_wishes(text, Wishes())
    assert len(str(why.value)) < 200  # it goes back to who sent it


def test_a_face_is_described_in_numbers_that_people_read():
    coefficients = np.zeros(COUNT, np.float32)
    coefficients[SLICES["expression"]][ARKIT_NAMES.index("jawOpen")] = 0.5004
    coefficients[SLICES["pose"]] = [0, np.pi / 6, 0, 1, 0, 0]
    landmarks = np.zeros((68, 2), np.float32)
    face = Face(3, np.array([1.26, 2, 3, 4], np.float32), landmarks, glasses=Glasses.DARK, coefficients=coefficients)
    (told,) = wire.describe_faces((face,))
    assert told["track"] == 3 and told["box"] == [1.3, 2, 3, 4] and told["glasses"] == "dark"
    assert told["pose"] == [0, 30, 0] and len(told["shapes"]) == 52
    assert told["shapes"][ARKIT_NAMES.index("jawOpen")] == 0.5
    json.dumps(told)
