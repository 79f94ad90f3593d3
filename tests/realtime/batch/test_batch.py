"""`run_live.py batch` as a person runs it, stops it, kills it, and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from realtime.cli import main
from realtime.sources.pattern import PatternSource
from tests.realtime.batch.clips import contents, film

ROOT = Path(__file__).resolve().parents[3]
FRAMES = {"a/one.mp4": 12, "two.mp4": 14}
ENDINGS = ("_noglasses.mp4", "_sidebyside.mp4", "_coefficients.npz", "_blendshapes.csv", ".glb")
WITH = ("--renderer", "software")  # the same picture on every machine

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="signals of POSIX, and /proc"),
    pytest.mark.timeout(600),
]


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "run_live.py"), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    process = start(*arguments)
    stdout, stderr = process.communicate(timeout=280)
    assert "Traceback" not in stderr, stderr
    return subprocess.CompletedProcess([], process.returncode, stdout, stderr)


def manifest(folder: Path) -> dict[str, dict]:
    """The whole lines; the last one of a file counts."""
    lines = (folder / "manifest.jsonl").read_text().split("\n")[:-1] if (folder / "manifest.jsonl").exists() else []
    return {line["file"]: line for line in map(json.loads, lines)}


def workers_of(pid: int) -> list[int]:
    """Worker processes of a running batch."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


def is_writing(folder: Path) -> bool:
    """Whether a batch into `folder` is in the middle of a video."""
    try:
        return any((folder / ".unfinished").rglob("*_noglasses.part.mp4"))
    except FileNotFoundError:  # just finished
        return False


def wait_for(condition, seconds: float = 200.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    for number, (name, count) in enumerate(FRAMES.items()):
        film(folder / name, count, seed=number)
    source = PatternSource(size=(320, 240), count=1)
    cv2.imwrite(str(folder / "a/photo.png"), source.frame(0).image[..., ::-1])
    source.close()
    (folder / "two bad.mp4").write_bytes(b"no video at all " * 64)
    return folder


@pytest.fixture(scope="module")
def undisturbed(library, tmp_path_factory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("out")
    return run("batch", "-i", library, "-o", folder, "--workers", 2, *WITH), folder


def test_one_bad_file_fails_and_all_others_are_done(undisturbed):
    ended, folder = undisturbed
    assert ended.returncode == 1
    assert ended.stdout.split() == [str(folder / "manifest.jsonl")]
    lines = ended.stderr.splitlines()
    assert lines[0] == "3 of 4 files done, 27 frames"
    assert len(lines) == 2 and lines[1].startswith("error: two bad.mp4 failed:") and "no video" in lines[1]


def test_the_manifest_has_a_line_a_file_in_the_order_of_the_library(undisturbed):
    _, folder = undisturbed
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == ["a/one.mp4", "a/photo.png", "two bad.mp4", "two.mp4"]
    assert [line["state"] for line in lines] == ["done", "done", "failed", "done"]
    assert [line["frames"] for line in lines] == [12, 1, 0, 14]
    assert [line["faces"] for line in lines] == [1, 1, 0, 1]
    assert all(line["seconds"] > 0 for line in lines) and "no video" in lines[2]["error"]
    outputs = {output for line in lines for output in line["outputs"]}
    assert outputs == set(contents(folder)) and not (folder / ".unfinished").exists()


def test_results_are_those_of_video_and_image(undisturbed, library, tmp_path):
    _, folder = undisturbed
    found = contents(folder)
    assert {f"a/one{ending}" for ending in ENDINGS} | {f"two{ending}" for ending in ENDINGS} < found.keys()
    assert run("video", "-i", library / "a/one.mp4", "-o", tmp_path / "a", *WITH).returncode == 0
    assert run("image", "-i", library / "a/photo.png", "-o", tmp_path / "a", *WITH).returncode == 0
    alone = contents(tmp_path)
    assert len(alone) == 10 and {name: found[name] == alone[name] for name in alone} == dict.fromkeys(alone, True)


def test_going_on_does_nothing_twice(undisturbed, library):
    _, folder = undisturbed
    before = {folder / name: (folder / name).stat().st_mtime_ns for name in contents(folder)}
    ended = run("batch", "-i", library, "-o", folder, "--workers", 1, *WITH)
    assert ended.returncode == 1 and "3 of 4 files done (3 of them before)" in ended.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_leaves_no_half_results_and_goes_on(how, undisturbed, library, tmp_path):
    process = start("batch", "-i", library, "-o", tmp_path, "--workers", 1, *WITH)
    parts = tmp_path / ".unfinished"
    wait_for(lambda: "a/photo.png" in manifest(tmp_path) and is_writing(tmp_path))  # inside the third video
    workers = workers_of(process.pid)
    assert len(workers) == 1
    process.send_signal(how)
    _, stderr = process.communicate(timeout=60)
    if how == signal.SIGINT:
        assert process.returncode == 130 and "goes on where this one stopped" in stderr and "Traceback" not in stderr
    wait_for(lambda: not Path(f"/proc/{workers[0]}").exists(), 20)  # nobody writes on behind the next run's back
    expected = contents(undisturbed[1])
    half = contents(tmp_path)
    assert half.items() < expected.items() and "two_noglasses.mp4" not in half
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in half}
    ended = run("batch", "-i", library, "-o", tmp_path, "--workers", 2, *WITH)
    assert ended.returncode == 1 and "3 of 4 files done (2 of them before)" in ended.stderr
    assert contents(tmp_path) == expected and not parts.exists()
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in half} == before


def test_a_killed_worker_changes_nothing(undisturbed, library, tmp_path):
    process = start("batch", "-i", library / "two.mp4", "-o", tmp_path, "--workers", 1, *WITH)
    wait_for(lambda: is_writing(tmp_path))
    (worker,) = workers_of(process.pid)
    os.kill(worker, signal.SIGKILL)
    _, stderr = process.communicate(timeout=200)
    assert process.returncode == 0, stderr
    assert "its worker died (SIGKILL: out of memory?); trying again" in stderr
    assert manifest(tmp_path)["two.mp4"]["attempts"] == 2
    found = contents(tmp_path)
    assert len(found) == 5 and found.items() <= contents(undisturbed[1]).items()


def test_a_list_with_a_file_that_is_gone(tmp_path):
    (tmp_path / "list.txt").write_text(f"{tmp_path}/gone.mp4\n{tmp_path}\n")
    ended = run("batch", "-i", tmp_path / "list.txt", "-o", tmp_path / "out", "--workers", 1)
    assert ended.returncode == 1
    assert "gone.mp4: does not exist" in ended.stderr and "is a folder" in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [["-i", "nothing here", "-o", "out"], ["-i", "."], ["-o", "out"], ["-i", ".", "-o", "out", "--workers", "0"],
     ["-i", ".", "-o", "out", "--segment", "-1"], ["-i", ".", "-o", "."]],
)  # fmt: skip
def test_wrong_usage_ends_with_2(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").touch()
    try:
        code = main(["batch", *arguments])
    except SystemExit as left:
        code = left.code
    assert code == 2 and "error:" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4"]
