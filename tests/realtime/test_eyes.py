import numpy as np
import pytest

from realtime.eyes import Eyes, look_weights
from realtime.face.drive import Eye, Look

DT = 1 / 30


def look(strength: float, yaw: float = 0.0, pitch: float = 0.0, visible: float = 1.0) -> Look:
    return Look(np.array([yaw, pitch]), strength, visible)


@pytest.fixture(params=[0.07, 1.1], ids=["pale", "dark"])
def usual(request) -> float:
    """How strong this person's open irises are."""
    return request.param


def settled(usual: float, **more) -> Eyes:
    eyes = Eyes()
    for index in range(60):
        eyes.take((look(usual), look(usual)), 0.0, DT if index else 0.0, 0.5, more.get("adapt", False))
    return eyes


def test_pale_and_dark_eyes_open_and_close_alike(usual):
    eyes = settled(usual)
    for share, opening in ((1.0, 1.0), (0.75, 1.0), (0.4, 0.5), (0.2, 0.0)):
        left, right = eyes.take((look(usual * share), look(usual)), 0.0, DT, 0.5, False)
        assert left.opening == pytest.approx(opening, abs=0.1) and right.opening > 0.95


def test_a_single_picture_of_closed_eyes_shows_closed_eyes():
    left, right = Eyes().take((look(0.018), look(0.018)), 0.0, 0.0, 0.0, False)
    assert left.opening < 0.1 and right.opening < 0.1
    left, right = Eyes().take((look(0.06), look(1.1)), 0.0, 0.0, 0.0, False)
    assert left.opening > 0.9 and right.opening == 1


def test_a_long_sleep_does_not_teach_that_closed_is_open(usual):
    eyes = settled(usual)
    for _ in range(600):  # twenty seconds
        left, right = eyes.take((look(0.2 * usual), look(0.2 * usual)), 0.0, DT, 0.5, True)
    assert left.opening < 0.15 and right.opening < 0.15
    left, right = eyes.take((look(usual), look(usual)), 0.0, DT, 0.5, True)
    assert left.opening > 0.95


def test_closed_eyes_keep_their_gaze_and_an_open_one_speaks_for_both(usual):
    eyes = settled(usual)
    for _ in range(20):
        eyes.take((look(usual, 0.3), look(usual, 0.3)), 0.0, DT, 0.0, False)
    left, right = eyes.take((look(0.1 * usual, -0.8), look(0.1 * usual, 0.9)), 0.0, DT, 0.0, False)
    assert left.yaw == pytest.approx(0.3, abs=0.01) and left.confidence == right.confidence == 0
    left, right = eyes.take((look(0.1 * usual, -0.8), look(usual, 0.35)), 0.0, DT, 0.0, False)
    assert left.yaw == right.yaw == pytest.approx(0.35, abs=0.02)
    assert left.confidence == 0 and right.confidence > 0.9


def test_what_was_repainted_is_not_believed(usual):
    eyes = settled(usual)
    for _ in range(10):
        left, _ = eyes.take((look(0.1, 0.5, visible=0.0), look(0.1, 0.5, visible=0.0)), 0.0, DT, 0.0, False)
    assert left.yaw == 0 and left.confidence == 0 and left.opening == 1.0


def test_an_eye_that_was_repainted_in_part_goes_with_the_other(usual):
    eyes = settled(usual)
    left, right = eyes.take((look(0.25 * usual, visible=0.65), look(usual)), 0.0, DT, 0.0, False)
    assert left.opening > 0.85 and right.opening > 0.95  # what hides its iris is paint, not its lid
    left, right = eyes.take((look(0.1 * usual, visible=0.97), look(usual)), 0.0, DT, 0.0, False)
    assert left.opening < 0.05 and right.opening > 0.95  # a wink
    left, right = eyes.take((look(usual, visible=0.65), look(0.1 * usual)), 0.0, DT, 0.0, False)
    assert left.opening < 0.2 and right.opening < 0.05


def test_the_gaze_settles_where_the_eyes_are_most_of_the_time_but_not_far(usual):
    eyes = settled(usual)
    for _ in range(30 * 90):
        left, _ = eyes.take((look(usual, 0.08), look(usual, 0.08)), 0.0, DT, 0.5, True)
    assert abs(left.yaw) < 0.01
    for _ in range(30 * 90):
        left, _ = eyes.take((look(usual, 0.5), look(usual, 0.5)), 0.0, DT, 0.5, True)
    assert left.yaw > 0.3


def test_weights_of_a_look():
    weights = look_weights(Eye(np.radians(16), np.radians(-12.5), 0.25, 1), Eye(np.radians(16), np.radians(15), 1, 1))
    assert weights["eyeLookOutLeft"] == weights["eyeLookInRight"] == pytest.approx(0.5)
    assert weights["eyeLookInLeft"] == weights["eyeLookOutRight"] == 0
    assert weights["eyeLookUpLeft"] == pytest.approx(0.5) and weights["eyeLookDownRight"] == pytest.approx(0.5)
    assert weights["eyeBlinkLeft"] == 0.75 and weights["eyeBlinkRight"] == 0


def lids(left: float, right: float, strength: float = 0.5, yaw: float = 0.0, visible: float = 1.0) -> tuple[Look, Look]:
    """Looks whose lids are `left` and `right` of an eye's width apart."""
    direction = np.array([yaw, 0.0])
    return Look(direction, strength, visible, left), Look(direction, strength, 1.0, right)


@pytest.mark.parametrize("wide", [0.18, 0.3, 0.38], ids=["narrow", "usual", "round"])
def test_lids_tell_a_blink_and_a_wink_whatever_the_irises_say(wide):
    eyes = Eyes()
    for index in range(90):
        eyes.take(lids(wide, wide), 0.0, DT if index else 0.0, 0.5, False)
    left, right = eyes.take(lids(0.05, wide), 0.0, DT, 0.5, False)
    assert left.opening < 0.05 and right.opening == 1.0
    left, right = eyes.take(lids(wide, wide, strength=0.05, yaw=0.5), 0.0, DT, 0.5, False)  # far aside: hardly an iris
    assert left.opening == right.opening == 1.0
    left, _ = eyes.take(lids(0.54 * wide, wide), 0.0, DT, 0.5, False)
    assert left.opening == pytest.approx(0.5, abs=0.06)


def test_a_wink_stays_a_wink_where_half_of_the_eye_was_repainted():
    eyes = Eyes()
    for index in range(60):
        eyes.take(lids(0.3, 0.3), 0.0, DT if index else 0.0, 0.5, False)
    left, right = eyes.take(lids(0.05, 0.3, visible=0.6), 0.0, DT, 0.5, False)
    assert left.opening < 0.05 and right.opening == 1.0
    left, right = eyes.take(lids(0.05, 0.3, visible=0.1), 0.0, DT, 0.5, False)  # nothing of it was filmed
    assert left.opening == 1.0


def test_lids_shut_for_seconds_are_still_shut():
    eyes = Eyes()
    for index in range(60):
        eyes.take(lids(0.3, 0.3), 0.0, DT if index else 0.0, 0.5, False)
    for _ in range(150):
        left, right = eyes.take(lids(0.06, 0.06), 0.0, DT, 0.5, False)
    assert left.opening < 0.1 and right.opening < 0.1
