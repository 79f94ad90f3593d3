import numpy as np
import pytest

from realtime.anchor import LIDS_APART, LIPS_APART, _seen, _turn_and_move, anchor
from realtime.face.blendshapes import EXPRESSION_NAMES
from realtime.face.coefficients import SLICES
from realtime.face.model import load_face_model


@pytest.fixture(scope="module")
def model():
    return load_face_model("live")


def someone(seed: int = 0, yaw: float = 0.2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coefficients = np.zeros(239, np.float32)
    coefficients[SLICES["identity"]] = rng.normal(0, 0.7, 80)
    coefficients[SLICES["expression"]][EXPRESSION_NAMES.index("jawOpen")] = 0.3
    coefficients[SLICES["pose"]] = [0.1, yaw, -0.15, 1.4, 310, 220]
    return coefficients


def test_the_jacobian_is_that_of_the_landmarks(model):
    start = someone().astype(np.float64)
    points, jacobian = _seen(model, start)
    np.testing.assert_allclose(points, model.landmarks_of(start), atol=1e-2)
    for column, size in [(0, 0.05), (17, 0.05), (64, 0.01), (65, 0.01), (66, 0.01), (67, 0.01), (68, 2.0), (69, 2.0)]:
        sides = []
        for sign in (1, -1):
            moved = start.copy()
            step = np.zeros(70)
            step[column] = sign * size
            moved[SLICES["expression"]] += step[:64]
            _turn_and_move(moved, step[64:])
            sides.append(model.landmarks_of(moved).ravel())
        numeric = (sides[0] - sides[1]) / (2 * size)
        sliding = np.abs(numeric - jacobian[:, column]) > 0.05 * np.abs(numeric).max() + 0.2
        assert sliding[34:].sum() == 0 and sliding.sum() <= 8  # a jaw point may jump to its neighbour


@pytest.mark.parametrize("yaw", [-0.5, 0.0, 0.5])
def test_an_open_mouth_and_a_missed_blink_are_put_right(model, yaw):
    truth = someone(yaw=yaw)
    lids = [EXPRESSION_NAMES.index(f"eyeBlink{side}") for side in ("Left", "Right")]
    truth[SLICES["expression"]][lids] = 0.9
    regressed = truth.copy()
    regressed[SLICES["expression"]] = 0
    points = model.landmarks_of(truth)
    before = np.linalg.norm(model.landmarks_of(regressed) - points, axis=1).mean()
    found = anchor(model, regressed, points)
    after = np.linalg.norm(model.landmarks_of(found) - points, axis=1).mean()
    assert after < 0.55 * before
    assert found[SLICES["expression"]][lids].min() > 0.4
    assert found[SLICES["expression"]][EXPRESSION_NAMES.index("jawOpen")] > 0.1
    np.testing.assert_array_equal(found[SLICES["identity"]], regressed[SLICES["identity"]])


@pytest.mark.parametrize("shift", [0.0, 4.0])
def test_lids_and_lips_are_as_far_apart_as_the_points(model, shift):
    """Even where all points of the mouth lie a little off."""
    truth = someone()
    truth[SLICES["expression"]][EXPRESSION_NAMES.index("eyeBlinkLeft")] = 0.5
    points = model.landmarks_of(truth)
    points[48:] += np.float32(shift)
    regressed = truth.copy()
    regressed[SLICES["expression"]] *= 0.7
    seen = points, model.landmarks_of(regressed), model.landmarks_of(anchor(model, regressed, points))
    for above, below in (LIPS_APART.T, LIDS_APART.T):
        wanted, before, after = (np.linalg.norm(one[above] - one[below], axis=1) for one in seen)
        worst = np.abs(before - wanted).max()
        assert worst > 1.5 and np.abs(after - wanted).max() < 0.5 * worst


def test_points_do_not_turn_the_head(model):
    """Points that slide along the jaw, as networks' do under an open mouth, nod nothing."""
    truth = someone(yaw=0.0)
    points = model.landmarks_of(truth)
    points[1:16] += 0.6 * np.gradient(points[:17], axis=0)[1:16] * np.sign(np.arange(1, 16) - 8)[:, None] * -1
    found = anchor(model, truth, points)
    assert np.degrees(np.abs(found[SLICES["pose"]][:3] - truth[SLICES["pose"]][:3]).max()) < 0.2
    assert np.abs(found[SLICES["expression"]] - truth[SLICES["expression"]]).max() < 0.08


def test_points_that_agree_change_nothing(model):
    truth = someone()
    assert np.abs(anchor(model, truth, model.landmarks_of(truth)) - truth).max() < 1e-3
