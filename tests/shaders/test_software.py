"""The raw rasteriser against analytic answers."""

import subprocess
import sys
import time

import numpy as np
import pytest

from shaders.software import interpolate, rasterise, soft_coverage, visible_coverage
from tests.shaders.scenes import grid_plane, sphere


def test_a_triangle_covers_the_pixel_centres_inside_it():
    corners = np.array([[2.31, 1.13, 0], [13.74, 4.92, 0], [5.23, 17.47, 0]], np.float32)
    _, triangle, barycentric = rasterise(corners, np.array([[0, 1, 2]], np.int32), (20, 16))
    y, x = np.mgrid[:20, :16]
    (ax, ay), (bx, by), (cx, cy) = corners[:, :2].astype(np.float64)
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    weights = np.stack(
        [
            ((cx - bx) * (y - by) - (cy - by) * (x - bx)) / area,
            ((ax - cx) * (y - cy) - (ay - cy) * (x - cx)) / area,
            ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area,
        ],
        -1,
    )
    inside = (weights >= 0).all(-1)
    assert np.array_equal(triangle == 0, inside)
    assert np.abs(barycentric[inside] - weights[inside]).max() < 1e-5
    assert not barycentric[~inside].any()


@pytest.mark.parametrize("cull", [False, True])
def test_neighbours_share_every_pixel_exactly_once(cull):
    vertices, triangles = grid_plane((48, 64), cells=6)
    vertices[:, :2] = np.round(vertices[:, :2] * 2) / 2  # many pixel centres then lie exactly on edges
    count = np.zeros((48, 64), int)
    for corners in triangles:
        count += rasterise(vertices, corners[None], (48, 64), cull)[1] >= 0
    assert (count == 1).all()


def test_depth_of_a_slanted_plane_is_exact():
    vertices, triangles = grid_plane((60, 80), slope=(0.7, -1.3), height=40.0)
    depth, triangle, barycentric = rasterise(vertices, triangles, (60, 80))
    y, x = np.mgrid[:60, :80]
    expected = 40 + 0.7 * x - 1.3 * y
    assert (triangle >= 0).all()
    assert np.abs(depth - expected).max() < 0.01
    through_weights = interpolate(vertices, triangles, triangle, barycentric)
    assert np.abs(through_weights - np.stack([x, y, expected], -1)).max() < 0.01


def test_the_nearer_surface_wins_whatever_the_order():
    near, triangles = grid_plane((16, 16), cells=1, height=5)
    far, _ = grid_plane((16, 16), cells=1, height=2)
    for first, second, winners in ((near, far, {0, 1}), (far, near, {2, 3})):
        depth, triangle, _ = rasterise(np.vstack([first, second]), np.vstack([triangles, triangles + 4]), (16, 16))
        assert (depth == 5).all() and set(np.unique(triangle)) == winners


def test_culling_keeps_what_faces_the_camera():
    vertices, triangles, _, _ = sphere()
    whole = rasterise(vertices, triangles, (240, 320))[0]
    front = rasterise(vertices, triangles, (240, 320), cull=True)[0]
    assert np.count_nonzero(np.isfinite(whole) != np.isfinite(front)) <= 4  # the silhouette's last pixels
    both = np.isfinite(whole) & np.isfinite(front)
    assert np.abs(whole[both] - front[both]).max() < 1e-5
    inside_out = rasterise(vertices, triangles[:, ::-1], (240, 320), cull=True)[0]
    assert abs(front[120, 160] - 100) < 0.1 and abs(inside_out[120, 160] + 100) < 0.1


def test_broken_and_distant_vertices_drop_their_triangles_only():
    vertices, triangles = grid_plane((16, 16), cells=1)
    broken = np.array([[np.nan, 0, 0], [0, np.inf, 0], [1e9, 1e9, 0], [3, 3, np.nan], [9, 3, 0], [9, 9, 0]], np.float32)
    extra = np.array([[4, 5, 6], [7, 8, 9], [4, 8, 9], [0, 0, 0]], np.int32)
    _, triangle, _ = rasterise(np.vstack([vertices, broken]), np.vstack([triangles, extra]), (16, 16))
    assert set(np.unique(triangle)) == {0, 1}


def test_off_screen_parts_are_clipped_not_moved():
    vertices, triangles, _, _ = sphere(centre_px=(0.0, 0.0))
    depth, _, _ = rasterise(vertices, triangles, (240, 320))
    assert abs(np.isfinite(depth).sum() - (np.pi * 100**2 / 4 + 100)) < 60
    assert abs(depth[0, 0] - 100) < 0.1
    assert not np.isfinite(rasterise(vertices + np.float32(1000), triangles, (240, 320))[0]).any()


def test_soft_coverage_measures_areas_below_the_pixel():
    vertices, triangles = grid_plane((1, 1), cells=1)
    for left, right in ((3.25, 9.5), (4.0, 4.5)):
        bar = vertices * (right - left, 10, 0) + ((left + right) / 2, 7.0, 0)
        coverage = soft_coverage(bar, triangles, (16, 16), samples=4)
        assert abs(coverage.sum() - (right - left) * 10) < 0.3 * 10
        assert 0 <= coverage.min() and coverage.max() == pytest.approx(min(1, right - left), abs=0.26)
    disc = soft_coverage(*sphere()[:2], (240, 320), samples=3)
    assert abs(disc.sum() - np.pi * 100**2) < 25
    assert np.count_nonzero((disc > 0) & (disc < 1)) > 300


def test_visible_coverage_hides_what_lies_behind():
    head, head_triangles, _, _ = sphere()
    head_depth = rasterise(head, head_triangles, (240, 320))[0]
    sheet, sheet_triangles = grid_plane((240, 320), height=50.0)  # cuts the sphere: a ring of radius sqrt(100^2 - 50^2)
    seen = visible_coverage(sheet, sheet_triangles, head_depth)
    assert seen[120, 160] == 0 and seen[5, 5] == 1
    assert abs((1 - seen).sum() - np.pi * 75 * 100) < 150


def test_a_live_resolution_face_takes_milliseconds_on_one_thread():
    vertices, triangles, _, _ = sphere(rings=97, radius_px=150)
    rasterise(vertices, triangles, (480, 640))
    times = []
    for _ in range(15):
        start = time.process_time()
        rasterise(vertices, triangles, (480, 640))
        times.append(time.process_time() - start)
    assert min(times) < 0.015  # about 3 ms on a quiet core


@pytest.mark.slow
def test_first_call_of_a_stranger_compiles_in_seconds_without_a_thread_pool(tmp_path):
    code = (
        "import time, threading, numpy as np; start = time.process_time()\n"
        "from shaders.software import rasterise, interpolate\n"
        "v = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0]], 'f4'); t = np.array([[0, 1, 2]], 'i4')\n"
        "d, i, b = rasterise(v, t, (10, 10)); interpolate(v, t, i, b)\n"
        "from numba.np.ufunc import parallel\n"
        "print(time.process_time() - start, threading.active_count(), parallel._is_initialized)\n"
    )
    environment = {"NUMBA_CACHE_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    seconds, threads, pool = run.stdout.split()
    assert float(seconds) < 15 and threads == "1" and pool == "False"
