from fractions import Fraction

import numpy as np
import pytest

from realtime.face.camera import project
from realtime.face.coefficients import COUNT, pose
from realtime.face.drive import Eye
from realtime.face.model import load_face_model
from realtime.sinks.senders.base import Moment
from realtime.sinks.senders.openseeface import UNIT_MM, OpenSeeFace
from tests.realtime.sinks.senders.conftest import driven
from tests.realtime.sinks.senders.receivers import read_openseeface

MOMENT = Moment(4.25, Fraction(30), (640, 480))


@pytest.fixture(scope="module")
def model():
    return load_face_model("live")


@pytest.fixture
def sent(model):
    """A face -> the record that a receiver reads."""

    def sent(face):
        (packet,) = OpenSeeFace(model).encode([face], MOMENT)
        assert len(packet) == 1785
        return read_openseeface(packet)[0]

    return sent


def test_a_head_that_looks_ahead_has_the_angles_that_receivers_take_off(sent):
    found = sent(driven())
    assert abs(found["euler"][0]) == pytest.approx(180, abs=1e-3)
    assert found["euler"][1:] == pytest.approx([0, 90], abs=1e-3)
    for turned in ({"yaw": 0.4}, {"pitch": -0.3}, {"roll": 0.2, "yaw": -0.3}):
        x, _, z = sent(driven(**turned))["euler"]
        assert abs(x) > 145 and 60 < z < 120


def pose_in_unity(record) -> np.ndarray:
    """(3, 3): the head's axes as a receiver holds them, relative to a head that looks ahead."""
    x, y, z, w = (float(v) for v in record["quaternion"])
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
        [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
        [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


def test_turns_are_those_of_the_head(sent):
    rest = pose_in_unity(sent(driven()))
    for turned in ({"yaw": 0.4}, {"pitch": -0.3}, {"roll": 0.2}):
        face = driven(**turned)
        flip = np.diag([-1.0, 1, 1])  # its x runs to the subject's right
        np.testing.assert_allclose(
            rest.T @ pose_in_unity(sent(face)), flip @ pose(face.coefficients).rotation @ flip, atol=1e-5
        )


def test_points_lie_where_they_were_seen_and_the_model_is_about_the_nose(sent, model):
    face = driven(scale=1.5, at=(300, 200))
    found = sent(face)
    np.testing.assert_allclose(found["points"][30], face.landmarks[30][::-1], atol=1e-3)
    np.testing.assert_allclose(found["points"][58], face.landmarks[48][::-1], atol=1e-3)  # its mouth corner
    np.testing.assert_allclose(found["points"][60], face.landmarks[62][::-1], atol=1e-3)
    np.testing.assert_allclose(found["solid"][30], 0, atol=1e-6)
    assert found["solid"][36, 0] > 0 > found["solid"][45, 0]  # the right eye at +x
    assert found["solid"][8, 1] > 0  # the chin is sent below: y is turned over
    nose = project(model.mean[model.landmarks[30]][None], pose(face.coefficients))[0]
    x, y, z = found["place"]
    in_unity = np.array([-y, x, -z]) * UNIT_MM  # to the image's right, up, away
    np.testing.assert_allclose(in_unity, [(nose[0] - 320) / 1.5, (240 - nose[1]) / 1.5, 640 / 1.5], atol=1e-2)


def test_receivers_find_the_gaze_from_pupils_and_eyeballs(sent):
    found = sent(driven(left=Eye(yaw=0.3), right=Eye(pitch=0.2)))
    solid = found["solid"] * (1, -1, -1)  # as receivers turn them back
    right, left = solid[66] - solid[68], solid[67] - solid[69]
    np.testing.assert_allclose(left / np.linalg.norm(left), (-np.sin(0.3), 0, np.cos(0.3)), atol=1e-5)
    np.testing.assert_allclose(right / np.linalg.norm(right), (0, -np.sin(0.2), np.cos(0.2)), atol=1e-5)


def test_features_tell_blinks_brows_and_mouth(sent):
    found = sent(driven({"eyeBlinkLeft": 1.0, "browOuterUpRight": 0.5, "jawOpen": 0.7, "mouthSmileLeft": 0.6}))
    assert found["features"] == pytest.approx([-1, 0, 0, 0, 0, 0, 0.5, 0, -0.6, 0.6, 0, 0, 0.7, 0.3])


def test_all_faces_share_a_packet(model):
    (packet,) = OpenSeeFace(model).encode([driven(track=1), driven(track=4)], MOMENT)
    assert [record["id"] for record in read_openseeface(packet)] == [1, 4]
    assert OpenSeeFace(model).encode([], MOMENT) == []


def test_the_eyeballs_lie_behind_the_pupils(model):
    left, right = model.eyeballs_of(np.zeros(COUNT, np.float32))
    np.testing.assert_allclose([left, right], [[31.06, 0, 0], [-31.06, 0, 0]], atol=0.05)
