"""What the live texture believes: lips, the creases round the nostrils, and the open mouth."""

import numpy as np
import pytest

from realtime.drawing import FaceDrawer
from realtime.face.camera import project
from realtime.face.coefficients import SLICES, pose
from realtime.face.creases import creases_of, softened
from realtime.face.light import directional
from realtime.face.mesh import vertex_normals
from realtime.face.model import load_face_model
from realtime.face.regions import IN_MOUTH, FaceRegion
from realtime.frame import Face
from realtime.texture import LiveTexture
from realtime.texture_trust import colour_of, depth_of, lip_colour, openness, zones_of
from shaders.base import Mode
from shaders.software import interpolate, rasterise

TEETH = np.array([235, 230, 220], np.uint8)


@pytest.fixture(scope="module")
def model():
    return load_face_model("live")


def someone(**angles: float) -> np.ndarray:
    """In the pixels of a 256 crop, lit from the left; shut lips."""
    coefficients = np.zeros(239, np.float32)
    coefficients[SLICES["light"]] = directional(np.array([-1.0, 0.3, 1.0]), 0.7, 0.5)
    coefficients[SLICES["pose"]] = [angles.get("pitch", 0), angles.get("yaw", 0), 0, 1.15, 128, 108]
    return coefficients


def with_open_jaw(model, coefficients: np.ndarray) -> np.ndarray:
    opened = coefficients.copy()
    opened[SLICES["expression"].start + list(model.expression_names).index("jawOpen")] = 0.6
    return opened


def shut_points(model, coefficients: np.ndarray) -> np.ndarray:
    """(68, 2), the inner lips' points on each other; those of the mean head are some pixels apart."""
    points = model.landmarks_of(coefficients)
    points[65:68] = points[[63, 62, 61]]
    return points


def drawn(model, coefficients, texture=None, over=None) -> np.ndarray:
    face = Face(0, np.zeros(4), np.zeros((68, 2), np.float32), coefficients=coefficients, texture=texture)
    picture = np.zeros((256, 256, 3), np.uint8) if over is None else over
    return FaceDrawer(model, "software").draw(picture, (face,), Mode.TEXTURED)


def pixels_of(model, coefficients, share: np.ndarray) -> np.ndarray:
    """(256, 256) bool, where vertices with a (V,) share above a half show."""
    placed = project(model.vertices(coefficients), pose(coefficients))
    _, triangle, weights = rasterise(placed, model.triangles, (256, 256))
    shown = interpolate(np.ascontiguousarray(share[:, None], np.float32), model.triangles, triangle, weights)
    return shown[..., 0] > 0.5


def test_shut_lips_are_told_from_open_ones(model):
    shut = someone()
    assert openness(shut_points(model, shut)) == 0
    assert openness(model.landmarks_of(with_open_jaw(model, shut))) == 1


def test_teeth_that_show_where_the_mesh_has_lips_are_not_painted_on_them(model):
    """The camera's mouth opens, the mesh's does not: what covers the mesh's lips then is no lip."""
    coefficients, lips = someone(), zones_of(model).lip
    shut = drawn(model, coefficients)
    where = pixels_of(model, coefficients, lips)
    bared = shut.copy()
    bared[where] = TEETH
    texture = LiveTexture(model, 256)
    for _ in range(3):
        texture.look(shut, coefficients, shut_points(model, coefficients))
    parted = model.landmarks_of(with_open_jaw(model, coefficients))
    for _ in range(12):
        texture.look(bared, coefficients, parted)
    again = drawn(model, coefficients, texture.picture(model.albedo_of(coefficients)))
    assert np.abs(again[where].astype(int) - shut[where]).mean() < 6
    assert np.abs(bared[where].astype(int) - shut[where]).mean() > 60


