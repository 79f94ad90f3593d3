"""The shipped face: sizes, what its shapes do, and that both resolutions are the same face."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from realtime.face import model as model_module
from realtime.face.blendshapes import ARKIT_NAMES, expression_from
from realtime.face.coefficients import COUNT, SLICES, Pose
from realtime.face.mesh import vertex_normals
from realtime.face.model import FaceModel, load_face_model
from realtime.face.regions import FaceRegion

ASSETS = Path(model_module.__file__).parent / "assets"


@pytest.fixture(scope="module")
def live() -> FaceModel:
    return load_face_model("live")


@pytest.fixture(scope="module")
def full() -> FaceModel:
    return load_face_model("full")


def coefficients(pose: tuple[float, ...] = (0, 0, 0, 1, 0, 0), **weights: float) -> np.ndarray:
    y = np.zeros(COUNT, np.float32)
    y[SLICES["expression"]] = expression_from(weights)
    y[SLICES["pose"]] = pose
    return y


def test_assets_are_small_and_load_fast() -> None:
    assert sum(f.stat().st_size for f in ASSETS.glob("*.npz")) < 8 * 2**20
    times = []
    for _ in range(2):  # the second reading finds the file in the disk cache
        load_face_model.cache_clear()
        start = time.process_time()
        load_face_model("live")
        times.append(time.process_time() - start)
    assert min(times) < 0.3


def test_shapes_are_those_of_the_contract(live: FaceModel, full: FaceModel) -> None:
    assert 5000 <= len(live.mean) <= 10000 < len(full.mean)
    for face in (live, full):
        n = len(face.mean)
        assert face.identity.shape == (80, 3 * n) and face.expression.shape == (64, 3 * n)
        assert face.albedo.shape == (80, 3 * n) and face.shape.dtype == np.float32 and face.shape.flags.c_contiguous
        assert face.triangles.min() == 0 and face.triangles.max() == n - 1 and face.triangles.dtype == np.int32
        assert face.uv.min() >= 0 and face.uv.max() <= 1
        assert face.expression_names[:52] == ARKIT_NAMES and len(set(face.expression_names)) == 64


def test_live_and_full_are_the_same_face(live: FaceModel, full: FaceModel) -> None:
    y = coefficients((0.1, 0.5, 0.05, 2.0, 100, 120), jawOpen=0.5, eyeBlinkLeft=1)
    y[SLICES["identity"]] = np.random.default_rng(0).standard_normal(80)
    np.testing.assert_allclose(live.vertices(y), full.vertices(y)[: len(live.mean)], atol=1e-3)
    np.testing.assert_allclose(live.landmarks_of(y), full.landmarks_of(y), atol=1e-2)


@pytest.mark.parametrize("side, sign", [("Left", 1), ("Right", -1)])
def test_a_blink_closes_the_eye_on_its_own_side(live: FaceModel, side: str, sign: int) -> None:
    """The lids' gap, measured between the landmarks, falls under a quarter, and the other eye stays."""
    upper, lower = ((43, 44), (47, 46)) if side == "Left" else ((37, 38), (41, 40))
    other_upper, other_lower = ((37, 38), (41, 40)) if side == "Left" else ((43, 44), (47, 46))
    open_eye = live.landmarks_of(coefficients())
    shut = live.landmarks_of(coefficients(**{f"eyeBlink{side}": 1.0}))

    def gap(points: np.ndarray, above: tuple[int, int], below: tuple[int, int]) -> float:
        return float((points[list(below), 1] - points[list(above), 1]).mean())

    assert gap(shut, upper, lower) < 0.25 * gap(open_eye, upper, lower)
    assert abs(gap(shut, other_upper, other_lower) - gap(open_eye, other_upper, other_lower)) < 0.2
    assert np.sign(live.mean[live.landmarks[upper[0]], 0]) == sign


