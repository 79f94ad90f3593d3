"""The pieces that build the face's shape, on meshes and statistics whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the extra `train`")

from realtime.face.asset import pack, unpack
from tools.face_build.atlas import border_loops, circle_of, disc_map
from tools.face_build.decimate import border, decimate, directed_edges, signed_area
from tools.face_build.extend import extend_over
from tools.face_build.eyeballs import PUPIL, build_eyeball, dilated, looking
from tools.face_build.identity import principal_components, vertex_areas, without_similarity


def dome(steps: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """A bent square sheet, 100 mm wide: (V, 3) and (F, 3), counter-clockwise seen from +z."""
    across = np.linspace(-50, 50, steps)
    x, y = (grid.ravel() for grid in np.meshgrid(across, across))
    number = np.arange(steps * steps).reshape(steps, steps)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return np.c_[x, y, np.sqrt(120.0**2 - x**2 - y**2)], triangles


def test_decimation_keeps_the_surface_the_border_and_the_orientation() -> None:
    positions, triangles = dome()
    protected = np.zeros(len(positions), bool)
    protected[300] = True
    fewer = decimate(positions[None], triangles, 200, np.ones(len(positions)), protected, positions[:, :2])
    kept = np.unique(fewer)
    assert 195 <= len(kept) <= 205 and 300 in kept
    assert np.isin(np.flatnonzero(border(triangles, len(positions))), kept).all()
    assert np.all(signed_area(positions, fewer) > 0)
    assert vertex_areas(positions, fewer).sum() == pytest.approx(vertex_areas(positions, triangles).sum(), rel=0.01)
    assert len(border_loops(fewer)) == 1  # no hole was torn
    assert len(kept) - len(directed_edges(fewer)) / 2 + len(fewer) == 1  # Euler: still a disc


def test_the_disc_map_never_folds_and_repeats_a_flat_layout() -> None:
    positions, triangles = dome()
    loop = border_loops(triangles)[0]
    flat = positions[:, :2]
    mapped = disc_map(positions, triangles, loop, 0.5 + 0.4 * circle_of(flat, loop))
    area = signed_area(mapped, triangles)
    assert np.all(area > 0) or np.all(area < 0)
    np.testing.assert_allclose(disc_map(positions, triangles, loop, flat[loop], flat), flat, atol=1e-6)


def test_what_a_pose_explains_leaves_the_identity() -> None:
    positions, triangles = dome()
    weights = vertex_areas(positions, triangles)
    turn = np.cross([0, 0, 0.02], positions)
    moved = np.stack([turn + 0.01 * positions + [3, 1, 2], positions[:, [1, 0, 2]] * 0.01])
    left = without_similarity(moved, positions, weights)
    assert np.abs(left[0]).max() < 1e-9
    assert np.abs(left[1]).max() > 0.1


def test_components_keep_the_covariance() -> None:
    rng = np.random.default_rng(0)
    offsets = rng.standard_normal((6, 40, 3))
    components, share = principal_components(offsets, np.ones(40), 6)
    before, after = offsets.reshape(6, -1), components.reshape(6, -1)
    np.testing.assert_allclose(after.T @ after, before.T @ before, atol=1e-9)
    assert share.sum() == pytest.approx(1) and np.all(np.diff(share) <= 0)


def test_packing_is_within_half_a_step() -> None:
    values = np.random.default_rng(0).normal(0, 3, (4, 10, 3))
    np.testing.assert_allclose(unpack(*pack(values, 0.02)), values, atol=0.0101)
    with pytest.raises(ValueError, match="too large"):
        pack(values * 1000, 0.02)


def test_eyeballs_turn_and_widen() -> None:
    directions = np.random.default_rng(0).standard_normal((4000, 3))
    sclera = 12 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    eye = build_eyeball(np.zeros(3), sclera)
    np.testing.assert_allclose(np.linalg.norm(eye.offsets, axis=1), 12, atol=0.01)
    assert looking(eye, "Out", is_left=True)[0, 0] > 5 > -5 > looking(eye, "Out", is_left=False)[0, 0]
    assert looking(eye, "Up", is_left=True)[0, 1] > 4
    wider = eye.offsets + dilated(eye)
    ring = np.isclose(eye.angle, PUPIL)
    assert np.hypot(*wider[ring, :2].T).min() > 1.5 * np.hypot(*eye.offsets[ring, :2].T).max()
    middle = eye.offsets[eye.triangles].mean(1)
    a, b, c = (eye.offsets[eye.triangles[:, k]] for k in range(3))
    assert np.all((np.cross(b - a, c - a) * middle).sum(1) > 0)  # outwards


def test_values_continue_smoothly() -> None:
    positions, triangles = dome()
    known = np.flatnonzero(positions[:, 0] < 0)
    wanted = np.flatnonzero(positions[:, 0] >= 0)
    values = positions[known, 1:2][None] * 0.01
    found = extend_over(positions, triangles, known, values, wanted)[0, :, 0]
    assert values.min() <= found.min() and found.max() <= values.max()
    beside = np.abs(positions[wanted, 0]) < 5
    np.testing.assert_allclose(found[beside], positions[wanted][beside, 1] * 0.01, atol=0.25)
    far = positions[wanted, 0] > 45
    assert np.abs(found[far]).max() < 0.1  # faded to the median, 0