def test_teeth_seen_before_any_lip_leave_the_lips_once_they_shut(model):
    coefficients, lips = someone(), zones_of(model).lip
    shut = drawn(model, coefficients)
    where = pixels_of(model, coefficients, lips)
    bared = shut.copy()
    bared[where] = TEETH
    texture, parted = LiveTexture(model, 256), model.landmarks_of(with_open_jaw(model, coefficients))
    for _ in range(30):
        texture.look(bared, coefficients, parted)
    for _ in range(3):
        texture.look(shut, coefficients, shut_points(model, coefficients))
    again = drawn(model, coefficients, texture.picture(model.albedo_of(coefficients)))
    assert np.abs(again[where].astype(int) - shut[where]).mean() < 20


def test_the_inside_of_the_mouth_is_what_the_camera_shows_in_this_very_frame(model):
    coefficients = with_open_jaw(model, someone())
    texture = LiveTexture(model, 256).picture(model.albedo_of(coefficients))
    where = pixels_of(model, coefficients, np.isin(model.regions, IN_MOUTH).astype(np.float32))
    assert where.sum() > 150
    for colour in ((20, 90, 200), (180, 40, 60)):
        picture = np.full((256, 256, 3), colour, np.uint8)
        shown = drawn(model, coefficients, texture, over=picture)[where]
        assert np.abs(shown.astype(int) - colour).mean() < 3


def test_light_draws_no_line_round_the_nostrils(model):
    """No two neighbours of the nose look apart by more than 34 degrees, and the rest of the head is as it was."""
    normals, creases = vertex_normals(model.mean, model.triangles), creases_of(model)
    nose = model.regions == FaceRegion.NOSE
    sharp, soft = (n[model.triangles[nose[model.triangles].all(1)]] for n in (normals, softened(normals, creases)))

    def bend(corners: np.ndarray) -> float:
        return float(np.percentile((corners[:, 0] * corners[:, 1]).sum(1), 2))

    assert bend(soft) > 0.83 > 0.72 > bend(sharp)
    np.testing.assert_allclose(np.linalg.norm(softened(normals, creases)[nose], axis=1), 1, atol=1e-5)
    far = np.setdiff1d(np.arange(len(normals)), creases.vertices)
    np.testing.assert_array_equal(softened(normals, creases)[far], normals[far])


def test_the_cheek_beside_the_nose_is_seen_and_the_one_behind_it_is_not(model):
    coefficients = someone(yaw=0.7)
    placed = project(model.vertices(coefficients), pose(coefficients))
    depth = depth_of(placed, model.triangles, (256, 256))
    texture = LiveTexture(model, 256)
    texture.look(drawn(model, coefficients), coefficients, model.landmarks_of(coefficients))
    straight = LiveTexture(model, 256)
    straight.look(drawn(model, someone()), someone(), model.landmarks_of(someone()))
    beside = np.abs(np.indices((256, 256))[1] - 127.5) < 45
    band = beside & (np.indices((256, 256))[0] > 115) & (np.indices((256, 256))[0] < 150)
    assert depth.shape == (128, 128) and np.isfinite(depth).mean() > 0.2
    assert (straight.seen[band] > 0.02).mean() > 0.93
    assert (texture.seen[band] > 0.02).mean() < (straight.seen[band] > 0.02).mean() - 0.1


def test_colours_of_a_look_are_medians_without_its_light(model):
    coefficients = someone()
    picture = np.full((256, 256, 3), (120, 90, 60), np.uint8)
    placed = project(model.vertices(coefficients), pose(coefficients))
    light, weight = np.full(len(placed), 0.5, np.float32), np.ones(len(placed), np.float32)
    skin = zones_of(model).skin
    albedo = np.array([240, 180, 120]) / 255
    np.testing.assert_allclose(colour_of(picture, placed, weight, light, skin), albedo, rtol=1e-4)
    np.testing.assert_array_equal(colour_of(picture, placed, 0 * weight, light, skin), 0)
    np.testing.assert_array_equal(colour_of(picture, placed + 1000, weight, light, skin), 0)
    lips = lip_colour(picture, model.landmarks_of(coefficients), 0.5)
    np.testing.assert_allclose(lips, albedo, rtol=1e-4)
