import numpy as np
import pytest

from realtime.align import crop_from_landmarks
from realtime.face.coefficients import SLICES, pose
from realtime.regressor import Regressor, direction
from realtime.stages.regress import RECOGNISE_EVERY, Regress, SlowVariables
from realtime.stages.smooth import Smooth, SmoothLandmarks
from tests.realtime.stages.conftest import ScriptedNetwork, face_at, landmarks_at, picture_of


def recogniser(features=None) -> ScriptedNetwork:
    """A G that says one and the same of every face, or what the given function makes of the crop."""
    same = np.eye(1, 128, dtype=np.float32)
    return ScriptedNetwork(lambda inputs: {"features": same if features is None else features(inputs["crop"])})


def test_the_pose_of_the_crop_becomes_the_pose_in_the_frame():
    answer = np.zeros((1, 239), np.float32)
    answer[0, SLICES["pose"]] = [0.1, 0.2, 0.0, 1.2, 127.5, 104.0]
    network = ScriptedNetwork(lambda inputs: {"coefficients": answer})
    face = face_at((300, 200), 52)
    _, (face,) = Regress(Regressor(network, recogniser()))(picture_of(), (face,))
    assert network.asked[0]["crop"].shape == (1, 3, 128, 128)
    found = pose(face.coefficients)
    assert (found.x, found.y) == (pytest.approx(300, abs=0.5), pytest.approx(200, abs=0.5))
    assert found.scale == pytest.approx(0.6, rel=0.01) and found.pitch == pytest.approx(0.1)
    np.testing.assert_allclose(face.crop_from_frame, crop_from_landmarks(face.landmarks))


def test_a_single_picture_is_looked_at_five_times_for_what_does_not_move():
    values = iter(range(5))

    def answer(inputs):
        said = np.full((1, 239), next(values), np.float32)
        said[0, SLICES["pose"]] = [0, 0, 0, 1.2, 127.5, 104.0]
        return {"coefficients": said}

    network = ScriptedNetwork(answer)
    _, (face,) = Regress(Regressor(network, recogniser()), careful=True)(picture_of(), (face_at((300, 200), 52),))
    crops = [asked["crop"] for asked in network.asked]
    assert all((asked["features"] == np.eye(1, 128)).all() for asked in network.asked)
    assert len(crops) == 5 and all(np.abs(crop - crops[0]).mean() > 0.005 for crop in crops[1:])
    assert (face.coefficients[SLICES["identity"]] == 2).all() and (face.coefficients[SLICES["texture"]] == 2).all()
    assert (face.coefficients[SLICES["expression"]] == 0).all()
    assert pose(face.coefficients).x == pytest.approx(300, abs=1)


def test_a_track_is_recognised_now_and_then_and_remembered():
    answers = iter(np.eye(128, dtype=np.float32))
    network = ScriptedNetwork(lambda inputs: {"coefficients": np.ones((1, 239), np.float32)})
    g = recogniser(lambda crop: next(answers)[None])
    regress = Regress(Regressor(network, g))
    for index in range(2 * RECOGNISE_EVERY + 1):
        regress(picture_of(index=index), (face_at((300, 200), 52),))
    assert len(g.asked) == 3 and g.asked[0]["crop"].shape == (1, 3, 128, 128)
    said = network.asked[-1]["features"][0]
    np.testing.assert_allclose(said[:3], 3**-0.5, atol=1e-5)  # the mean of three answers, of unit length
    assert not said[3:].any() and network.asked[1]["features"][0, 0] == 1
    regress(picture_of(index=99), (face_at((300, 200), 52, track=1),))
    assert len(g.asked) == 4 and network.asked[-1]["features"][0, 3] == 1  # somebody else


def test_features_of_a_person_become_a_direction():
    np.testing.assert_allclose(direction(np.array([[3.0, 0.0], [0.0, 3.0]])), [0.5**0.5, 0.5**0.5])


def test_identity_settles_while_expression_follows_every_frame():
    rng = np.random.default_rng(0)
    slow, noise = SlowVariables(), []
    for _ in range(60):
        coefficients = np.ones(239, np.float32) + rng.normal(0, 0.5, 239).astype(np.float32)
        steady = slow.take(coefficients, 0.9)
        noise.append(steady[SLICES["identity"]] - 1)
        np.testing.assert_array_equal(steady[SLICES["expression"]], coefficients[SLICES["expression"]])
        np.testing.assert_array_equal(steady[SLICES["pose"]], coefficients[SLICES["pose"]])
    assert np.std(noise[-1]) < 0.5 / np.sqrt(60) * 1.5


