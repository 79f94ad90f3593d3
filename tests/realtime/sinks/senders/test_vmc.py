from fractions import Fraction

import numpy as np
import pytest

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.drive import Eye
from realtime.sinks.senders.base import Moment
from realtime.sinks.senders.vmc import Vmc, transform
from realtime.sinks.senders.vmc_names import VRM1_OF_VRM0, perfect_sync, vrm0, vrm1
from tests.realtime.sinks.senders.conftest import driven
from tests.realtime.sinks.senders.receivers import VmcReceiver

MOMENT = Moment(1.5, Fraction(30), (640, 480))
REST = dict.fromkeys(ARKIT_NAMES, 0.0)


def received(*faces, **options) -> VmcReceiver:
    receiver = VmcReceiver()
    for packet in Vmc(**options).encode(faces, MOMENT):
        receiver.take(packet)
    return receiver


def turn(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Rotate by a quaternion x, y, z, w, as Unity writes it down."""
    return v + 2 * np.cross(q[:3], np.cross(q[:3], v) + q[3] * v)


def test_a_bone_is_these_bytes():
    half = np.sqrt(0.5)
    assert transform("/VMC/Ext/Bone/Pos", "Head", np.array([half, 0, half, 0])) == (
        b"/VMC/Ext/Bone/Pos\0\0\0" b",sfffffff\0\0\0" b"Head\0\0\0\0" + b"\0" * 12 +
        b"\0\0\0\0" b"\xbf\x35\x04\xf3" b"\0\0\0\0" b"\x3f\x35\x04\xf3"
    )  # fmt: skip


def test_a_frame_has_state_time_root_bones_and_all_shapes_applied_once():
    heard = received(driven({"jawOpen": 0.25}))
    assert heard.states == [(1, 3, 0, 1)] and heard.times == [1.5]
    assert heard.root == ("root", 0, 0, 0, 0, 0, 0, 1)
    assert set(heard.bones) == {"Head", "Neck", "LeftEye", "RightEye"}
    assert heard.frames == 1 and set(heard.shapes) == set(vrm0(REST)) | set(perfect_sync(REST))
    assert heard.shapes["JawOpen"] == 0.25 and heard.shapes["A"] == 0.25


def test_nobody_in_view_is_told_and_moves_nothing():
    heard = received()
    assert heard.states == [(1, 3, 0, 0)] and heard.frames == 0 and not heard.bones


@pytest.mark.parametrize(
    ("turned", "nose"),
    [({"yaw": 0.5}, (-np.sin(0.5), 0, np.cos(0.5))), ({"pitch": 0.3}, (0, -np.sin(0.3), np.cos(0.3)))],
)
def test_neck_and_head_together_turn_as_the_person_does(turned, nose):
    """Unity: x to the avatar's right, y up, z ahead. A head turned to its left looks towards -x."""
    bones = received(driven(**turned)).bones
    ahead = turn(np.array(bones["Neck"][3:]), turn(np.array(bones["Head"][3:]), np.array([0, 0, 1.0])))
    np.testing.assert_allclose(ahead, nose, atol=1e-6)


def test_a_head_tilted_to_its_right_tilts_to_the_avatars_right():
    bones = received(driven(roll=0.4)).bones
    top = turn(np.array(bones["Neck"][3:]), turn(np.array(bones["Head"][3:]), np.array([0, 1.0, 0])))
    np.testing.assert_allclose(top, (np.sin(0.4), np.cos(0.4), 0), atol=1e-6)


def test_each_eye_looks_where_it_was_seen():
    bones = received(driven(left=Eye(yaw=0.2), right=Eye(pitch=0.1))).bones
    np.testing.assert_allclose(turn(np.array(bones["LeftEye"][3:]), np.array([0, 0, 1.0])),
                               (-np.sin(0.2), 0, np.cos(0.2)), atol=1e-6)  # fmt: skip
    np.testing.assert_allclose(turn(np.array(bones["RightEye"][3:]), np.array([0, 0, 1.0])),
                               (0, -np.sin(0.1), np.cos(0.1)), atol=1e-6)  # fmt: skip


def test_names_of_each_standard():
    assert set(received(driven(), names=("vrm1",)).shapes) == {*VRM1_OF_VRM0.values(), "surprised"}
    camel = received(driven({"mouthSmileLeft": 0.5}), names=("perfectsync",), case="camel").shapes
    assert tuple(camel) == ARKIT_NAMES and camel["mouthSmileLeft"] == 0.5
    assert "BrowDownLeft" in received(driven(), names=("perfectsync",)).shapes


def test_a_blink_and_a_wink_never_close_an_eye_twice():
    for left, right in ((1.0, 1.0), (1.0, 0.0), (0.3, 0.8)):
        shapes = vrm0(REST | {"eyeBlinkLeft": left, "eyeBlinkRight": right})
        assert shapes["Blink"] + shapes["Blink_L"] == pytest.approx(left)
        assert shapes["Blink"] + shapes["Blink_R"] == pytest.approx(right)


@pytest.mark.parametrize(
    ("shapes", "vowel"),
    [
        ({"jawOpen": 0.8}, "A"),
        ({"mouthStretchLeft": 0.8, "mouthStretchRight": 0.8}, "I"),
        ({"mouthPucker": 0.9}, "U"),
        ({"jawOpen": 0.7, "mouthFunnel": 0.9}, "O"),
    ],
)
def test_the_mouth_says_its_vowel(shapes, vowel):
    weights = vrm0(REST | shapes)
    assert max("AIUEO", key=lambda name: weights[name]) == vowel and weights[vowel] > 0.5
    assert vrm1(REST | shapes)[VRM1_OF_VRM0[vowel]] == weights[vowel]
