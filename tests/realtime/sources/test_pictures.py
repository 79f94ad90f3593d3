"""Photographs of every awkward kind become upright 8-bit RGB."""

import base64
import logging
import struct
import zlib

import cv2
import numpy as np
import pytest

from realtime.errors import SourceError
from realtime.sources import open_source
from realtime.sources.pictures import natural_key, read_picture

RGB = np.zeros((24, 32, 3), np.uint8)
RGB[:12, :16] = (220, 40, 20)
RGB[12:, 16:] = (30, 60, 200)
BGR = RGB[..., ::-1].copy()

CMYK_JPEG = (  # 16x16, (220, 40, 20) top left, light grey elsewhere, inverted as Adobe does
    "c-s4a<NrGbKF5^&q*R6!1`zmvo57iZnTZL6fPe*vSUFf(Sy))P*xA`Qc({0YxVgBwdHI9{c=-hRxVZ(y1O$aeL`6k;_{Al}L?nbnL`D7|U=ZP8"
    "5MU5saTa9o6=aAMWbhVb_<w{!o`Hdpl@SaWpn#DHXagHN2PYRdP{CFK1|~*kW+oP9kexu;TA(}wiy*6zqM;+3a9|?4QlW@Z<HUs=%1#>(iUwW$"
    "pkka<)WpdpCN3c<rK+Z`p{ZqJYG!U>Y31zV>gMj@=@lFj8WtWA8I_!pnwFlCnN?g;T2@|BS=HRq+ScCD*)?hMl&RCE&zL!D(c&dbmn~nha@D5I"
    "Tefc7zGLUELx+zXJ$C%W$y1juU%7hi`i+~n9zJ^f<mt2LFJ8X-`04YPuiw7^`1$MqEe1XoX9iz}NCs~P2789z*Y=65Kl|%%@VZ<37iRsN^kPw$"
    "1`w_Pe-i+v%6I?"
)


def save(path, image, *parameters):
    done, encoded = cv2.imencode(path.suffix, image, list(parameters))
    assert done
    path.write_bytes(encoded.tobytes())
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
def test_formats(tmp_path, suffix):
    lossless = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    image = read_picture(save(tmp_path / f"a{suffix}", BGR, *lossless))
    assert image.dtype == np.uint8 and image.shape == RGB.shape
    assert np.abs(image[4, 4].astype(int) - RGB[4, 4]).max() <= (12 if suffix == ".jpg" else 0)


def test_sixteen_bits_grey_and_alpha(tmp_path):
    deep = read_picture(save(tmp_path / "deep.png", BGR.astype(np.uint16) * 257))
    assert np.abs(deep.astype(int) - RGB).max() <= 1
    grey = read_picture(save(tmp_path / "grey.png", np.full((8, 9), 77, np.uint8)))
    assert grey.shape == (8, 9, 3) and (grey == 77).all()
    deep_grey = read_picture(save(tmp_path / "deep_grey.tiff", np.full((8, 9), 77 * 257, np.uint16)))
    assert np.abs(deep_grey.astype(int) - 77).max() <= 1
    opaque = np.dstack([BGR, np.full(BGR.shape[:2], 255, np.uint8)])
    assert np.array_equal(read_picture(save(tmp_path / "opaque.png", opaque)), RGB)
    opaque[:, :8, 3] = 0
    assert (read_picture(save(tmp_path / "holes.png", opaque))[:, :8] == 255).all()


def _exif(orientation: int) -> bytes:
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff


@pytest.mark.parametrize(
    ("orientation", "red"), [(1, (3, 3)), (3, (-3, -3)), (6, (3, -3)), (8, (-3, 3)), (2, (3, -3)), (5, (3, 3))]
)
def test_exif_rotation(tmp_path, orientation, red):
    path = save(tmp_path / "phone.jpg", BGR, cv2.IMWRITE_JPEG_QUALITY, 98)
    contents = path.read_bytes()
    path.write_bytes(contents[:2] + _exif(orientation) + contents[2:])
    image = read_picture(path)
    assert image.shape == ((32, 24, 3) if orientation in (5, 6, 8) else (24, 32, 3))
    assert np.abs(image[red].astype(int) - (220, 40, 20)).max() <= 20


def test_cmyk_jpeg(tmp_path):
    path = tmp_path / "print.jpg"
    path.write_bytes(zlib.decompress(base64.b85decode(CMYK_JPEG)))
    image = read_picture(path)
    assert image.shape == (16, 16, 3)
    assert np.abs(image[4, 4].astype(int) - (220, 40, 20)).max() <= 25
    assert np.abs(image[12, 12].astype(int) - (240, 240, 240)).max() <= 25


@pytest.mark.parametrize("size", [(16, 16), (8000, 6000)])
def test_small_and_large(tmp_path, size):
    path = save(tmp_path / "a.jpg", np.full((size[1], size[0], 3), 99, np.uint8))
    source = open_source(str(path))
    assert source.properties.size == size
    assert next(source.frames()).image.shape == (size[1], size[0], 3)


def test_a_folder_in_natural_order(tmp_path):
    for number in (10, 2, 1):
        save(tmp_path / f"face {number}.png", np.full((4 + number, 5, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    source = open_source(str(tmp_path))
    frames = list(source.frames())
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 2, 10]
    assert [source.file_name(frame.index) for frame in frames] == ["face 1.png", "face 2.png", "face 10.png"]
    assert [frame.pts for frame in frames] == [0, 1, 2] and all(frame.cut for frame in frames)
    assert source.properties.stem == tmp_path.name and source.properties.count == 3 and source.properties.stills
    assert frames[2].source_size == (5, 14)


def test_a_damaged_picture_in_a_folder_is_left_out(tmp_path, caplog):
    for number in range(4):
        save(tmp_path / f"{number}.png", BGR)
    (tmp_path / "0.png").write_bytes(b"")
    (tmp_path / "2.png").write_bytes(b"\x89PNG broken")
    with caplog.at_level(logging.WARNING):
        source = open_source(str(tmp_path))
        names = [source.file_name(frame.index) for frame in source.frames()]
    assert names == ["1.png", "3.png"]
    assert sum("left out" in record.message for record in caplog.records) == 2


def test_nothing_to_show_is_refused(tmp_path):
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(str(tmp_path))
    (tmp_path / "a.png").write_bytes(b"junk")
    with pytest.raises(SourceError, match=r"a\.png: is no picture"):
        open_source(str(tmp_path / "a.png"))
    (tmp_path / "b.png").write_bytes(b"junk")
    with pytest.raises(SourceError, match="none of the 2 pictures"):
        open_source(str(tmp_path))


def test_natural_key():
    assert sorted(["a10", "a9", "b1", "a", "10", "9"], key=natural_key) == ["9", "10", "a", "a9", "a10", "b1"]
