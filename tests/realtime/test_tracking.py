import cv2
import numpy as np
import pytest

from realtime.frame import Face, Frame
from realtime.tracking import CutDetector, Tracker, TrackStates, overlap, suppress_doubles


def box(x: float, y: float = 0, side: float = 100) -> np.ndarray:
    return np.array([x, y, x + side, y + side], np.float32)


def corners(x: float) -> np.ndarray:
    return np.linspace(box(x)[:2], box(x)[2:], 68).astype(np.float32)


def test_overlap_of_known_boxes():
    ious = overlap(np.stack([box(0), box(50)]), np.stack([box(0), box(200)]))
    np.testing.assert_allclose(ious, [[1, 0], [1 / 3, 0]], atol=1e-6)


def test_the_better_of_two_doubles_stays():
    boxes = np.stack([box(0), box(5), box(300)])
    assert suppress_doubles(boxes, np.array([0.7, 0.9, 0.8])).tolist() == [1, 2]


def test_a_covered_box_starts_no_track_and_the_limit_holds():
    tracker = Tracker(limit=2)
    assert [t.number for t in tracker.add(np.stack([box(0), box(10), box(300), box(600)]), 0.0)] == [0, 1]
    assert [float(t.box[0]) for t in tracker.tracks.values()] == [0, 300]


def test_a_face_regained_soon_gets_its_number_back_and_a_later_one_does_not():
    tracker = Tracker(limit=4, remembered_s=2.0)
    tracker.add(box(0), 0.0)
    tracker.moved(0, corners(0))
    tracker.lose(0, 1.0)
    assert [t.number for t in tracker.add(box(10), 2.0)] == [0]
    tracker.moved(0, corners(10))
    tracker.lose(0, 3.0)
    assert [t.number for t in tracker.add(box(10), 9.0)] == [1]


def test_a_track_that_drifts_onto_another_is_a_double():
    tracker = Tracker(limit=4)
    tracker.add(np.stack([box(0), box(300)]), 0.0)
    tracker.moved(0, corners(0))
    tracker.moved(1, corners(5))
    assert tracker.doubles() == [1]


def test_a_track_on_a_part_of_a_face_is_a_double_and_a_neighbour_is_not():
    tracker = Tracker(limit=4)
    tracker.add(np.stack([box(0), box(300), box(90)]), 0.0)
    tracker.moved(1, np.linspace([20, 0], [70, 60], 68).astype(np.float32))
    assert tracker.doubles() == [1]


def scene(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8), (640, 480), interpolation=cv2.INTER_CUBIC)


def test_a_new_scene_is_a_cut_and_motion_or_light_is_not():
    cut = CutDetector()
    a, b = scene(0), scene(1)
    shifted = np.roll(a, 12, axis=1)
    brighter = cv2.convertScaleAbs(a, alpha=0.8, beta=40)
    assert [cut(image) for image in (a, a, shifted, brighter, a, b, b, a)] == [False] * 5 + [True, False, True]


def test_an_even_picture_is_never_a_cut():
    cut = CutDetector()
    black, white = np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), 255, np.uint8)
    assert not any(cut(image) for image in (black, white, black))


def test_states_last_while_the_track_is_seen_and_no_longer():
    states: TrackStates[list[int]] = TrackStates(lambda: [0])
    face = Face(7, box(0), corners(0))
    frame = Frame(np.zeros((4, 4, 3), np.uint8), 0)
    first = states.of(frame, (face,))[0]
    first[0] = 5
    assert states.of(frame, (face,))[0] is first
    assert states.of(frame.with_(cut=True), (face,))[0] == [0]
    states.of(frame, ())
    assert states.of(frame, (face,))[0] == [0]


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (2000, 30)])
def test_pictures_of_any_shape_have_thumbnails(shape):
    cut = CutDetector()
    assert not cut(np.zeros((*shape, 3), np.uint8))
