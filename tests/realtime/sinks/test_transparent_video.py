"""Transparent video, decoded again: what was clear is clear, what was not is not, at the source's own times."""

from fractions import Fraction

import av
import numpy as np
import pytest

from realtime.errors import UsageError
from realtime.frame import Frame
from realtime.sinks.base import Shot
from realtime.sinks.pictures import write_picture
from realtime.sinks.video import VideoSink
from realtime.sinks.views import rendered, transparent
from realtime.sources.base import Properties

SIZE = (96, 64)
TIMES = [0, 40, 70, 130]  # ms, uneven


def disc(centre: int) -> np.ndarray:
    """(64, 96, 4): a soft-edged orange disc on nothing."""
    row, column = np.mgrid[: SIZE[1], : SIZE[0]]
    picture = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    picture[..., :3] = (250, 140, 30)
    picture[..., 3] = np.clip((20 - np.hypot(row - 32, column - centre)) * 64, 0, 255)
    return picture


def shots() -> list[Shot]:
    base = Fraction(1, 1000)
    made = []
    for index, (time, centre) in enumerate(zip(TIMES, (30, 40, 50, 60), strict=True)):
        frame = Frame(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), index, time, base)
        made.append(Shot(frame, frame, (), disc(centre)))
    return made


def properties() -> Properties:
    return Properties("test", "test", SIZE, rate=Fraction(25), time_base=Fraction(1, 1000), count=4)


def decoded(path, codec: str) -> tuple[list[float], list[np.ndarray]]:
    """Times and (H, W, 4) RGBA pictures. FFmpeg's own VP9 decoder leaves alpha out: libvpx has it."""
    times, pictures = [], []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = av.CodecContext.create(codec, "r")
        if stream.codec_context.extradata:
            decoder.extradata = stream.codec_context.extradata
        decoder.width, decoder.height = stream.codec_context.width, stream.codec_context.height
        for packet in container.demux(stream):
            for frame in decoder.decode(packet if packet.size else None):
                pictures.append(frame.to_ndarray(format="rgba"))
            if packet.size:
                times.append(float(packet.pts * packet.time_base))
    return sorted(times), pictures


@pytest.mark.parametrize(("suffix", "codec", "off"), [(".webm", "libvpx-vp9", 14), (".mov", "prores", 6)])
def test_alpha_comes_back(tmp_path, suffix, codec, off):
    path = tmp_path / f"out{suffix}"
    sink = VideoSink(path, properties(), view=transparent, alpha=True)
    for shot in shots():
        sink.write(shot)
    sink.close()
    assert sink.paths == (path,) and [one.name for one in tmp_path.iterdir()] == [path.name]
    times, pictures = decoded(path, codec)
    assert len(pictures) == 4
    np.testing.assert_allclose(np.array(times) - times[0], np.array(TIMES) / 1000, atol=1e-3)
    for picture, centre in zip(pictures, (30, 40, 50, 60), strict=True):
        written = disc(centre)
        assert np.abs(picture[..., 3].astype(int) - written[..., 3]).mean() < off / 4
        sure = (written[..., 3] == 255) & (np.hypot(*(np.mgrid[:64, :96] - np.array([[[32]], [[centre]]]))) < 15)
        assert picture[..., 3][sure].min() > 240
        assert np.abs(picture[sure][:, :3].astype(int) - (250, 140, 30)).max() < 40
        assert picture[..., 3][:4].max() < 16 and picture[..., 3][:, -4:].max() < 16


def test_browsers_are_told_that_webm_has_alpha(tmp_path):
    sink = VideoSink(tmp_path / "out.webm", properties(), view=transparent, alpha=True)
    sink.write(shots()[0])
    sink.close()
    assert b"\x53\xc0\x81\x01" in (tmp_path / "out.webm").read_bytes()  # Matroska's AlphaMode = 1
    with av.open(str(tmp_path / "out.webm")) as container:
        assert container.streams.video[0].codec_context.name == "vp9"


def test_webm_without_alpha_is_plain_vp9(tmp_path):
    sink = VideoSink(tmp_path / "out.webm", properties(), view=rendered)
    for shot in shots():
        sink.write(shot)
    sink.close()
    with av.open(str(tmp_path / "out.webm")) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 4 and b"\x53\xc0\x81\x01" not in (tmp_path / "out.webm").read_bytes()
    assert np.ptp(pictures[0][:4].astype(int)) > 30  # chequers stand for nothing


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_files_that_cannot_be_transparent_say_which_can(tmp_path, suffix):
    with pytest.raises(UsageError, match=r"cannot be transparent; record into \.webm or \.mov"):
        VideoSink(tmp_path / f"out{suffix}", properties(), view=transparent, alpha=True)
    assert not list(tmp_path.iterdir())


def test_pictures_keep_alpha_or_refuse(tmp_path):
    import cv2

    write_picture(tmp_path / "out.png", disc(30))
    stored = cv2.cvtColor(cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
    np.testing.assert_array_equal(stored, disc(30))
    with pytest.raises(UsageError, match=r"\.jpg cannot be transparent"):
        write_picture(tmp_path / "out.jpg", disc(30))
