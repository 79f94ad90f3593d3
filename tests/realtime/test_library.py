"""The library: three lines are enough, trackers do not know of each other, and closing gives everything back."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from realtime import Face, Glasses, Tracked, Tracker, blendshapes
from realtime.sources.pattern import PatternSource

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 8


def frames_of(seed: int, count: int = FRAMES) -> list[np.ndarray]:
    source = PatternSource(size=(320, 240), count=count, seed=seed)
    images = [frame.image for frame in source.frames()]
    source.close()
    return images


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    return frames_of(seed=7)


@pytest.fixture(scope="module")
def alone(frames) -> list[Tracked]:
    with Tracker() as tracker:
        return [tracker(image) for image in frames]


def test_three_lines_give_faces_and_the_picture_without_glasses(frames, alone):
    faces, image = alone[-1]
    (face,) = faces
    assert isinstance(face, Face) and face.track == 0 and face.coefficients.shape == (239,)
    assert face.glasses is not Glasses.NONE and len(blendshapes(face.coefficients)) == 52
    assert image.shape == (240, 320, 3) and image.dtype == np.uint8 and image.flags.writeable
    changed = np.abs(image.astype(int) - frames[-1]).max(2) > 8
    left, top, right, bottom = face.box.astype(int)
    assert changed[top:bottom, left:right].mean() > 0.02 and changed[:, : left - 40].sum() == 0


def test_the_callers_picture_is_neither_written_to_nor_kept(frames):
    image = frames[0].copy()
    with Tracker(remove=False) as tracker:
        _, shown = tracker(image)
        assert (image == frames[0]).all() and image.flags.writeable
        image[:] = 0
        assert (shown == frames[0]).all()


def test_two_trackers_do_not_influence_each_other(frames, alone):
    other = frames_of(seed=3)
    with Tracker() as first, Tracker(smooth=1.0, faces=1) as second:
        together = []
        for mine, theirs in zip(frames, other, strict=True):
            together.append(first(mine))
            second(theirs)
    for (faces, image), (alone_faces, alone_image) in zip(together, alone, strict=True):
        assert (image == alone_image).all()
        assert (faces[0].coefficients == alone_faces[0].coefficients).all()


def test_trackers_on_threads_of_their_own_give_the_same(frames, alone):
    results: dict[int, list[Tracked]] = {}

    def follow(number: int) -> None:
        with Tracker() as tracker:
            results[number] = [tracker(image) for image in frames]

    threads = [threading.Thread(target=follow, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(2):
        for found, expected in zip(results[number], alone, strict=True):
            assert (found.faces[0].coefficients == expected.faces[0].coefficients).all()


def test_times_steer_the_filters_and_a_cut_begins_anew(frames):
    with Tracker() as tracker:
        slow = [tracker(image, index * 0.2).faces[0].landmarks for index, image in enumerate(frames)]
    with Tracker() as tracker:
        quick = [tracker(image, index * 0.01).faces[0].landmarks for index, image in enumerate(frames)]
        assert tracker(frames[0], cut=True).faces[0].track == 1
    assert (slow[0] == quick[0]).all() and np.abs(slow[-1] - quick[-1]).max() > 0.05


def test_stills_stand_alone(frames):
    with Tracker(stills=True) as tracker:
        tracks = [tracker(image).faces[0].track for image in frames[:3]]
    assert tracks == [0, 1, 2]


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), "clip.mp4", None,
     np.zeros((0, 4, 3), np.uint8)],
)  # fmt: skip
def test_what_is_no_frame_is_refused_in_words(wrong, frames):
    with Tracker(remove=False) as tracker:
        with pytest.raises(ValueError, match=r"a frame (is a numpy array|of 4x0)"):
            tracker(wrong)
        with pytest.raises(ValueError, match="is no time"):
            tracker(frames[0], float("nan"))
        assert len(tracker(frames[0]).faces) == 1  # and it goes on


def test_out_of_range_is_refused():
    for wrong in ({"faces": 0}, {"smooth": 1.5}, {"fps": 0.0}):
        with pytest.raises(ValueError):
            Tracker(**wrong)


def test_a_closed_tracker_says_so(frames):
    tracker = Tracker(remove=False)
    assert tracker.providers["landmarks"]
    tracker.close()
    tracker.close()
    assert tracker.providers == {}
    with pytest.raises(RuntimeError, match="closed"):
        tracker(frames[0])
    with pytest.raises(RuntimeError, match="closed"):
        tracker.calibrate()


def test_the_package_is_light_and_never_imports_torch(frames):
    code = (
        "import sys, realtime; assert not {'numpy', 'cv2', 'onnxruntime', 'av'} & set(sys.modules), 'not light'\n"
        "from realtime import Tracker; import numpy\n"
        "with Tracker() as tracker: tracker(numpy.zeros((64, 64, 3), numpy.uint8))\n"
        "assert 'torch' not in sys.modules and 'av' not in sys.modules\n"
        "assert set(realtime.__all__) <= set(dir(realtime))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended.stderr


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc to count files and memory")
@pytest.mark.parametrize("live", [False, True])
def test_closing_frees_memory_threads_and_files(frames, live):
    def use() -> None:
        with Tracker(live=live) as tracker:
            for image in frames[:3]:
                tracker(image)

    def held() -> tuple[int, int, float]:
        gc.collect()
        return threading.active_count(), len(os.listdir("/proc/self/fd")), resident_mib()

    def native_threads() -> int:
        return len(os.listdir("/proc/self/task"))

    for _ in range(3):  # the allocator and the libraries settle
        use()
    threads, files, memory = held()
    native = native_threads()
    with Tracker() as tracker:
        tracker(frames[0])
        one = held()[2] - memory
    for _ in range(8):
        use()
    after = held()
    assert after[:2] == (threads, files) and native_threads() == native
    assert after[2] - memory < max(24, 2 * one), f"{after[2] - memory:.0f} MiB more after 8 trackers of {one:.0f} MiB"
