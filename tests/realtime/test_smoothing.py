import numpy as np
import pytest

from realtime.face.coefficients import angles_from_rotation, rotation_matrix
from realtime.smoothing import (
    OneEuro,
    OneEuroSettings,
    PoseOneEuro,
    RotationOneEuro,
    quaternion_from_rotation,
    rotation_from_quaternion,
    slerp,
    turn_between,
)

DT = 1 / 30


def test_quaternions_give_the_rotation_back_and_slerp_halves_the_angle():
    rng = np.random.default_rng(0)
    for _ in range(50):
        rotation = rotation_matrix(*rng.uniform(-1.4, 1.4, 3))
        np.testing.assert_allclose(rotation_from_quaternion(quaternion_from_rotation(rotation)), rotation, atol=1e-12)
    start, end = quaternion_from_rotation(np.eye(3)), quaternion_from_rotation(rotation_matrix(0, 1.0, 0))
    assert np.linalg.norm(turn_between(start, end)) == pytest.approx(1.0)
    assert angles_from_rotation(rotation_from_quaternion(slerp(start, end, 0.5)))[1] == pytest.approx(0.5)


def test_a_constant_passes_unchanged_and_a_step_is_reached():
    one_euro = OneEuro(OneEuroSettings(1.0, 5.0))
    for _ in range(10):
        assert one_euro(np.array([3.0]), DT)[0] == 3.0
    for _ in range(60):
        value = one_euro(np.array([4.0]), DT)[0]
    assert value == pytest.approx(4.0, abs=0.01)


def test_smooth_zero_is_off_and_one_is_stronger_than_half():
    noise = np.random.default_rng(1).normal(0, 0.01, 300)

    def jitter(smooth: float) -> float:
        one_euro = OneEuro(OneEuroSettings(1.2, 5.0).slowed(smooth))
        return float(np.diff([one_euro(np.array([x]), DT)[0] for x in noise], n=2).std())

    raw = np.diff(noise, n=2).std()
    assert jitter(0.0) == pytest.approx(raw)
    assert jitter(1.0) < 0.5 * jitter(0.5) < 0.2 * raw


def test_time_between_samples_not_their_number_sets_the_smoothing():
    settings = OneEuroSettings(1.0, 0.0)
    fast, slow = OneEuro(settings), OneEuro(settings)
    for filter_, dt in ((fast, 1 / 120), (slow, 1 / 30)):
        filter_(np.array([0.0]), dt)
        for _ in range(round(0.2 / dt)):
            value = filter_(np.array([1.0]), dt)
    assert fast._value == pytest.approx(value, abs=0.06)


def test_rotation_filter_crosses_half_a_turn_without_going_round():
    one_euro = RotationOneEuro(OneEuroSettings(1.0, 0.5))
    for degrees in np.arange(160, 201, 2.0):
        filtered = one_euro(rotation_matrix(0, 0, np.radians(degrees)), DT)
        roll = np.degrees(angles_from_rotation(filtered)[2]) % 360
        assert 155 < roll <= degrees + 1e-6


def test_pose_filter_leaves_a_still_pose_and_restarts_on_request():
    pose = np.array([0.1, -0.2, 0.3, 1.5, 320, 240], np.float32)
    one_euro = PoseOneEuro(OneEuroSettings(1.0, 1.0), OneEuroSettings(1.0, 1.0))
    for _ in range(5):
        np.testing.assert_allclose(one_euro(pose, DT), pose, rtol=1e-5)
    moved = pose + np.array([0.5, 0, 0, 0.5, 200, 0], np.float32)
    np.testing.assert_allclose(one_euro(moved, 0.0), moved, rtol=1e-5)
