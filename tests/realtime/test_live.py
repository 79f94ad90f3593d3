"""The program in its window as a person uses it: real keys on a virtual screen, real networks on the test pattern."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import pytest

from tests.realtime.sinks.test_window import display, needs_screen, needs_window

ROOT = Path(__file__).parents[2]
TITLE = "^Nakedeye$"

__all__ = ["display"]


class Person:
    """Looks at the screen and presses keys."""

    def __init__(self, screen: str, folder: Path, *arguments: str):
        self.environment = {**os.environ, "DISPLAY": screen, "OPENBLAS_NUM_THREADS": "1"}
        self.folder = folder
        self.program = subprocess.Popen(
            [sys.executable, str(ROOT / "run_live.py"), "live", *arguments], cwd=folder, env=self.environment,
            stdout=subprocess.PIPE, stderr=(folder / "said").open("w"), text=True,
        )  # fmt: skip

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text()

    def press(self, key: str) -> None:
        subprocess.run(["xdotool", "search", "--name", TITLE, "key", key], env=self.environment, check=True)

    def sees_window(self) -> bool:
        found = subprocess.run(["xdotool", "search", "--name", TITLE], env=self.environment, capture_output=True)
        return found.returncode == 0

    def until(self, done, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline and self.program.poll() is None, self.said
            time.sleep(0.1)


@pytest.mark.gl
@pytest.mark.slow
@needs_screen
@needs_window
def test_screenshot_record_and_quit_with_real_keys(display, tmp_path):
    person = Person(display, tmp_path, "-i", "pattern", "--size", "320x240", "--delay", "150")
    try:
        person.until(person.sees_window)
        person.until(lambda: "keys:" in person.said)

        def has_screenshot() -> bool:
            person.press("s")
            time.sleep(0.5)
            return (tmp_path / "nakedeye_001.png").exists()

        person.until(has_screenshot)
        person.press("m")
        person.press("r")
        time.sleep(3)
        person.press("r")
        person.until(lambda: any(tmp_path.glob("*.mp4")) and not any(tmp_path.glob("*.part.mp4")))
        person.press("q")
        assert person.program.wait(60) == 0, person.said
    finally:
        person.program.kill()
    assert cv2.imread(str(tmp_path / "nakedeye_001.png")).shape == (240, 320, 3)
    (video,) = tmp_path.glob("*.mp4")
    with av.open(str(video)) as clip:
        assert sum(1 for _ in clip.decode(video=0)) >= 1
    assert f"saved {video}" in person.said


@pytest.mark.gl
@pytest.mark.slow
@needs_screen
@needs_window
def test_ctrl_c_ends_the_window_in_good_order(display, tmp_path):
    person = Person(display, tmp_path, "-i", "pattern", "--size", "160x120", "--csv", "shapes.csv")
    try:
        person.until(lambda: "keys:" in person.said)
        time.sleep(2)
        person.program.send_signal(signal.SIGINT)
        assert person.program.wait(60) == 130, person.said
    finally:
        person.program.kill()
    assert (tmp_path / "shapes.csv").read_text().startswith("time,frame,face,")
