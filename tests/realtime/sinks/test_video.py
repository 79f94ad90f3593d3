"""Video written by real encoders: exact times, sound byte for byte, playable whatever happens."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.errors import SinkError, UsageError
from realtime.frame import Frame
from realtime.loop import Loop
from realtime.sinks.base import Shot
from realtime.sinks.sound import fit_sound, suffix_for
from realtime.sinks.video import VideoSink
from realtime.sinks.views import glasses_off, original, side_by_side
from realtime.sources import open_source
from realtime.sources.base import Properties
from realtime.workers import Group
from tests.realtime.clips import UNEVEN, Sound, sound_packets, video_times, write_clip


def shot(index: int, size=(64, 48), base=Fraction(1, 30), pts=None) -> Shot:
    random = np.random.default_rng(index)
    image = random.integers(0, 255, (size[1], size[0], 3), np.uint8)
    frame = Frame(image, index, index if pts is None else pts, base)
    return Shot(frame, frame, ())


def convert(clip: Path, target: Path, **options) -> VideoSink:
    source = open_source(str(clip))
    sink = VideoSink(target, source.properties, audio=source.tap_audio(), **options)
    Loop(source, [Group([lambda frame, faces: (frame, faces)])], [sink]).run()
    return sink


@pytest.mark.parametrize("start", [0, 1, 126001])
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_every_time_and_every_sound_packet_survives(tmp_path, start, suffix):
    pts = [start + step for step in UNEVEN]
    clip = write_clip(tmp_path / "clip.mp4", pts, sound=Sound(), options={"movie_timescale": "90000"})
    assert video_times(clip) == [Fraction(stamp, 90000) for stamp in pts]
    target = tmp_path / f"out{suffix}"
    sink = convert(clip, target)
    assert sink.paths == (target,)
    assert video_times(target) == video_times(clip)
    assert sound_packets(target) == sound_packets(clip)
    with av.open(str(clip)) as before, av.open(str(target)) as after:
        assert abs(after.duration - before.duration) < 50_000  # microseconds
        assert after.streams.video[0].codec_context.pix_fmt == "yuv420p"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["clip.mp4", target.name])


def test_the_index_stands_in_front(tmp_path):
    target = tmp_path / "out.mp4"
    convert(write_clip(tmp_path / "clip.mp4"), target)
    contents = target.read_bytes()
    assert 0 < contents.find(b"moov") < contents.find(b"mdat") and contents.find(b"moof") == -1


@pytest.mark.parametrize(
    ("name", "codec", "sound", "suffix"),
    [
        ("clip.webm", "libvpx-vp9", Sound("libopus"), ".mp4"),
        ("clip.mkv", "libx264", Sound("pcm_s16le"), ".mov"),
        ("clip.mkv", "libx264", Sound("flac"), ".mp4"),
        ("clip.mkv", "libx264", Sound("libmp3lame"), ".mp4"),
        ("clip.mkv", "libx264", Sound("libvorbis"), ".mp4"),
        ("clip.mkv", "libx264", Sound("ac3"), ".mkv"),
    ],
)
def test_sound_of_other_kinds_is_copied_too(tmp_path, name, codec, sound, suffix):
    if sound.codec not in av.codecs_available or codec not in av.codecs_available:
        pytest.skip(f"this PyAV lacks {codec} or {sound.codec}")
    clip = write_clip(tmp_path / name, [3000 * i for i in range(40)], codec=codec, sound=sound)
    target = tmp_path / f"out{suffix}"
    if suffix != ".mkv":
        assert fit_sound(tmp_path / "out.mp4", open_source(str(clip)).tap_audio())[0] == target
    convert(clip, target)
    assert [packet[2] for packet in sound_packets(target)] == [packet[2] for packet in sound_packets(clip)]
    assert len(video_times(target)) == 40


def test_sound_that_a_container_cannot_hold_leads_to_a_clear_choice(tmp_path, caplog):
    sound = Sound("adpcm_ms", rate=8000, layout="mono")
    path = write_clip(tmp_path / "old.avi", range(20), time_base=Fraction(1, 30), codec="mpeg4", sound=sound)
    source = open_source(str(path))
    tap = source.tap_audio()
    with pytest.raises(UsageError, match=r"\.mp4 cannot hold adpcm_ms sound unchanged; .*leave the sound out"):
        VideoSink(tmp_path / "out.mp4", source.properties, audio=tap)
    assert suffix_for(tap) is None
    assert fit_sound(tmp_path / "out.mp4", tap) == (tmp_path / "out.mp4", None)
    assert "adpcm_ms sound unchanged: left out" in caplog.text
    assert suffix_for(None) == ".mp4"


@pytest.mark.parametrize(("size", "written"), [((63, 47), (64, 48)), ((16, 16), (16, 16)), ((1, 1), (2, 2))])
def test_odd_and_tiny_sizes(tmp_path, size, written):
    target = tmp_path / "out.mp4"
    sink = VideoSink(target, Properties("a", "a", size))
    for index in range(3):
        sink.write(shot(index, size))
    sink.close()
    with av.open(str(target)) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 3 and (frames[0].width, frames[0].height) == written


def test_colours_survive(tmp_path):
    for space in (1, 2, 5):
        clip = write_clip(tmp_path / f"clip{space}.mp4", colorspace=space)
        target = tmp_path / f"out{space}.mp4"
        convert(clip, target)
        frames = [list(open_source(str(path)).frames())[10] for path in (clip, target)]
        assert np.abs(frames[0].image.astype(int) - frames[1].image)[5:15, 5:15].max() <= 4
        assert open_source(str(target)).properties.colour.space == space


def test_times_that_do_not_rise_and_sizes_that_change(tmp_path):
    target = tmp_path / "out.mp4"
    sink = VideoSink(target, Properties("a", "a", (64, 48), time_base=Fraction(1, 1000)))
    for index, pts in enumerate([0, 33, 33, 20, 100]):
        sink.write(shot(index, (64, 48) if index < 3 else (32, 24), Fraction(1, 1000), pts))
    sink.close()
    assert video_times(target) == [Fraction(pts, 1000) for pts in (0, 33, 34, 35, 100)]


@pytest.mark.parametrize(("size", "bars"), [((48, 48), (8, 0)), ((128, 48), (0, 12)), ((32, 24), (0, 0))])
def test_a_picture_of_another_size_is_neither_stretched_nor_cut(tmp_path, size, bars):
    """White, with a square in the middle a quarter as high as it is."""
    target = tmp_path / "out.mp4"
    sink = VideoSink(target, Properties("a", "a", (64, 48)), crf=4)
    sink.write(shot(0))
    picture = np.full((size[1], size[0], 3), 255, np.uint8)
    half = size[1] // 8
    picture[size[1] // 2 - half : size[1] // 2 + half, size[0] // 2 - half : size[0] // 2 + half] = 0
    for index in range(1, 4):
        frame = Frame(picture, index, index)
        sink.write(Shot(frame, frame, ()))
    sink.close()
    last = list(open_source(str(target)).frames())[-1].image[..., 0]
    assert last.shape == (48, 64)
    across, down = bars
    assert (last[:, across + 2 : 64 - across - 2][down + 2 : 48 - down - 2][[0, -1]] > 200).all()
    assert last[:, : max(across - 2, 0)].size == 0 or last[:, : across - 2].max() < 60
    assert last[: max(down - 2, 0)].size == 0 or last[: down - 2].max() < 60
    inside = last[down + 2 : 46 - down, across + 2 : 62 - across] < 128
    width, height = inside.any(0).sum(), inside.any(1).sum()
    expected = (48 - 2 * down) / 4
    assert abs(width - expected) <= 1 and abs(height - expected) <= 1


def test_side_by_side(tmp_path):
    target = tmp_path / "out.mp4"
    convert(write_clip(tmp_path / "clip.mp4"), target, view=side_by_side(original, glasses_off))
    assert open_source(str(target)).properties.size == (128, 48)


def test_wide_pictures_side_by_side_are_shrunk():
    one = shot(0, (4000, 10))
    assert side_by_side(original, glasses_off, original)(one).shape == (6, 7680, 3)


def test_nothing_written_leaves_nothing(tmp_path):
    VideoSink(tmp_path / "out.mp4", Properties("a", "a", (64, 48))).close()
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    properties = Properties("a", "a", (64, 48))
    with pytest.raises(SinkError, match="a file stands where a folder is needed"):
        VideoSink(tmp_path / "file" / "clip.mp4", properties)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(SinkError, match="a folder has this name"):
        VideoSink(tmp_path / "folder.mp4", properties)
    with pytest.raises(UsageError, match=r"not as \.gif"):
        VideoSink(tmp_path / "clip.gif", properties)
    with pytest.raises(SinkError, match=r"/proc/clip\.mp4: cannot be written"):
        VideoSink(Path("/proc/clip.mp4"), properties)


@pytest.fixture
def small_disk():
    """Files of this process may not grow beyond what is asked: writes fail as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_is_named_and_what_was_written_plays(tmp_path, small_disk):
    target = tmp_path / "out.mp4"
    sink = VideoSink(target, Properties("a", "a", (64, 48)), crf=1)
    small_disk(600_000)
    with pytest.raises(SinkError, match=r"out\.mp4: writing failed near \d+\.\d s: .*; what was written"):
        for index in range(600):
            sink.write(shot(index))
    sink.close()
    assert sink.paths == (target,)
    times = video_times(target)
    assert len(times) >= 20 and times == [Fraction(index, 30) for index in range(len(times))]
    assert list(tmp_path.iterdir()) == [target]


