"""The test pattern: the same in every run, its coefficients exact, its face where they say."""

from fractions import Fraction

import numpy as np
import pytest

from realtime.face.coefficients import SLICES, pose
from realtime.face.model import load_face_model
from realtime.sources import open_source
from realtime.sources.pattern import PatternSource, expression_at
from realtime.sources.pattern_glasses import wear_glasses

SIZE = (320, 240)


@pytest.fixture(scope="module")
def source():
    opened = PatternSource(SIZE)
    yield opened
    opened.close()


def test_frames_depend_on_their_index_alone(source):
    again = PatternSource(SIZE)
    late = again.frame(40)
    assert np.array_equal(source.frame(40).image, late.image)
    assert np.array_equal(source.frame(40).image, source.frame(40).image)
    assert not np.array_equal(source.frame(41).image, late.image)
    assert late.image.shape == (240, 320, 3) and late.image.dtype == np.uint8
    assert late.time_s == pytest.approx(40 / 30)
    again.close()


def test_the_command_line_word_opens_it():
    opened = open_source("pattern:3", size=SIZE, rate=Fraction(25))
    assert [frame.time_s for frame in opened.frames()] == pytest.approx([0, 0.04, 0.08])
    assert opened.properties.count == 3 and opened.properties.size == SIZE and opened.properties.stem == "pattern"
    opened.close()


def test_the_face_is_where_its_coefficients_say(source):
    """At the brows' outer ends and the mouth's corners skin or lip is seen, and the dark rims around the eyes."""
    model = load_face_model("live")
    for index in (0, 75, 160):
        image = source.frame(index).image.astype(int)
        points = np.rint(model.landmarks_of(source.coefficients(index))).astype(int)
        for x, y in points[[48, 54, 30, 33]]:
            red, _, blue = image[y, x]
            assert red > blue + 10  # the wall behind is grey
        eye = points[36:42].mean(0).astype(int)
        column = image[eye[1] - 25 : eye[1] + 25, eye[0]].sum(1)
        assert column.min() < 150  # a rim above or below the eye


def test_the_person_moves_within_plausible_bounds(source):
    many = np.array([source.coefficients(index) for index in range(0, 900, 3)])
    assert np.ptp(many[:, SLICES["identity"]], axis=0).max() == 0
    expression = many[:, SLICES["expression"]]
    assert expression.min() >= 0 and expression.max() <= 1
    poses = [pose(row) for row in many]
    assert np.degrees(max(abs(one.yaw) for one in poses)) > 15
    assert np.degrees(max(abs(one.yaw) for one in poses)) < 25
    points = load_face_model("live").landmarks_of(many[0])
    assert (points > 0).all() and (points < SIZE).all()
    assert 40 < np.ptp(points[:, 0]) < 160


def test_blinks_and_words():
    times = np.arange(0, 20, 1 / 30)
    weights = [expression_at(float(time)) for time in times]
    blink = np.array([one["eyeBlinkLeft"] for one in weights])
    assert blink.max() > 0.8 and 0.02 < (blink > 0.2).mean() < 0.15
    jaw = np.array([one["jawOpen"] for one in weights])
    assert jaw.max() > 0.25 and (jaw < 0.02).mean() > 0.1


def test_glasses_are_closed_tubes_of_the_size_of_glasses():
    model = load_face_model("live")
    glasses = wear_glasses(model.mean[model.landmarks])
    width, height, depth = np.ptp(glasses.vertices, axis=0)
    assert 130 < width < 200 and 30 < height < 80 and 90 < depth < 170  # mm
    a, b, c = (glasses.vertices[glasses.triangles[:, corner]].astype(np.float64) for corner in range(3))
    assert np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6 > 0  # faces look outwards: the volume is positive
    assert glasses.triangles.max() == len(glasses.vertices) - 1
