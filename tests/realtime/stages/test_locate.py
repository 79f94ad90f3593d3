from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.resources import files

import numpy as np
import pytest

from engines import open_network
from realtime.frame import Frame
from realtime.sources.choose import open_source
from realtime.stages.landmarks import STEADY, Landmarks
from realtime.stages.locate import DetectionSettings, Locate
from realtime.tracking import Tracker
from tests.realtime.stages.conftest import ScriptedNetwork, landmarks_at, picture_of


def detector_of(*boxes):
    boxes = np.array(boxes, np.float32).reshape(1, -1, 4)
    return ScriptedNetwork(lambda inputs: {"boxes": boxes, "scores": np.full(boxes.shape[:2], 0.9, np.float32)})


def landmark_network(confidence=lambda: 0.9):
    """Finds the face exactly where its crop is: the points of the mean face in the middle of the 128 crop."""
    points = landmarks_at((0, 0), 100)
    points = ((points - (points.min(0) + points.max(0)) / 2) * 128 / 1.45 / np.ptp(points, 0).max() + 63.5)[None]
    return ScriptedNetwork(lambda inputs: {"points": points, "confidence": np.array([[confidence()]], np.float32)})


SETTINGS = DetectionSettings(every=5)


pytestmark = pytest.mark.usefixtures("any_spread")


def test_the_detector_runs_at_first_and_then_every_few_frames():
    detector, tracker = detector_of([100, 100, 200, 200]), Tracker(4)
    locate, landmarks = Locate(detector, tracker, SETTINGS), Landmarks(landmark_network(), tracker)
    runs = []
    for index in range(13):
        _, faces = landmarks(*locate(picture_of(index=index), ()))
        runs.append(len(detector.asked))
        assert len(faces) == 1 and faces[0].track == 0 and faces[0].confidence == pytest.approx(0.9)
    assert runs == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3]


def test_a_full_house_needs_no_detector():
    detector, tracker = detector_of([100, 100, 200, 200]), Tracker(1)
    locate, landmarks = Locate(detector, tracker, SETTINGS), Landmarks(landmark_network(), tracker)
    for index in range(30):
        landmarks(*locate(picture_of(index=index), ()))
    assert len(detector.asked) == 1


def test_a_cut_forgets_every_track_and_marks_the_frame():
    tracker = Tracker(4)
    locate = Locate(detector_of([100, 100, 200, 200]), tracker, SETTINGS)
    landmarks = Landmarks(landmark_network(), tracker)
    tracks, cuts = [], []
    for seed in (0, 0, 1, 1):
        frame, faces = landmarks(*locate(picture_of(seed), ()))
        tracks.append(faces[0].track)
        cuts.append(frame.cut)
    assert tracks == [0, 0, 1, 1] and cuts == [False, False, True, False]


def test_a_lost_face_is_looked_for_in_the_same_frame():
    answers = iter([0.9] * 4 + [0.1] + [0.9] * 10)
    tracker = Tracker(4)
    locate = Locate(detector_of([100, 100, 200, 200]), tracker, SETTINGS)
    landmarks = Landmarks(landmark_network(lambda: next(answers)), tracker, locate.recover)
    faces_seen = [len(landmarks(*locate(picture_of(index=i), ()))[1]) for i in range(5)]
    assert faces_seen == [1] * 5


def test_what_is_no_face_is_dropped():
    tracker = Tracker(4)
    locate = Locate(detector_of([100, 100, 200, 200]), tracker, SETTINGS)
    landmarks = Landmarks(landmark_network(lambda: 0.2), tracker, locate.recover)
    assert landmarks(*locate(picture_of(), ()))[1] == () and not tracker.tracks


def test_beside_the_loop_a_face_joins_a_later_frame():
    tracker = Tracker(4)
    with ThreadPoolExecutor(1) as executor:
        locate = Locate(detector_of([100, 100, 200, 200]), tracker, SETTINGS, executor)
        assert locate(picture_of(), ())[1] == ()
        assert locate._pending is not None
        locate._pending.result(timeout=10)
        assert len(locate(picture_of(index=1), ())[1]) == 1
        locate.close()


@pytest.mark.parametrize("roll", [0.0, 0.5])
def test_points_come_back_to_the_frame_whatever_the_turn(roll):
    """The network sees an upright face when the last landmarks were turned."""
    tracker = Tracker(4)
    before = landmarks_at((300, 200), 80, roll)
    tracker.add(np.r_[before.min(0), before.max(0)], 0.0)
    tracker.moved(0, before)
    locate, landmarks = Locate(detector_of(), tracker, SETTINGS), Landmarks(landmark_network(), tracker)
    _, faces = landmarks(*locate(Frame(np.zeros((480, 640, 3), np.uint8), 1, pts=1), ()))
    eyes = faces[0].landmarks[[36, 45]]
    slope = np.arctan2(*(eyes[1] - eyes[0])[::-1])
    assert slope == pytest.approx(roll, abs=0.02)


def test_careful_looks_agree_with_a_plain_one_and_keep_left_and_right(bundled_frame):
    """The real networks on the bundled clip: six looks, averaged, lie where one does, a mirrored one among them."""
    found = {}
    with open_network("detector", provider="cpu") as detector, open_network("landmarks", provider="cpu") as network:
        for careful in (False, True):
            tracker = Tracker(1)
            locate = Locate(detector, tracker, DetectionSettings(stills=True))
            _, (face,) = Landmarks(network, tracker, careful=careful)(*locate(bundled_frame, ()))
            found[careful] = face.landmarks
    apart = np.linalg.norm(found[False][36] - found[False][45])
    gap = np.linalg.norm(found[True] - found[False], axis=1) / apart
    assert 0 < gap.mean() < 0.03 and gap.max() < 0.12
    assert found[True][36, 0] < found[True][45, 0], "the subject's right eye is on the left"


@pytest.fixture
def bundled_frame():
    with closing(open_source(str(files("realtime") / "demo" / "talking_head.mp4"), size=(640, 480), rate=None)) as clip:
        return next(iter(clip.frames()))


def test_what_looks_like_a_face_in_one_crop_only_is_none(monkeypatch):
    """A network that answers the same wherever it looks has seen nothing: on a real face the looks agree."""
    monkeypatch.setattr("realtime.stages.landmarks.STEADY", STEADY)
    tracker = Tracker(4)
    locate = Locate(detector_of((100, 100, 200, 200)), tracker, SETTINGS)
    assert not Landmarks(landmark_network(), tracker)(*locate(picture_of(), ()))[1] and not tracker.tracks
