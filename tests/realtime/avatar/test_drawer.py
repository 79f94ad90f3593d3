"""What lies behind an avatar, and what is clear stays clear."""

import numpy as np
import pytest

from realtime.avatar.background import backdrop, blurred, flattened, straight
from realtime.avatar.drawer import AvatarDrawer
from realtime.face.coefficients import COUNT, SLICES
from realtime.frame import Face
from tests.realtime.avatar.files import painted, write_egg
from tests.shaders.scenes import smooth_picture

INK = (200, 60, 20)


@pytest.fixture(scope="module")
def egg_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("egg") / "egg.glb"
    return str(write_egg(path, edit=lambda d, b: painted(b, d, np.full((8, 8, 3), INK, np.uint8))))


def face(x, y, scale=0.5):
    coefficients = np.zeros(COUNT, np.float32)
    coefficients[SLICES["pose"]] = [0, 0, 0, scale, x, y]
    return Face(1, np.zeros(4, np.float32), np.zeros((68, 2), np.float32), coefficients=coefficients)


@pytest.fixture(params=["software", pytest.param("gl", marks=pytest.mark.gl)])
def draw(request, egg_file):
    context = request.getfixturevalue("gl_context") if request.param == "gl" else None
    made = []

    def call(image, faces, background):
        made.append(AvatarDrawer(egg_file, background, (request.param,), context))
        return made[-1].draw(image, faces)

    yield call
    for drawer in made:
        drawer.close()


def test_a_colour_hides_everything_else(draw):
    picture = draw(smooth_picture((240, 320, 3), 1), (face(160, 110),), "#10a0F0")
    assert tuple(picture[5, 5]) == tuple(picture[-5, -5]) == (0x10, 0xA0, 0xF0)
    inside = picture[110, 160].astype(float)
    assert inside[0] > 2 * inside[1] > 3 * inside[2]  # the avatar's ink


def test_the_picture_stays_around_the_avatar(draw):
    image = smooth_picture((240, 320, 3), 2)
    picture = draw(image, (face(160, 110),), "original")
    np.testing.assert_array_equal(picture[:, :80], image[:, :80])
    assert np.abs(picture[110, 160].astype(int) - image[110, 160]).max() > 40


def test_alpha_is_one_inside_none_outside_and_between_at_the_edge(draw):
    picture = draw(np.zeros((240, 320, 3), np.uint8), (face(160, 110),), "transparent")
    alpha = picture[..., 3]
    assert picture.shape == (240, 320, 4) and alpha[110, 160] == 255 and not alpha[:20].any()
    between = (alpha > 0) & (alpha < 255)
    assert 20 < between.sum() < 800
    solid = picture[alpha == 255][:, :3].astype(int)
    edge = picture[between][:, :3].astype(int)
    assert np.abs(edge - solid.mean(0)).max() < 120 and (edge[:, 0] > edge[:, 2]).all()  # straight: edges are no darker


def test_over_a_background_and_laid_over_it_later_are_the_same(draw):
    image = smooth_picture((240, 320, 3), 3)
    at_once = draw(image, (face(150, 120),), "original").astype(float)
    clear = draw(image, (face(150, 120),), "transparent").astype(float)
    later = clear[..., :3] * clear[..., 3:] / 255 + image * (1 - clear[..., 3:] / 255)
    assert np.abs(at_once - later).max() <= 3


def test_the_nearest_face_is_on_top_and_no_face_is_only_the_background(draw):
    image = np.zeros((240, 320, 3), np.uint8)
    both = draw(image, (face(160, 110, 0.6), face(190, 110, 0.3)), "#00ff00")
    alone = draw(image, (face(160, 110, 0.6),), "#00ff00")
    np.testing.assert_array_equal(both[100:120, 150:170], alone[100:120, 150:170])
    assert (draw(image, (), "#00ff00") == (0, 255, 0)).all()
    assert not draw(image, (), "transparent").any()


def test_out_of_focus_nothing_can_be_told_apart():
    image = np.zeros((480, 640, 3), np.uint8)
    image[::8], image[:, ::8] = 255, 255
    dim = blurred(image).astype(int)
    assert dim.shape == image.shape and np.ptp(dim, axis=(0, 1)).max() < 12
    assert abs(dim.mean() - image.mean()) < 6


def test_backdrops_that_do_not_exist():
    with pytest.raises(ValueError, match="no background"):
        backdrop(np.zeros((4, 4, 3), np.uint8), "#12345")


def test_straight_and_flattened():
    premultiplied = np.zeros((2, 2, 4), np.uint8)
    premultiplied[0, 0], premultiplied[0, 1] = (100, 50, 0, 128), (255, 255, 255, 255)
    found = straight(premultiplied)
    np.testing.assert_array_equal(found[0, 0], (199, 100, 0, 128))
    np.testing.assert_array_equal(found[0, 1], (255, 255, 255, 255))
    assert tuple(flattened(found)[0, 1]) == (255, 255, 255)
    assert tuple(flattened(found)[1, 1]) in ((102,) * 3, (153,) * 3)
