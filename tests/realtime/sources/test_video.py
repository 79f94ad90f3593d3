"""Video from real files of every awkward kind, made on the spot."""

import io
import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.errors import SourceError
from realtime.sources import open_source
from realtime.sources.video import VideoSource
from tests.realtime.clips import UNEVEN, Sound, picture, sound_packets, write_clip


def read(path: Path | str):
    source = open_source(str(path))
    frames = list(source.frames())
    source.close()
    return source, frames


def test_every_time_of_a_variable_rate_clip_is_kept(tmp_path):
    clip = write_clip(tmp_path / "uneven.mp4")
    source, frames = read(clip)
    assert [frame.pts * frame.time_base for frame in frames] == [Fraction(pts, 90000) for pts in UNEVEN]
    assert [frame.index for frame in frames] == list(range(len(UNEVEN)))
    assert source.properties.count == len(UNEVEN)
    assert source.properties.size == (64, 48)
    assert source.properties.stem == "uneven"
    assert not source.properties.live
    assert source.tap_audio() is None


def test_pictures_are_rgb(tmp_path):
    _, frames = read(write_clip(tmp_path / "clip.mp4"))
    assert frames[5].image.dtype == np.uint8
    assert np.abs(frames[5].image[5, 5].astype(int) - (200, 30, 30)).max() <= 6
    assert np.abs(frames[5].image[40, 60].astype(int) - picture(5, (64, 48))[40, 60]).max() <= 3


@pytest.mark.parametrize(
    ("rotation", "shape", "red"),  # red: the corner (y, x) where the red quarter is shown
    [(90, (64, 48), (-5, 5)), (-90, (64, 48), (5, -5)), (180, (48, 64), (-5, -5)), (None, (48, 64), (5, 5))],
)
def test_the_display_rotation_is_applied(tmp_path, rotation, shape, red):
    source, frames = read(write_clip(tmp_path / "turned.mp4", rotation=rotation))
    assert all(frame.image.shape == (*shape, 3) for frame in frames)
    assert source.properties.size == shape[::-1] == frames[0].source_size
    redness = frames[0].image[..., 0] - frames[0].image[..., 1].astype(int)
    assert max(((y, x) for y in (5, -5) for x in (5, -5)), key=lambda corner: redness[corner]) == red


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("ten_bit.mp4", "libx265", "yuv420p10le"),
        ("ten_bit.mkv", "libx264", "yuv420p10le"),
        ("full.mp4", "libx264", "yuv444p"),
        ("clip.webm", "libvpx-vp9", "yuv420p"),
        ("clip.mkv", "libx264", "yuv420p"),
        ("clip.avi", "mpeg4", "yuv420p"),
    ],
)
def test_codecs_and_containers(tmp_path, name, codec, pix_fmt):
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    pts = [3000 * i for i in range(20)] if not name.endswith("avi") else list(range(20))
    base = Fraction(1, 90000) if not name.endswith("avi") else Fraction(1, 30)
    _, frames = read(write_clip(tmp_path / name, pts, codec=codec, pix_fmt=pix_fmt, time_base=base))
    assert len(frames) == 20
    assert np.abs(frames[3].image[5, 5].astype(int) - (200, 30, 30)).max() <= 8
    times = np.array([frame.time_s for frame in frames])
    assert np.abs(times - times[0] - np.arange(20) / 30).max() < 1e-3 / 2 + 1e-9  # Matroska counts milliseconds


def test_bt709_colours_come_out_right(tmp_path):
    source, frames = read(write_clip(tmp_path / "hd.mp4", colorspace=1))
    assert source.properties.colour.space == 1
    assert np.abs(frames[0].image[5, 5].astype(int) - (200, 30, 30)).max() <= 6


def test_sound_packets_pass_untouched(tmp_path):
    clip = write_clip(tmp_path / "sound.mp4", sound=Sound())
    source = open_source(str(clip))
    first, second = source.tap_audio(), source.tap_audio()
    assert len(list(source.frames())) == len(UNEVEN)
    for tap in (first, second):
        taken = [(packet.pts * packet.time_base, packet.duration, bytes(packet)) for packet in tap.take()]
        assert taken == sound_packets(clip)
        assert tap.take() == []
    source.close()


