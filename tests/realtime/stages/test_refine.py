import itertools

import numpy as np
import pytest

from realtime.align import crop_from_landmarks
from realtime.drawing import FaceDrawer
from realtime.face.coefficients import SLICES, move_pose
from realtime.face.light import directional
from realtime.face.model import load_face_model
from realtime.frame import Face
from realtime.stages.refine import Refine
from realtime.texture import LiveTexture
from shaders.base import Mode
from tests.realtime.stages.conftest import picture_of


@pytest.fixture(scope="module")
def model():
    return load_face_model("live")


def someone(yaw: float = 0.0) -> np.ndarray:
    """In the pixels of a 256 crop, lit from the left."""
    coefficients = np.zeros(239, np.float32)
    coefficients[SLICES["texture"]] = np.random.default_rng(4).normal(0, 1, 80)
    coefficients[SLICES["light"]] = directional(np.array([-1.0, 0.3, 1.0]), 0.7, 0.5)
    coefficients[SLICES["pose"]] = [0, yaw, 0, 1.15, 128, 108]
    return coefficients


def drawn(model, coefficients, texture=None) -> np.ndarray:
    face = Face(0, np.zeros(4), np.zeros((68, 2), np.float32), coefficients=coefficients, texture=texture)
    drawer = FaceDrawer(model, "software")
    return drawer.draw(np.zeros((256, 256, 3), np.uint8), (face,), Mode.TEXTURED)


def test_an_unwrapped_face_drawn_again_is_the_same_picture(model):
    coefficients = someone()
    picture = drawn(model, coefficients)
    texture = LiveTexture(model, 256)
    texture.look(picture, coefficients, model.landmarks_of(coefficients))
    again = drawn(model, coefficients, texture.picture(model.albedo_of(coefficients)))
    middle = (slice(90, 190), slice(80, 176))
    assert np.abs(again[middle].astype(int) - picture[middle]).mean() < 3


def test_light_is_taken_out_of_the_texture(model):
    """Lit from the left, seen again without light: both cheeks alike, as the albedo is."""
    coefficients = someone()
    texture = LiveTexture(model, 256)
    texture.look(drawn(model, coefficients), coefficients, model.landmarks_of(coefficients))
    shown = texture.picture(model.albedo_of(coefficients))
    left, right = shown[130:150, 60:90, :3].mean(), shown[130:150, 166:196, :3].mean()
    lit = drawn(model, coefficients)
    assert lit[120:140, 70:100].mean() > 1.3 * lit[120:140, 156:186].mean()
    assert right / left == pytest.approx(1, abs=0.15)


def test_a_picture_brighter_than_its_light_explains_keeps_its_colours(model):
    coefficients = someone()
    dim = coefficients.copy()
    dim[SLICES["light"]] *= 0.4
    texture = LiveTexture(model, 256)
    texture.look(drawn(model, coefficients), dim, model.landmarks_of(coefficients))
    shown = texture.picture(model.albedo_of(coefficients))
    assert texture.exposure > 1.3
    dim[SLICES["light"]] *= texture.exposure
    middle = (slice(110, 190), slice(90, 166))
    gap = drawn(model, dim, shown)[middle].astype(int) - drawn(model, coefficients)[middle]
    assert np.abs(gap).mean() < 5


def test_the_side_that_was_never_seen_is_filled_by_its_mirror_image(model):
    texture = LiveTexture(model, 256)
    coefficients = someone(yaw=0.9)
    picture = drawn(model, coefficients)
    picture[..., 0] = 255 - picture[..., 0]  # a colour that the basis does not have
    texture.look(picture, coefficients, model.landmarks_of(coefficients))
    left, right = texture.seen[130:170, 60:100].mean(), texture.seen[130:170, 156:196].mean()
    assert min(left, right) < 0.3 * max(left, right)
    shown = texture.picture(model.albedo_of(coefficients))[130:170]
    assert (shown[:, 60:100, 3] == 255).all() and (shown[:, 156:196, 3] == 255).all()
    mirrored = shown[:, ::-1]
    assert np.abs(shown[:, 60:100, :3].astype(int) - mirrored[:, 60:100, :3]).mean() < 12


def test_what_no_side_has_seen_takes_the_tone_of_what_was_seen(model):
    texture = LiveTexture(model, 256)
    coefficients = someone()
    blue = drawn(model, coefficients)[..., ::-1]
    texture.look(np.ascontiguousarray(blue), coefficients, model.landmarks_of(coefficients))
    shown = texture.picture(model.albedo_of(coefficients))
    unseen = (texture.seen + texture.seen[:, ::-1] == 0) & (shown[..., 3] == 255)
    assert unseen.sum() > 2000
    assert shown[unseen][:, 2].mean() > 1.2 * shown[unseen][:, 0].mean()


def test_the_texture_is_renewed_every_few_frames_and_kept_between(model):
    stage = Refine(model, every=3)
    frame = picture_of()
    in_crop = someone()
    landmarks = model.landmarks_of(in_crop)
    crop_from_frame = crop_from_landmarks(landmarks)
    face = Face(
        0, np.zeros(4, np.float32), landmarks, crop=drawn(model, in_crop), crop_from_frame=crop_from_frame,
        coefficients=move_pose(in_crop, np.array([[1.0, 0, 0], [0, 1, 0]])),
    )  # fmt: skip
    textures = [stage(frame, (face,))[1][0].texture for _ in range(7)]
    changes = [a is not b for a, b in itertools.pairwise(textures)]
    assert changes == [False, False, True, False, False, True]
    assert textures[0].shape == (256, 256, 4) and not textures[0].flags.writeable
