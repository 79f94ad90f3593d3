import numpy as np
import pytest

from realtime.drawing import FaceDrawer
from realtime.face.coefficients import SLICES
from realtime.face.light import AMBIENT
from realtime.face.model import load_face_model
from realtime.options import VIEWS
from realtime.views import draw_landmarks, show
from tests.realtime.stages.conftest import face_at, picture_of


@pytest.fixture(scope="module")
def drawer():
    drawer = FaceDrawer(load_face_model("live"), "software")
    yield drawer
    drawer.close()


@pytest.fixture
def shot():
    """A changed picture, its original, and one face in the middle."""
    before, after = picture_of(1), picture_of(2)
    coefficients = np.zeros(239, np.float32)
    coefficients[SLICES["light"]] = AMBIENT
    coefficients[SLICES["pose"]] = [0, 0, 0, 1.1, 320, 220]
    return after.with_(original=before.image), (face_at((320, 220), 100).with_(coefficients=coefficients),)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_a_picture_and_leaves_its_inputs_alone(view, drawer, shot):
    frame, faces = shot
    before = frame.image.copy()
    picture = show(frame, faces, view, drawer)
    assert picture.dtype == np.uint8 and picture.shape == (480, 1920 if view == "side-by-side" else 640, 3)
    np.testing.assert_array_equal(frame.image, before)


@pytest.mark.parametrize("view", ["mesh", "shaded", "depth"])
def test_the_mesh_lies_on_the_face_and_nowhere_else(view, drawer, shot):
    frame, faces = shot
    changed = (show(frame, faces, view, drawer) != frame.image).any(2)
    assert changed[180:300, 270:370].mean() > 0.95 and changed[:, :120].sum() == 0 and changed[:, 520:].sum() == 0


def test_split_shows_before_left_and_after_right(drawer, shot):
    frame, faces = shot
    picture = show(frame, faces, "split", drawer)
    np.testing.assert_array_equal(picture[:, :315], frame.original[:, :315])
    np.testing.assert_array_equal(picture[:, 325:], frame.image[:, 325:])


def test_mirror_mirrors_what_is_shown(drawer, shot):
    frame, faces = shot
    np.testing.assert_array_equal(show(frame, faces, "removed", drawer, mirror=True), frame.image[:, ::-1])


def test_landmarks_are_drawn_where_they_are(shot):
    frame, faces = shot
    picture = draw_landmarks(np.zeros_like(frame.image), faces)
    for x, y in faces[0].landmarks.astype(int):
        assert picture[y - 1 : y + 3, x - 1 : x + 3].max() > 150


def test_without_faces_every_view_is_the_picture(drawer, shot):
    frame, _ = shot
    for view in ("mesh", "depth", "landmarks"):
        np.testing.assert_array_equal(show(frame, (), view, drawer), frame.image)
