"""The whole program on bad input: one clear line that says what and where, the right exit code, what was written plays.

Damage to single files is tried in tests/realtime/sources and sinks; here every wish goes through the front door.
"""

from __future__ import annotations

import base64
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import engines
from engines.manifest import read_manifest
from realtime.cli import main
from realtime.doctor import NETWORKS
from tests.realtime.clips import video_times
from tests.realtime.sources.test_pictures import CMYK_JPEG

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "realtime/demo/talking_head.mp4"
LISTED = {entry.name for entry in read_manifest()}
NO_GL = {"GLCONTEXT_LINUX_LIBEGL": "libEGL-is-not-here.so"}

pytestmark = [
    pytest.mark.skipif(not LISTED.issuperset(NETWORKS), reason="not all networks have weights in this checkout"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals, limits and devices of POSIX"),
]


@dataclass(frozen=True)
class Ended:
    code: int
    lines: list[str]
    stdout: str

    def says(self, *words: str) -> bool:
        """One line on stderr, no traceback, with all these words."""
        return len(self.lines) == 1 and all(word in self.lines[0] for word in words)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]):
    """The program in this process: its exit code and what reached the terminal, native libraries' words included."""

    def call(*arguments: object) -> Ended:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        assert "Traceback" not in captured.err
        return Ended(code, captured.err.splitlines(), captured.out)

    return call


