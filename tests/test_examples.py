"""Every program in `examples/` runs as its first line says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.sources.pattern import PatternSource
from tests.realtime.batch.clips import film, pictures
from tests.realtime.clips import video_times

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"


def run(name: str, *arguments: object) -> list[str]:
    """What the example prints, a line each."""
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # where the package is not installed
    ended = subprocess.run(command, capture_output=True, text=True, timeout=280, env=environment)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return film(tmp_path_factory.mktemp("library") / "clip.mp4", 8)


def test_every_example_is_tried_here():
    assert {path.name for path in EXAMPLES.iterdir() if path.suffix == ".py"} == {
        "image.py", "video.py", "webcam.py", "avatar.py", "batch.py"
    }  # fmt: skip


def test_image(tmp_path):
    source = PatternSource(size=(320, 240), count=1)
    shown = source.frame(0).image
    source.close()
    cv2.imwrite(str(tmp_path / "person.png"), shown[..., ::-1])
    (line,) = run("image.py", tmp_path / "person.png", tmp_path / "removed.png")
    assert line.startswith("face at [") and line.endswith(("clear", "dark"))
    removed = cv2.imread(str(tmp_path / "removed.png"))[..., ::-1]
    changed = np.abs(removed.astype(int) - shown).max(2) > 8
    assert 0.005 < changed.mean() < 0.3


def test_video(clip, tmp_path):
    lines = run("video.py", clip, tmp_path / "removed.mp4")
    assert len(lines) == 8 and lines[-1].endswith("1 faces")
    assert video_times(tmp_path / "removed.mp4") == video_times(clip)
    assert np.abs(pictures(tmp_path / "removed.mp4")[-1].astype(int) - pictures(clip)[-1]).max() > 40


def test_webcam_on_the_pattern():
    lines = run("webcam.py", "pattern", 12)
    assert len(lines) >= 6 and all("face 0" in line and "degrees" in line for line in lines)  # the detector runs beside


def test_avatar():
    lines = [json.loads(line) for line in run("avatar.py", "pattern", 6)]
    assert len(lines) == 6 and [line["time_s"] for line in lines] == pytest.approx([n / 30 for n in range(6)])
    assert set(lines[0]["blendshapes"]) == set(ARKIT_NAMES)
    assert all(0 <= weight <= 1 for line in lines for weight in line["blendshapes"].values())
    assert all(abs(angle) < 60 for line in lines for angle in line["head_degrees"].values())


def test_batch(clip, tmp_path):
    assert run("batch.py", clip.parent, tmp_path, 1) == ["clip.mp4: done, 8 frames, 1 faces "]
    assert (tmp_path / "clip_noglasses.mp4").exists() and (tmp_path / "manifest.jsonl").exists()