def test_a_disk_that_fills_up_at_the_very_end(tmp_path, small_disk):
    """The plain copy does not fit any more: the fragments become the output."""
    target = tmp_path / "out.mp4"
    sink = VideoSink(target, Properties("a", "a", (64, 48)))
    for index in range(90):
        sink.write(shot(index))
    written = os.path.getsize(tmp_path / "out.part.mp4")
    sink._settle, settle = lambda: (small_disk(written // 2), settle()), sink._settle
    sink.close()
    assert video_times(target) == [Fraction(index, 30) for index in range(90)]
    assert list(tmp_path.iterdir()) == [target]


KILLED = """
import sys
from pathlib import Path
from tests.realtime.sinks.test_video import shot
from realtime.sinks.video import VideoSink
from realtime.sources.base import Properties
sink = VideoSink(Path(sys.argv[1]), Properties("a", "a", (64, 48)))
for index in range(10**6):
    sink.write(shot(index))
    if index == 300:
        print("written", flush=True)
"""


def test_a_killed_run_leaves_a_playable_part(tmp_path):
    target = tmp_path / "out.mp4"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(target)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    times: list[Fraction] = []
    with av.open(tmp_path / "out.part.mp4") as part, contextlib.suppress(av.error.InvalidDataError):
        for frame in part.decode(video=0):  # the kill may tear the very last packet
            times.append(frame.pts * frame.time_base)
    assert len(times) >= 150 and times == [Fraction(index, 30) for index in range(len(times))]


def test_writing_is_not_slow(tmp_path):
    """640x480 in well under a frame's time of one core; processor time, so that a busy machine does not matter."""
    sink = VideoSink(tmp_path / "out.mp4", Properties("a", "a", (640, 480)), threads=1)
    image = np.full((480, 640, 3), 90, np.uint8)
    start = time.process_time()
    for index in range(30):
        frame = Frame(image, index, index)
        sink.write(Shot(frame, frame, ()))
    assert (time.process_time() - start) / 30 < 0.025
    sink.close()
