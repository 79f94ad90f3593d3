"""The program as a person runs it, in a process of its own, on the test pattern and the shipped weights."""

import json
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
FRAMES = 20


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run_live.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=280)


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as clip:
        return [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("video")
    return run("video", "-i", f"pattern:{FRAMES}", "-o", str(folder), "--size", "320x240"), folder


def test_video_writes_everything_and_says_where(results):
    ended, folder = results
    assert ended.returncode == 0, ended.stderr
    names = {"_noglasses.mp4", "_sidebyside.mp4", "_coefficients.npz", "_blendshapes.csv", ".glb"}
    assert {path.name.removeprefix("pattern") for path in folder.iterdir()} == names
    assert set(ended.stdout.split()) == {str(path) for path in folder.iterdir()}


def test_no_frame_is_lost_and_both_videos_are_whole(results):
    _, folder = results
    assert len(frames_of(folder / "pattern_noglasses.mp4")) == FRAMES
    side_by_side = frames_of(folder / "pattern_sidebyside.mp4")
    assert len(side_by_side) == FRAMES and side_by_side[0].shape == (240, 960, 3)


def test_the_face_of_the_pattern_is_tracked_as_one(results):
    _, folder = results
    found = np.load(folder / "pattern_coefficients.npz")
    assert found["coefficients"].shape[1] == 239 and len(found["frame"]) >= FRAMES - 1
    assert set(found["face"]) == {0} and np.isfinite(found["coefficients"]).all()
    assert found["landmarks"][:, :, 0].min() > 0 and found["landmarks"][:, :, 0].max() < 320
    rows = (folder / "pattern_blendshapes.csv").read_text().splitlines()
    assert rows[0].startswith("time,frame,face,eyeBlinkLeft") and len(rows) == len(found["frame"]) + 1


def test_a_faceless_video_ends_with_3_and_comes_out_unchanged(tmp_path):
    clip = tmp_path / "empty.mp4"
    with av.open(str(clip), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(8):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((120, 160, 3), 90, np.uint8), format="rgb24")))
        out.mux(stream.encode(None))
    ended = run("video", "-i", str(clip), "-o", str(tmp_path / "out"))
    assert ended.returncode == 3 and "no face found" in ended.stderr and len(ended.stderr.splitlines()) == 1
    pictures = frames_of(tmp_path / "out" / "empty_noglasses.mp4")
    assert len(pictures) == 8 and np.abs(pictures[0].astype(int) - 90).max() <= 3


def test_image_takes_a_picture_and_never_imports_torch(tmp_path):
    from realtime.sources.pattern import PatternSource

    source = PatternSource(count=1)
    cv2.imwrite(str(tmp_path / "person.png"), cv2.cvtColor(next(source.frames()).image, cv2.COLOR_RGB2BGR))
    source.close()
    code = (
        "import sys; from realtime.cli import main\n"
        f"ended = main(['image', '-i', {str(tmp_path / 'person.png')!r}, '-o', {str(tmp_path / 'out')!r}])\n"
        "assert 'torch' not in sys.modules\nsys.exit(ended)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert ended.returncode == 0, ended.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"person_noglasses.png", "person_sidebyside.png", "person.glb", "person_coefficients.npz"} <= names


def test_bench_measures_every_stage(tmp_path):
    ended = run("bench", "-i", f"pattern:{FRAMES}", "-o", str(tmp_path), "--renderer", "software")
    assert ended.returncode == 0, ended.stderr
    found = json.loads((tmp_path / "bench.json").read_text())
    assert {"fps", "latency_ms", "stages", "machine"} <= set(found) and found["frames"] == FRAMES
    stages = {"locate", "landmarks", "delete", "generate", "regress", "smooth", "refine", "render"}
    assert stages <= set(found["stages"]) and found["renderer"] == "software"
    assert cv2.imread(str(tmp_path / "bench.png")) is not None
    assert all(stage in ended.stdout for stage in stages)