def start(*arguments: object, **more) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "run_live.py"), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def end(process: subprocess.Popen[str]) -> Ended:
    stdout, stderr = process.communicate(timeout=120)
    assert "Traceback" not in stderr, stderr
    return Ended(process.returncode, stderr.splitlines(), stdout)


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Frames of the demo, (240, 320, 3) uint8 RGB."""
    with av.open(str(DEMO)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return [cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA) for frame in frames[:24]]


def film(path: Path, frames: list[np.ndarray], gop: int = 6, rate: int = 25) -> Path:
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "20", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        stream.codec_context.gop_size = gop
        for index, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_picture(path: Path, rgb: np.ndarray) -> Path:
    channels = rgb if rgb.ndim == 2 else np.dstack([rgb[..., 2::-1], rgb[..., 3:]])
    _, encoded = cv2.imencode(path.suffix, channels)
    path.write_bytes(encoded.tobytes())
    return path


# --- what cannot be read ---


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Root may read everything: then as `nobody`."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_inputs_that_cannot_be_read(run, tmp_path):
    locked = tmp_path / "locked.mp4"
    shutil.copy(DEMO, locked)
    locked.chmod(0)
    run("video", "-i", tmp_path / "absent.mp4", "-o", tmp_path)  # imports what `nobody` may not read
    with as_somebody_else():
        ended = run("video", "-i", locked, "-o", tmp_path)
    assert ended.code == 1 and ended.says("locked.mp4", "ermission denied")
    (tmp_path / "void").mkdir()
    ended = run("image", "-i", tmp_path / "void", "-o", tmp_path / "out")
    assert ended.code == 1 and ended.says("void", "no pictures")
    (tmp_path / "empty.mp4").touch()
    ended = run("video", "-i", tmp_path / "empty.mp4", "-o", tmp_path / "out")
    assert ended.code == 1 and ended.says("empty.mp4")
    (tmp_path / "headless.mp4").write_bytes(DEMO.read_bytes()[40_000:])
    ended = run("video", "-i", tmp_path / "headless.mp4", "-o", tmp_path / "out")
    assert ended.code == 1 and ended.says("headless.mp4")
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def test_cameras_that_are_not_there(run):
    for camera in ("97", "/dev/video97", "No Such Camera"):
        ended = run("live", "-i", camera, "-o", "null")
        assert ended.code == 1 and ended.says(camera), ended


def test_weights_that_are_missing_or_damaged(run, tmp_path, pictures):
    picture = write_picture(tmp_path / "face.png", pictures[0])
    shutil.copytree(Path(engines.__file__).parent / "weights", tmp_path / "models/weights")
    shutil.copy(Path(engines.__file__).parent / "models.toml", tmp_path / "models")
    weights = next((tmp_path / "models/weights").glob("detector-light*"))
    contents = bytearray(weights.read_bytes())
    contents[len(contents) // 2] ^= 1
    weights.write_bytes(contents)
    ended = run("image", "-i", picture, "-o", tmp_path / "out", "--models-dir", tmp_path / "models")
    assert ended.code == 1 and ended.says(str(weights), "sha256")
    weights.unlink()
    ended = run("image", "-i", picture, "-o", tmp_path / "out", "--models-dir", tmp_path / "models")
    assert ended.code == 1 and ended.says(str(weights))
    ended = run("image", "-i", picture, "-o", tmp_path / "out", "--models-dir", tmp_path / "nowhere")
    assert ended.code == 1 and ended.says("nowhere")


# --- what is odd, but shows something ---


def test_the_smallest_picture_shows_nobody(run, tmp_path):
    dot = write_picture(tmp_path / "dot.png", np.full((16, 16, 3), 90, np.uint8))
    ended = run("image", "-i", dot, "-o", tmp_path / "out")
    assert ended.code == 3 and ended.says("no face found", "dot.png")
    assert cv2.imread(str(tmp_path / "out/dot_noglasses.png")).shape == (16, 16, 3)


def test_faces_that_come_and_go_and_a_damaged_packet(run, tmp_path, pictures):
    nobody = np.full_like(pictures[0], 120)
    frames = pictures[:8] + [nobody] * 8 + pictures[8:24]
    clip = film(tmp_path / "visit.mp4", frames)
    ended = run("video", "-i", clip, "-o", tmp_path / "out")
    assert ended.code == 0 and ended.lines == []
    assert len(video_times(tmp_path / "out/visit_noglasses.mp4")) == len(frames)
    with np.load(tmp_path / "out/visit_coefficients.npz") as table:
        seen = set(table["frame"].tolist())
        assert np.isfinite(table["coefficients"]).all()
    assert len(seen & set(range(8))) >= 7 and not seen & set(range(11, 16)) and len(seen & set(range(17, 32))) >= 13
    contents = bytearray(clip.read_bytes())
    with av.open(str(clip)) as container:
        packet = next(one for one in container.demux(video=0) if one.is_keyframe and one.pts * one.time_base >= 0.4)
        contents[packet.pos : packet.pos + packet.size] = b"\x55" * packet.size
    clip.write_bytes(contents)
    ended = run("video", "-i", clip, "-o", tmp_path / "out")
    assert ended.code == 0 and ended.says("visit.mp4", "damaged")
    times = [float(one) for one in video_times(tmp_path / "out/visit_noglasses.mp4")]
    assert len(times) >= 20 and min(times) < 0.05 and max(times) > 1.2


def test_a_film_cut_short_gives_what_it_has(run, tmp_path, pictures):
    clip = film(tmp_path / "half.mp4", pictures)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 6 // 10])
    ended = run("video", "-i", clip, "-o", tmp_path / "out")
    assert ended.code == 0 and all("half.mp4" in line for line in ended.lines) and len(ended.lines) <= 2
    assert any("cut short" in line or "damaged at" in line for line in ended.lines)
    assert 6 <= len(video_times(tmp_path / "out/half_noglasses.mp4")) < 24


def _exif(orientation: int) -> bytes:
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff


def test_a_folder_of_every_kind_of_picture(run, tmp_path, pictures):
    folder, face = tmp_path / "album", pictures[0]
    folder.mkdir()
    write_picture(folder / "grey.png", cv2.cvtColor(face, cv2.COLOR_RGB2GRAY))
    write_picture(folder / "alpha.png", np.dstack([face, np.full(face.shape[:2], 255, np.uint8)]))
    write_picture(folder / "deep.png", face.astype(np.uint16) * 257)
    turned = write_picture(folder / "turned.jpg", np.ascontiguousarray(np.rot90(face)))
    contents = turned.read_bytes()
    turned.write_bytes(contents[:2] + _exif(6) + contents[2:])
    (folder / "print.jpg").write_bytes(zlib.decompress(base64.b85decode(CMYK_JPEG)))
    (folder / "broken.png").write_bytes(b"\x89PNG broken")
    ended = run("image", "-i", folder, "-o", tmp_path / "out")
    assert ended.code == 0 and ended.says("broken.png", "left out")
    for name in ("grey.png", "alpha.png", "deep.png", "turned.jpg", "print.jpg"):
        path = tmp_path / "out" / f"{Path(name).stem}_noglasses{Path(name).suffix}"
        assert cv2.imread(str(path)).shape[:2] == ((16, 16) if name == "print.jpg" else (240, 320)), name
    with np.load(tmp_path / "out/album_coefficients.npz") as table:
        assert len(set(table["frame"].tolist())) == 4


def test_five_hundred_faces_in_a_huge_picture(run, tmp_path, pictures):
    face = cv2.resize(pictures[0][:, 40:280], (320, 300))
    crowd = write_picture(tmp_path / "crowd.jpg", np.tile(face, (20, 25, 1)))
    ended = run("image", "-i", crowd, "-o", tmp_path / "removed.jpg", "--faces", "4", "--csv", tmp_path / "faces.csv")
    assert ended.code == 0 and ended.lines == []
    assert cv2.imread(str(tmp_path / "removed.jpg")).shape == (6000, 8000, 3)
    assert 1 <= len((tmp_path / "faces.csv").read_text().splitlines()) - 1 <= 4


# --- what cannot be written ---


def test_outputs_that_cannot_be_written(run, tmp_path):
    (tmp_path / "file").touch()
    for output in (tmp_path / "file/below", "/proc/nakedeye"):
        ended = run("video", "-i", DEMO, "-o", output, "--frames", "2")
        assert ended.code == 1 and ended.says(str(output)), ended


def test_a_full_disk_keeps_what_was_written(run, tmp_path, pictures):
    clip = film(tmp_path / "slow.mp4", pictures, rate=4)  # films grow by a second at a time: here four frames
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))
    try:
        ended = run("video", "-i", clip, "-o", tmp_path / "removed.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert ended.code == 1 and ended.says("removed.mp4", "writing failed near")
    assert 4 <= len(video_times(tmp_path / "removed.mp4")) < 24


# --- the machine and the person ---


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL is Linux's")
def test_without_gl_software_draws_and_gl_alone_is_refused(tmp_path):
    arguments = ("video", "-i", DEMO, "--frames", "2", "-o")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | NO_GL
    ways = ((tmp_path / "any",), (tmp_path / "gl", "--renderer", "gl"))
    both = [start(*arguments, *way, env=environment) for way in ways]
    able, unable = map(end, both)
    assert able.code == 0 and all("OpenGL" in line for line in able.lines)
    assert unable.code in (1, 2) and unable.says("OpenGL")


def test_ctrl_c_in_the_middle_leaves_playable_films(tmp_path):
    process = start("video", "-i", "pattern", "-o", tmp_path)
    part = tmp_path / "pattern_noglasses.part.mp4"
    late = time.monotonic() + 90
    while time.monotonic() < late and not (part.exists() and part.stat().st_size):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    ended = end(process)
    assert ended.code == 130 and ended.says("interrupted after")
    for kind in ("noglasses", "sidebyside"):
        assert len(video_times(tmp_path / f"pattern_{kind}.mp4")) >= 1
    assert str(tmp_path / "pattern_noglasses.mp4") in ended.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
@pytest.mark.parametrize("after_s", [0.0, 0.4, 1.2])
def test_ctrl_c_while_it_starts(tmp_path, after_s):
    """From the program's first line on, which is when SIGTERM is heard."""
    process = start("video", "-i", DEMO, "-o", tmp_path)
    late = time.monotonic() + 90
    while not hears(process.pid, signal.SIGTERM) and time.monotonic() < late:
        time.sleep(0.002)
    time.sleep(after_s)
    process.send_signal(signal.SIGINT)
    ended = end(process)
    assert ended.code == 130 and ended.says("interrupted")


def hears(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler of its own for a signal."""
    caught = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
