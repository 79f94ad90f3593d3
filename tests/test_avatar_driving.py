"""The program as a person runs it, sending to receivers in this process: the bundled clip, the shipped weights."""

import csv
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.realtime.sinks.senders.receivers import (
    VmcReceiver,
    listening,
    read_ifacialmocap,
    read_livelink,
    read_openseeface,
)

ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / "realtime/demo/talking_head.mp4"  # 25 frames a second; its person blinks at 0.75 s
FRAMES, BLINK = 34, range(17, 23)


class Heard:
    """Every packet that came, as the program ran."""

    def __init__(self) -> None:
        self.packets: dict[str, list[bytes]] = {}
        self.ended: subprocess.CompletedProcess[str] | None = None


@pytest.fixture(scope="module")
def heard(tmp_path_factory) -> tuple[Heard, Path]:
    folder = tmp_path_factory.mktemp("avatar")
    found = Heard()
    names = ("vmc", "livelink", "ifacialmocap", "openseeface")
    with listening(1.0) as a, listening(1.0) as b, listening(1.0) as c, listening(1.0) as d:
        over = threading.Event()

        def collect(name: str, receiver) -> None:
            packets = found.packets.setdefault(name, [])
            while True:
                try:
                    packets.append(receiver.recv(65536))
                except TimeoutError:
                    if over.is_set():
                        return

        receivers = dict(zip(names, (a, b, c, d), strict=True))
        threads = [threading.Thread(target=collect, args=(name, one[0])) for name, one in receivers.items()]
        for thread in threads:
            thread.start()
        sends = [word for name, (_, port) in receivers.items() for word in ("--send", f"{name}://127.0.0.1:{port}")]
        command = [sys.executable, str(ROOT / "run_live.py"), "video", "-i", str(CLIP), "--frames", str(FRAMES)]
        command += ["-o", str(folder / "out.mp4"), "--livelink-csv", str(folder / "take.csv"), *sends]
        found.ended = subprocess.run(command, capture_output=True, text=True, timeout=280)
        over.set()
        for thread in threads:
            thread.join()
    return found, folder


def test_all_four_protocols_and_the_recording_carry_every_frame(heard):
    found, folder = heard
    assert found.ended.returncode == 0, found.ended.stderr
    vmc = VmcReceiver()
    for packet in found.packets["vmc"]:
        vmc.take(packet)
    seen = vmc.frames
    assert len(vmc.states) == FRAMES and FRAMES - 2 <= seen <= FRAMES
    assert vmc.times == pytest.approx(np.arange(FRAMES) / 25, abs=1e-4)
    assert [len(found.packets[name]) for name in ("livelink", "ifacialmocap", "openseeface")] == [seen] * 3
    rows = list(csv.DictReader((folder / "take.csv").open()))
    assert len(rows) == seen and rows[0]["BlendShapeCount"] == "61"
    assert str(folder / "take.csv") in found.ended.stdout.split()


def test_names_are_complete_at_every_receiver(heard):
    found, _ = heard
    vmc = VmcReceiver()
    for packet in found.packets["vmc"]:
        vmc.take(packet)
    assert {"Blink", "A", "Joy", "EyeBlinkLeft", "TongueOut"} <= set(vmc.shapes) and len(vmc.shapes) == 17 + 52
    assert set(vmc.bones) == {"Head", "Neck", "LeftEye", "RightEye"}
    assert {read_livelink(packet)["name"] for packet in found.packets["livelink"]} == {"Nakedeye"}
    assert len(read_ifacialmocap(found.packets["ifacialmocap"][0])[0]) == 52
    assert set(read_openseeface(b"".join(found.packets["openseeface"]))["id"]) == {0}


def test_the_blink_of_the_clip_arrives_and_closes_both_eyes(heard):
    found, _ = heard
    weights = np.array([read_livelink(packet)["values"] for packet in found.packets["livelink"]])
    frames = np.array([read_livelink(packet)["frame"] for packet in found.packets["livelink"]])
    during, before = np.isin(frames, BLINK), (frames > 5) & (frames < 14)
    for eye in (0, 7):
        assert weights[during, eye].max() > 0.85
        assert np.median(weights[before, eye]) < 0.1
    assert read_openseeface(b"".join(found.packets["openseeface"]))["open"].min() < 0.15


def test_the_head_of_the_clip_turns_at_the_receiver(heard):
    """It turns to its left, 17 degrees at one second."""
    found, _ = heard
    yaw = np.array([read_livelink(packet)["values"][52] for packet in found.packets["livelink"]]) * 180
    assert abs(yaw[:3].mean()) < 6 and yaw[-9:].mean() > 10


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run_live.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=280)


def test_a_target_that_cannot_be_meant_ends_with_2_and_one_line():
    ended = run("video", "-i", str(CLIP), "--send", "osc://127.0.0.1")
    assert ended.returncode == 2 and "vmc://HOST:39539" in ended.stderr and len(ended.stderr.splitlines()) == 1


def test_doctor_says_whether_anybody_listens():
    with listening() as (_, port):
        ended = run("doctor", "--send", f"vmc://127.0.0.1:{port}", "--send", "livelink://127.0.0.1:9")
    assert f"VMC to 127.0.0.1:{port}: packets leave" in ended.stdout
    assert "Live Link Face to 127.0.0.1:9: nobody is listening there" in ended.stdout