def test_a_pipe_is_read(tmp_path):
    clip = write_clip(tmp_path / "clip.mkv")
    pipe = io.BufferedReader(_Unseekable(clip.read_bytes()))
    source = open_source("-", stdin=pipe)
    assert source.properties.stem == "stdin"
    assert len(list(source.frames())) == len(UNEVEN)


class _Unseekable(io.RawIOBase):
    def __init__(self, contents: bytes):
        self._rest = io.BytesIO(contents)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._rest.readinto(buffer)


def _spoil(clip: Path, after_s: float) -> None:
    """Overwrites the first key picture behind `after_s`."""
    contents = bytearray(clip.read_bytes())
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        victim = next(one for one in packets if one.is_keyframe and one.pts * one.time_base >= after_s)
    contents[victim.pos : victim.pos + victim.size] = b"\x55" * victim.size
    clip.write_bytes(contents)


def _damage_times(caplog, clip: Path) -> list[float]:
    messages = [record.message for record in caplog.records if "damaged at" in record.message]
    assert all(str(clip) in message for message in messages)
    return [float(message.split("damaged at ")[1].split(" s")[0]) for message in messages]


def test_a_damaged_packet_costs_only_its_neighbourhood(tmp_path, caplog):
    clip = write_clip(tmp_path / "clip.mp4", [3000 * i for i in range(90)], gop=10)
    _spoil(clip, after_s=1.0)
    with caplog.at_level(logging.WARNING):
        _, frames = read(clip)
    pts = [frame.pts for frame in frames]
    assert 80 <= len(pts) < 90
    assert pts[:30] == [3000 * i for i in range(30)] and pts[-40:] == [3000 * i for i in range(50, 90)]
    assert _damage_times(caplog, clip) == pytest.approx([1.1], abs=0.25)


def test_a_damaged_container_goes_on_at_its_next_cluster(tmp_path, caplog):
    options = {"cluster_time_limit": "500"}
    clip = write_clip(tmp_path / "clip.mkv", [3000 * i for i in range(90)], gop=10, options=options)
    _spoil(clip, after_s=1.0)
    with caplog.at_level(logging.WARNING):
        _, frames = read(clip)
    times = [frame.time_s for frame in frames]
    assert [time for time in times if time < 0.99] == pytest.approx([i / 30 for i in range(30)], abs=1e-3)
    assert len([time for time in times if time > 2.2]) >= 20
    assert any("no pictures between 1." in record.message for record in caplog.records)


def test_a_clip_cut_short_gives_what_it_has_and_says_so(tmp_path, caplog):
    clip = write_clip(tmp_path / "clip.mp4", [3000 * i for i in range(90)], options={"movflags": "faststart"})
    contents = clip.read_bytes()
    clip.write_bytes(contents[: len(contents) * 2 // 3])
    with caplog.at_level(logging.WARNING):
        _, frames = read(clip)
    assert 10 < len(frames) < 90
    assert [frame.pts for frame in frames] == [3000 * i for i in range(len(frames))]
    assert any("cut short" in record.message for record in caplog.records)


@pytest.mark.parametrize("contents", [b"", b"no video at all, but some text\n" * 50])
def test_what_is_no_video_is_refused_by_name(tmp_path, contents):
    path = tmp_path / "clip.mp4"
    path.write_bytes(contents)
    with pytest.raises(SourceError, match=r"clip\.mp4"):
        open_source(str(path))


def test_an_mp4_without_its_index_is_refused(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", [3000 * i for i in range(60)])
    clip.write_bytes(clip.read_bytes()[:-1500])  # the index comes last
    with pytest.raises(SourceError, match="cut short"):
        open_source(str(clip))


def test_sound_alone_is_refused(tmp_path):
    path = tmp_path / "song.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(SourceError, match="holds no video, only audio"):
        open_source(str(path))


def test_an_unreachable_url_is_refused():
    with pytest.raises(SourceError, match=r"http://127\.0\.0\.1:9/clip\.mp4: cannot be opened"):
        VideoSource("http://127.0.0.1:9/clip.mp4")
