from fractions import Fraction

import numpy as np
import pytest

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.drive import Eye
from realtime.sinks.senders.base import Moment
from realtime.sinks.senders.ifacialmocap import IFacialMocap, short_name
from tests.realtime.sinks.senders.conftest import driven
from tests.realtime.sinks.senders.receivers import read_ifacialmocap

MOMENT = Moment(0.0, Fraction(30), (640, 480))


def test_all_shapes_are_there_by_the_apps_names():
    names = [short_name(name) for name in ARKIT_NAMES]
    assert len(set(names)) == 52 and {"mouthLeft", "jawRight", "mouthSmile_R", "browInnerUp", "noseSneer_L"} <= {*names}
    shapes, _ = read_ifacialmocap(IFacialMocap().encode([driven({"noseSneerRight": 0.4})], MOMENT)[0])
    assert set(shapes) == set(names) and shapes["noseSneer_R"] == 40


def test_head_and_eyes_turn_as_the_app_counts_and_the_place_is_in_metres():
    face = driven(pitch=0.2, left=Eye(yaw=0.1), right=Eye(pitch=0.05), scale=0.64, at=(319.5 + 64, 239.5 - 32))
    _, bones = read_ifacialmocap(IFacialMocap().encode([face], MOMENT)[0])
    assert bones["head"] == pytest.approx([np.degrees(0.2), 0, 0, 0.1, 0.05, -1.0], abs=1e-4)
    assert bones["leftEye"] == pytest.approx([0, np.degrees(0.1), 0], abs=1e-4)
    assert bones["rightEye"] == pytest.approx([np.degrees(0.05), 0, 0], abs=1e-4)


def test_nobody_sends_nothing():
    assert IFacialMocap().encode([], MOMENT) == []
