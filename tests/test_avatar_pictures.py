"""`image` drives avatars too: the program in a process of its own, a folder of pictures, receivers in this one."""

import csv
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.face.model import load_face_model
from realtime.options import Options
from realtime.outputs import PictureFile, image_sinks
from realtime.sinks.livelink_csv import LiveLinkCsvSink
from realtime.sinks.senders.sink import SenderSink
from realtime.sources import open_source
from realtime.sources.pattern import PatternSource
from tests.realtime.sinks.senders.receivers import VmcReceiver, listening, read_livelink, read_openseeface

ROOT = Path(__file__).resolve().parents[1]


def person(seed: int, moment: int) -> np.ndarray:
    """(480, 640, 3) uint8 BGR."""
    source = PatternSource(seed=seed)
    image = source.frame(moment).image
    source.close()
    return cv2.cvtColor(image, cv2.COLOR_RGB2BGR)


@pytest.fixture(scope="module")
def album(tmp_path_factory) -> Path:
    """One person, nobody, two people, another moment of the first one. Pictures count as a thirtieth of a second."""
    folder = tmp_path_factory.mktemp("album")
    one, other, later = person(7, 0), person(3, 0), person(7, 40)
    pictures = (one, np.full_like(one, 90), np.hstack([one, cv2.resize(other, None, fx=0.75, fy=1.0)]), later)
    for number, picture in enumerate(pictures, 1):
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run_live.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=280)


def test_receivers_get_each_pictures_faces_in_order(album, tmp_path):
    with listening() as vmc, listening() as live, listening() as open_see:
        ended = run(
            "image", "-i", album, "-o", tmp_path, "--livelink-csv", tmp_path / "take.csv", "--renderer", "software",
            "--send", f"vmc://127.0.0.1:{vmc[1]}", "--send", f"livelink://127.0.0.1:{live[1]}",
            "--send", f"openseeface://127.0.0.1:{open_see[1]}",
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        packets = [read_livelink(live[0].recv(65536)) for _ in range(4)]
        records = [read_openseeface(open_see[0].recv(65536)) for _ in range(3)]
        heard, shapes = VmcReceiver(), []
        while len(heard.states) < 4 or heard.frames < 3:
            before = heard.frames
            heard.take(vmc[0].recv(65536))
            if heard.frames > before:
                shapes.append(heard.shapes)
    assert [state[3] for state in heard.states] == [1, 0, 1, 1]
    assert heard.times == pytest.approx(np.arange(4) / 30)
    assert [packet["frame"] for packet in packets] == [0, 2, 2, 3]
    assert [packet["name"] for packet in packets] == ["Nakedeye", "Nakedeye", "Nakedeye 2", "Nakedeye"]
    assert [len(record) for record in records] == [1, 2, 1]
    by_picture: dict[int, list[dict[str, str]]] = {}
    for row in csv.DictReader((tmp_path / f"{album.name}_blendshapes.csv").open()):
        by_picture.setdefault(int(row["frame"]), []).append(row)
    assert {index: len(rows) for index, rows in by_picture.items()} == {0: 1, 2: 2, 3: 1}
    for sent, index in zip(shapes, (0, 2, 3), strict=True):
        assert any(row_says(row, sent["EyeBlinkLeft"], sent["JawOpen"]) for row in by_picture[index])
    written = [row for rows in by_picture.values() for row in rows]
    for row, packet in zip(written, packets, strict=True):
        assert row_says(row, packet["values"][0], packet["values"][17])
    recorded = list(csv.DictReader((tmp_path / "take.csv").open()))
    assert [row["Timecode"] for row in recorded] == ["00:00:00:00.000", "00:00:00:02.000", "00:00:00:03.000"]
    assert [float(row["JawOpen"]) for row in recorded] == pytest.approx([one["JawOpen"] for one in shapes], abs=1e-6)
    assert str(tmp_path / "take.csv") in ended.stdout.split()


def row_says(row: dict[str, str], blink: float, jaw: float) -> bool:
    return (float(row["eyeBlinkLeft"]), float(row["jawOpen"])) == pytest.approx((blink, jaw), abs=1e-4)


def test_a_lone_picture_file_sends_and_records_too(album, tmp_path):
    options = Options(verb="image", output=str(tmp_path / "removed.png"), send=("livelink",),
                      livelink_csv=tmp_path / "take.csv")  # fmt: skip
    source = open_source(str(album / "1.png"))
    sinks = image_sinks(options, source, load_face_model("live"))
    assert [type(sink) for sink in sinks] == [PictureFile, SenderSink, LiveLinkCsvSink]
    for sink in sinks:
        sink.close()
    source.close()