def test_the_open_jaw_lowers_chin_teeth_and_tongue(live: FaceModel) -> None:
    moved = live.vertices(coefficients(jawOpen=1.0)) - live.mean
    assert moved[live.landmarks[8], 1] < -20
    assert np.abs(moved[live.landmarks[27]]).max() < 1
    tongue = moved[live.regions == FaceRegion.TONGUE]
    assert len(tongue) > 30 and np.median(tongue[:, 1]) < -8


def test_the_inner_lips_touch_in_a_mouth_that_is_shut(live: FaceModel) -> None:
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        above, below = live.mean[live.landmarks[upper]], live.mean[live.landmarks[lower]]
        assert np.linalg.norm(above - below) < 1.5


def test_the_tongue_comes_out(live: FaceModel) -> None:
    y = coefficients(jawOpen=0.6, tongueOut=1.0)
    vertices = live.vertices(y)
    tip = vertices[live.regions == FaceRegion.TONGUE, 2].max()
    assert tip > vertices[live.landmarks[57], 2] + 5


@pytest.mark.parametrize("name, axis, sign", [
    ("eyeLookOutLeft", 0, 1), ("eyeLookInLeft", 0, -1), ("eyeLookUpLeft", 1, 1), ("eyeLookDownLeft", 1, -1),
])  # fmt: skip
def test_gaze_turns_the_eyeball(live: FaceModel, name: str, axis: int, sign: int) -> None:
    left, right = live.eyes
    moved = live.vertices(coefficients(**{name: 1.0})) - live.mean
    assert moved[left, axis] * sign > 5
    assert np.abs(moved[right]).max() < 1e-3


def test_the_origin_is_between_the_eyes_and_left_is_positive(live: FaceModel) -> None:
    left, right = (live.mean[live.regions == region] for region in (FaceRegion.L_EYE, FaceRegion.R_EYE))
    assert left[:, 0].mean() > 25 and abs(left.mean(0)[0] + right.mean(0)[0]) < 0.1
    assert abs(left[:, 1].mean()) < 1


def test_identity_is_varied_but_a_face(live: FaceModel) -> None:
    rng = np.random.default_rng(3)
    front = live.mean[:, 2] > -30
    for _ in range(20):
        y = coefficients()
        y[SLICES["identity"]] = rng.standard_normal(80)
        moved = np.linalg.norm(live.vertices(y) - live.mean, axis=1)[front]
        assert 0.8 < np.sqrt((moved**2).mean()) < 8


def test_the_contour_slides_to_the_outline(live: FaceModel) -> None:
    """Turned 40 degrees, the far jaw points lie on the silhouette: no skin of their height is further out by 2 mm."""
    yaw = np.radians(40)
    y = coefficients((0, yaw, 0, 1, 0, 0))
    points, chosen = live.landmarks_of(y), live.landmark_vertices(y)
    assert not np.array_equal(chosen, live.landmarks)
    seen = live.mean @ Pose(0, yaw, 0, 1, 0, 0).rotation.T
    skin = np.isin(live.regions, (FaceRegion.SKIN, FaceRegion.NOSE)) & (live.mean[:, 0] > 0)
    for k in range(10, 15):  # turning to the subject's left hides the left cheek
        level = skin & (np.abs(-seen[:, 1] - points[k, 1]) < 3)
        assert seen[level, 0].max() - points[k, 0] < 3.5


def test_normals_point_outwards(full: FaceModel) -> None:
    normals = vertex_normals(full.mean, full.triangles)
    assert normals[full.landmarks[30], 2] > 0.8
    for eye in full.eyes:
        assert normals[eye, 2] > 0.99
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4)


def test_albedo_keeps_to_colours(live: FaceModel) -> None:
    y = coefficients()
    y[SLICES["texture"]] = 3
    colours = live.albedo_of(y)
    assert colours.min() >= 0 and colours.max() <= 1
    assert live.albedo_mean[live.eyes].max() < 0.15  # pupils are dark
    assert live.albedo_mean[live.regions == FaceRegion.TEETH].min() > 0.6


def test_the_face_needs_no_torch() -> None:
    code = "import sys, realtime.face.model as m; m.load_face_model(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


def test_a_missing_asset_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"tools\.build_face"):
        load_face_model("live", tmp_path)
