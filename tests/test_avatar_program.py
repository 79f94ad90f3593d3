"""Avatars as a person asks for them: the program in a process of its own."""

import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime.arguments import parse
from tests.realtime.avatar.files import write_egg

ROOT = Path(__file__).resolve().parents[1]
FRAMES = 6


def run(*arguments) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run_live.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=280)


def alphas(path: Path) -> list[np.ndarray]:
    """(H, W) alpha of every frame of a .webm."""
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [frame.to_ndarray(format="rgba")[..., 3] for packet in packets for frame in decoder.decode(packet)]


def test_options_mean_what_they_say():
    assert parse(["--avatar", "me.glb"]).view == "avatar"
    assert parse(["video", "-i", "a.mp4", "--avatar", "me.glb", "--view", "mesh"]).view == "mesh"
    found = parse(["image", "-i", "a.jpg", "--view", "avatar", "--background", "#00Ff00"])
    assert (found.avatar, found.background, found.view) == ("default", "#00Ff00", "avatar")
    for wrong in ("green", "#00ff0", "#00ff000", ""):
        with pytest.raises(SystemExit):
            parse(["--view", "avatar", "--background", wrong])


@pytest.mark.slow
def test_a_transparent_video_of_ones_own_avatar(tmp_path):
    egg = write_egg(tmp_path / "egg.glb")
    out = tmp_path / "avatar.webm"
    ended = run("video", "-i", f"pattern:{FRAMES}", "--size", "320x240", "--avatar", egg, "--background", "transparent",
                "-o", out, "--renderer", "software")  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == [str(out)]
    found = alphas(out)
    assert len(found) == FRAMES and found[0].shape == (240, 320)
    share = (found[-1] > 200).mean()
    assert 0.02 < share < 0.6 and (found[-1] < 20).mean() > 0.35


@pytest.mark.slow
def test_pictures_get_an_avatar_beside_the_rest(tmp_path):
    from realtime.sources.pattern import PatternSource

    source = PatternSource(count=1)
    image = next(source.frames()).image
    source.close()
    cv2.imwrite(str(tmp_path / "person.jpg"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    ended = run("image", "-i", tmp_path / "person.jpg", "--view", "avatar", "--background", "transparent", "-o",
                tmp_path / "out", "--renderer", "software")  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    picture = cv2.imread(str(tmp_path / "out" / "person_avatar.png"), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (*image.shape[:2], 4) and picture[..., 3].max() == 255 and picture[..., 3].min() == 0
    assert cv2.imread(str(tmp_path / "out" / "person_sidebyside.jpg")).shape[1] == 3 * image.shape[1]


@pytest.mark.parametrize(
    ("contents", "words"),
    [(b"no avatar", "is no binary glTF"), (b"glTF\x02\0\0\0\xff\0\0\0", "broken"), (None, "cannot be read")],
)
def test_a_broken_avatar_is_one_line_and_nothing_is_written(tmp_path, contents, words):
    avatar = tmp_path / "me.glb"
    if contents is not None:
        avatar.write_bytes(contents)
    ended = run("video", "-i", "pattern:2", "--avatar", avatar, "-o", tmp_path / "out")
    assert ended.returncode == 1 and not (tmp_path / "out").exists()
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: {avatar}: ") and words in line


def test_a_file_that_cannot_be_transparent_is_bad_usage(tmp_path):
    ended = run("video", "-i", "pattern:2", "--view", "avatar", "--background", "transparent", "-o", tmp_path / "a.mp4")
    assert ended.returncode == 2 and not list(tmp_path.iterdir())
    (line,) = ended.stderr.splitlines()
    assert ".webm or .mov" in line


@pytest.mark.slow
def test_sound_that_webm_cannot_hold_is_left_out_with_a_word(tmp_path):
    out = tmp_path / "avatar.webm"
    demo = ROOT / "realtime/demo/talking_head.mp4"
    ended = run("video", "-i", demo, "--frames", "3", "--view", "avatar", "--background", "transparent", "-o", out)
    assert ended.returncode == 0, ended.stderr
    (line,) = [line for line in ended.stderr.splitlines() if "sound" in line]
    assert "aac" in line and "; .mov can" in line
    with av.open(str(out)) as container:
        assert not container.streams.audio
    assert len(alphas(out)) == 3
