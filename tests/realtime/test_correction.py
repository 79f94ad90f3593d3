import numpy as np
import pytest

from realtime.align import MIRROR
from realtime.correction import Correction, load_correction, normals_of, read
from realtime.face.blendshapes import EXPRESSION_NAMES
from realtime.face.coefficients import SLICES, pose
from realtime.face.model import load_face_model
from tools.correction.fit import OTHER_SIDE, TURNS_SIGN, learn, mirrored, mirrored_steps, step_to
from tools.correction.observe import Observations

EXPRESSION, POSE = SLICES["expression"], SLICES["pose"]


@pytest.fixture(scope="module")
def model():
    return load_face_model("live")


def someone(rng: np.random.Generator, roll: float = 0.1) -> np.ndarray:
    coefficients = np.zeros(239, np.float32)
    coefficients[EXPRESSION][[EXPRESSION_NAMES.index("jawOpen"), EXPRESSION_NAMES.index("mouthSmileLeft")]] = [0.4, 0.6]
    coefficients[POSE] = [*rng.uniform(-0.1, 0.1, 2), roll, 1.3, 310, 220]
    return coefficients


def constant(step: np.ndarray, features: int) -> Correction:
    """What always takes the same step: only the feature that is 1 counts."""
    weights = np.zeros((features, 69))
    weights[features - 7] = step
    return Correction(weights)


def test_a_step_leads_from_one_answer_to_the_truth(model):
    rng = np.random.default_rng(3)
    for roll in (-0.4, 0.3):
        regressed, truth = someone(rng, roll), someone(rng, roll + 0.1)
        truth[EXPRESSION] *= 0.5
        truth[POSE][4:] += (7, -4)
        points = model.landmarks_of(truth)
        found = constant(step_to(regressed, truth), 190).applied(model, regressed, points)
        np.testing.assert_allclose(pose(found).rotation, pose(truth).rotation, atol=1e-4)
        np.testing.assert_allclose(found[POSE][3:], [truth[POSE][3], *truth[POSE][4:]], atol=2e-3)
        np.testing.assert_allclose(found[EXPRESSION], truth[EXPRESSION], atol=1e-5)


def test_what_is_read_does_not_depend_on_where_how_large_and_how_tilted_the_face_is(model):
    regressed = someone(np.random.default_rng(4), roll=0.0)
    points = model.landmarks_of(regressed) + np.random.default_rng(5).normal(0, 3, (68, 2))
    here = read(model, regressed, points).features()
    turn = 0.35  # clockwise in the image
    cos, sin = 2 * np.cos(turn), 2 * np.sin(turn)
    moved = regressed.copy()
    moved[POSE] = [*regressed[POSE][:2], -turn, 2 * regressed[POSE][3], 0, 0]
    around = (points - regressed[POSE][4:]) @ np.array([[cos, sin], [-sin, cos]])
    np.testing.assert_allclose(read(model, moved, around).features(), here, atol=0.02)


def test_a_mirrored_face_reads_as_the_mirror_image(model):
    coefficients = someone(np.random.default_rng(6), roll=0.0)
    points = model.landmarks_of(coefficients) + np.random.default_rng(7).normal(0, 2, (68, 2))
    other = coefficients.copy()
    other[EXPRESSION] = coefficients[EXPRESSION][OTHER_SIDE] * TURNS_SIGN
    other[POSE] = coefficients[POSE] * (1, -1, -1, 1, -1, 1)
    reflected = (points * (-1, 1))[MIRROR]
    # the mean head is as symmetric as its scans: half a millimetre
    expected, seen = mirrored(read(model, coefficients, points)), read(model, other, reflected)
    np.testing.assert_allclose(seen.apart, expected.apart, atol=0.5)
    np.testing.assert_allclose(seen.across[1:-1], expected.across[1:-1], atol=1e-6)
    np.testing.assert_allclose(seen.features()[-71:], expected.features()[-71:], atol=1e-6)
    step = step_to(coefficients, someone(np.random.default_rng(8)))
    np.testing.assert_allclose(mirrored_steps(mirrored_steps(step[None]))[0], step)


def test_known_misreadings_are_learnt_and_taken_off(model):
    """Networks whose jaw nods the head by 8 degrees and whose turn sneers: neither is left."""
    rng = np.random.default_rng(9)
    jaw, sneer = (EXPRESSION_NAMES.index(name) for name in ("jawOpen", "noseSneerLeft"))
    truth = np.zeros((160, 239), np.float32)
    truth[:, EXPRESSION][:, jaw] = rng.uniform(0, 1, 160)
    truth[:, POSE] = np.c_[rng.normal(0, 0.15, (160, 2)), np.zeros(160), np.full((160, 3), (1.2, 160, 130))]
    regressed = truth.copy()
    regressed[:, POSE.start] -= np.radians(8) * truth[:, EXPRESSION][:, jaw]
    regressed[:, EXPRESSION.start + sneer] += 0.4 * np.abs(truth[:, POSE.start + 1])
    points = np.array([model.landmarks_of(one) for one in regressed])
    correction = Correction(learn(model, Observations(points[:120], regressed[:120], truth[:120], np.zeros(120)), 1e-2))
    left = np.array([correction.applied(model, *one) for one in zip(regressed[120:], points[120:], strict=True)])
    wrong = left[:, POSE.start] - truth[120:, POSE.start]
    assert np.degrees(np.abs(wrong).max()) < 0.8
    assert left[:, EXPRESSION.start + sneer].max() < 0.03
    assert np.abs(left[:, EXPRESSION.start + jaw] - truth[120:, EXPRESSION.start + jaw]).max() < 0.03


def test_what_ships_is_bounded_whatever_the_points_say(model):
    correction = load_correction()
    assert correction.step.shape == (190, 69) and np.isfinite(correction.step).all()
    coefficients = someone(np.random.default_rng(10))
    wild = model.landmarks_of(coefficients) + np.random.default_rng(11).normal(0, 200, (68, 2))
    found = correction.applied(model, coefficients, wild)
    assert found.dtype == np.float32 and np.isfinite(found).all()
    assert np.abs(found[POSE][4:] - coefficients[POSE][4:]).max() < 25 * 1.3
    assert found[EXPRESSION].min() >= -1 and found[EXPRESSION].max() <= 1


def test_normals_stand_on_the_outline():
    across = normals_of(np.c_[np.arange(17.0), np.zeros(17)])
    np.testing.assert_allclose(np.abs(across), np.tile([0, 1], (17, 1)), atol=1e-6)