def test_an_unsure_frame_hardly_moves_the_average():
    slow = SlowVariables()
    for _ in range(30):
        slow.take(np.zeros(239, np.float32), 0.9)
    assert slow.take(np.ones(239, np.float32), 0.05)[0] < 0.01


def steadied(points_of, frames: int, smooth: float = 0.5, fps: int = 30) -> np.ndarray:
    stage = SmoothLandmarks(lambda: smooth)
    out = []
    for index in range(frames):
        landmarks = points_of(index / fps).astype(np.float32)
        _, (face,) = stage(picture_of(index=index), (face_at().with_(landmarks=landmarks),))
        out.append(face.landmarks)
    return np.stack(out)


@pytest.mark.parametrize("eye_distance", [30, 100, 300])
def test_a_still_face_is_steadied_the_same_at_any_size(eye_distance):
    rng = np.random.default_rng(0)
    still = landmarks_at((320, 240), eye_distance)
    noisy = [still + rng.normal(0, 0.008 * eye_distance, (68, 2)) for _ in range(120)]
    out = steadied(lambda t: noisy[round(t * 30)], 120)

    def jitter(points):
        return np.diff(points[30:], n=2, axis=0).std() / eye_distance

    assert jitter(out) < 0.25 * jitter(np.stack(noisy))


def test_a_moving_face_is_not_left_behind():
    """One eye distance a second, a brisk turn of the head: less than half a frame of lag."""
    still = landmarks_at((320, 240), 100)
    out = steadied(lambda t: still + np.array([100 * t, 0]), 60)
    lag_px = (still + np.array([100 * 59 / 30, 0]) - out[-1])[:, 0].mean()
    assert lag_px / 100 < 0.5 / 30


def test_a_shaking_head_is_followed():
    """Two shakes a second, a third of the eye distance to either side, with the networks' noise."""
    rng = np.random.default_rng(5)
    still = landmarks_at((320, 240), 100)
    path = 33 * np.sin(2 * np.pi * 2 * np.arange(90) / 30)
    out = steadied(lambda t: still + np.array([path[round(t * 30)], 0]) + rng.normal(0, 0.8, (68, 2)), 90)
    behind = (out[30:] - still)[:, :, 0].mean(1) - path[30:]
    assert np.sqrt((behind**2).mean()) < 0.07 * 100


def test_a_cut_or_a_pause_restarts_the_filters():
    stage = SmoothLandmarks(lambda: 1.0)
    far = landmarks_at((500, 300), 100)
    for pts, cut in ((0, False), (1, True), (2, False), (62, False)):
        landmarks = landmarks_at((320, 240), 100) if pts in (0, 2) else far
        frame = picture_of(index=pts).with_(cut=cut)
        _, (face,) = stage(frame, (face_at().with_(landmarks=landmarks),))
        if pts in (1, 62):
            np.testing.assert_array_equal(face.landmarks, far)


def test_two_faces_do_not_share_a_filter():
    stage = SmoothLandmarks(lambda: 1.0)
    left, right = face_at((150, 200), 60, 0), face_at((450, 200), 60, 1)
    for index in range(5):
        faces = (left, right) if index % 2 else (right, left)
        _, out = stage(picture_of(index=index), faces)
        for face in out:
            np.testing.assert_allclose(face.landmarks, (left, right)[face.track].landmarks, atol=1e-3)


def test_a_blink_passes_and_the_pose_of_a_still_head_does_not_shake():
    rng = np.random.default_rng(2)
    stage, blink, pitch = Smooth(lambda: 0.5), [], []
    for index in range(90):
        coefficients = np.zeros(239, np.float32)
        closed = 1.0 if 45 <= index < 49 else 0.0  # a blink of 0.13 s
        coefficients[SLICES["expression"]][0] = closed
        coefficients[SLICES["pose"]] = [rng.normal(0, 0.01), 0, 0, 1, 320, 240]
        _, (face,) = stage(picture_of(index=index), (face_at().with_(coefficients=coefficients),))
        blink.append(face.coefficients[SLICES["expression"]][0])
        pitch.append(face.coefficients[233])
    assert max(blink[45:50]) > 0.85 and blink[44] == 0
    assert np.diff(pitch[30:], n=2).std() < 0.01 * np.sqrt(6) / 3
