import numpy as np
import pytest

from realtime.face.coefficients import SLICES
from realtime.stages.calibrate import Calibrate
from tests.realtime.stages.conftest import face_at, picture_of


def test_the_resting_face_becomes_zero_and_full_strength_stays():
    requests = [0]
    stage = Calibrate(lambda: requests[0])

    def seen(index: int, weight: float) -> float:
        coefficients = np.zeros(239, np.float32)
        coefficients[SLICES["expression"]][3] = weight
        _, (face,) = stage(picture_of(index=index), (face_at().with_(coefficients=coefficients),))
        return float(face.coefficients[SLICES["expression"]][3])

    assert [seen(i, 0.3) for i in range(5)] == [pytest.approx(0.3)] * 5
    requests[0] = 1
    for index in range(5, 40):
        seen(index, 0.3)
    assert seen(40, 0.3) == pytest.approx(0, abs=1e-6)
    assert seen(41, 1.0) == pytest.approx(1)
    assert seen(42, 0.65) == pytest.approx(0.5)


def test_a_face_that_comes_later_is_not_measured_from_its_first_second():
    stage = Calibrate(lambda: 1)
    coefficients = np.full(239, 0.4, np.float32)
    _, (face,) = stage(picture_of(), (face_at().with_(coefficients=coefficients),))
    np.testing.assert_array_equal(face.coefficients, coefficients)
