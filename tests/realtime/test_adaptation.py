import numpy as np
import pytest

from realtime.adaptation import Adaptation
from realtime.blink_hold import BlinkHold
from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import Pose

DT = 1 / 30
REST = dict.fromkeys(ARKIT_NAMES, 0.0)


def head(yaw: float = 0.0, pitch: float = 0.0) -> Pose:
    return Pose(pitch, yaw, 0.0, 1.0, 320.0, 240.0)


def test_at_first_a_weight_is_itself_but_for_noise():
    fitted = Adaptation().fit(REST | {"jawOpen": 0.6, "browInnerUp": 0.02}, head(), 0.0)
    assert fitted["jawOpen"] == pytest.approx(0.6, abs=0.02) and fitted["browInnerUp"] == 0
    assert set(fitted) == set(ARKIT_NAMES)


def test_a_shape_that_never_gets_far_reaches_further_in_time_and_stays_bounded():
    adaptation = Adaptation()
    for index in range(30 * 60):
        smiling = 0.4 if index // 30 % 4 == 0 else 0.0
        fitted = adaptation.fit(REST | {"mouthSmileLeft": smiling, "cheekPuff": 0.15 * (smiling > 0)}, head(), DT)
    fitted = adaptation.fit(REST | {"mouthSmileLeft": 0.4, "cheekPuff": 0.15}, head(), DT)
    assert 0.7 < fitted["mouthSmileLeft"] < 0.85  # half is the least that counts as all
    assert fitted["cheekPuff"] < 0.16  # never used: its noise is not made larger


def test_a_bias_at_rest_is_taken_off_and_an_expression_that_lasts_is_not():
    adaptation = Adaptation()
    for _ in range(30 * 120):
        adaptation.fit(REST | {"jawOpen": 0.12, "mouthSmileLeft": 0.6}, head(), DT)
    fitted = adaptation.fit(REST | {"jawOpen": 0.12, "mouthSmileLeft": 0.6}, head(), DT)
    assert fitted["jawOpen"] < 0.03 and fitted["mouthSmileLeft"] > 0.4


def test_what_a_turn_does_to_a_shape_is_learnt_and_taken_off():
    adaptation = Adaptation()

    def seen(yaw: float) -> dict[str, float]:
        return REST | {"noseSneerLeft": 0.4 * max(yaw, 0.0), "mouthLeft": 0.3 * max(-yaw, 0.0)}

    for index in range(30 * 12):
        yaw = 0.45 * np.sin(index / 30)
        adaptation.fit(seen(yaw), head(yaw), DT)
    for yaw in (-0.4, -0.2, 0.2, 0.4):
        fitted = adaptation.fit(seen(yaw), head(yaw), DT)
        assert max(fitted["noseSneerLeft"], fitted["mouthLeft"]) < 0.02
    fitted = adaptation.fit(seen(0.4) | {"jawOpen": 0.7}, head(0.4), DT)
    assert fitted["jawOpen"] > 0.6


def test_a_smile_to_one_side_is_no_error_of_the_networks():
    adaptation = Adaptation()
    for index in range(30 * 30):
        yaw = 0.4 * np.sin(index / 20)
        fitted = adaptation.fit(REST | {"mouthSmileLeft": 0.8 if yaw > 0.2 else 0.0}, head(yaw), DT)
    fitted = adaptation.fit(REST | {"mouthSmileLeft": 0.8}, head(0.3), DT)
    assert fitted["mouthSmileLeft"] > 0.55


def test_measured_eyes_are_left_alone():
    adaptation = Adaptation()
    for _ in range(300):
        fitted = adaptation.fit(REST | {"eyeBlinkLeft": 0.4, "eyeLookInLeft": 0.3}, head(0.3), DT)
    assert (fitted["eyeBlinkLeft"], fitted["eyeLookInLeft"]) == (0.4, 0.3)


def test_a_blink_does_not_nod_the_head_and_a_turn_goes_on_behind_closed_eyes():
    hold, degree = BlinkHold(), np.radians(1)
    hold.take(head(), 1.0, DT)
    assert hold.take(head(pitch=degree), 0.0, DT).pitch == pytest.approx(0)
    assert hold.take(head(yaw=10 * degree), 0.0, DT).yaw == pytest.approx(8.75 * degree)
    assert hold.take(head(yaw=10 * degree), 1.0, DT).yaw == pytest.approx(10 * degree)
    assert hold.take(head(pitch=degree), 0.0, 0.0).pitch == pytest.approx(degree)
