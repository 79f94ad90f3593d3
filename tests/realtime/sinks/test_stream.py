"""Streams over real sockets and pipes, read back by PyAV as any player would."""

import os
import socket
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.errors import SinkError, UsageError
from realtime.sinks.stream import RETRY_S, StreamChannel, is_stream

ROOT = Path(__file__).parents[3]
SIZE = (160, 120)
RATE = Fraction(30)


def picture(index: int) -> np.ndarray:
    """(120, 160, 3) uint8: left half as bright as the index says, right half red."""
    image = np.full((SIZE[1], SIZE[0], 3), 40 + 3 * (index % 60), np.uint8)
    image[:, SIZE[0] // 2 :] = (200, 30, 30)
    return image


def free_port(kind=socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Receiver(threading.Thread):
    """Decodes what comes to `url` until `most` pictures or the end."""

    def __init__(self, url, most: int, format: str | None = None, whole: bool = False, patience_s: float = 20):
        """whole: also what came while the stream was being recognised."""
        super().__init__(daemon=True)
        self.url, self.most, self.format, self.patience_s = url, most, format, patience_s
        self.options = {} if whole else {"fflags": "nobuffer"}
        self.pictures, self.times, self.error = [], [], None
        self.start()

    def run(self):
        quick = {"analyzeduration": "500000", "probesize": "65536"} | self.options
        try:
            with av.open(self.url, format=self.format, options=quick, timeout=self.patience_s) as stream:
                for frame in stream.decode(video=0):
                    self.pictures.append(frame.to_ndarray(format="rgb24"))
                    self.times.append(frame.time)
                    if len(self.pictures) == self.most:
                        return
        except Exception as error:
            self.error = error


def send(channel: StreamChannel, count: int, first: int = 0, until=lambda: False) -> int:
    """How many pictures were sent, 30 a second and in their own time, `until` stops before the end."""
    start = time.monotonic()
    for index in range(count):
        if until():
            return index
        channel.send(picture(first + index), (first + index) / 30)
        time.sleep(max(0.0, start + (index + 1) / 30 - time.monotonic()))
    return count


def assert_pictures(receiver: Receiver, at_least: int) -> None:
    assert len(receiver.pictures) >= at_least, receiver.error
    steps = np.diff(receiver.times)
    assert steps == pytest.approx(np.full(len(steps), 1 / 30), abs=0.002)  # FLV counts milliseconds
    for image in receiver.pictures:
        assert image.shape == (SIZE[1], SIZE[0], 3)
        assert np.abs(image[60, 120].astype(int) - (200, 30, 30)).max() <= 12
    grey = np.array([float(image[20:100, 10:70].mean()) for image in receiver.pictures])
    assert np.diff(grey)[np.diff(grey) > -100] == pytest.approx(3.0, abs=1.5)  # every picture, in order, none twice


@pytest.mark.parametrize("scheme", ["udp", "rtp"])
def test_datagrams_are_decoded_and_counted(scheme):
    port = free_port(socket.SOCK_DGRAM)
    receiver = Receiver(f"{scheme}://127.0.0.1:{port}", 45, format="mpegts" if scheme == "udp" else None)
    time.sleep(0.3)
    channel = StreamChannel(f"{scheme}://127.0.0.1:{port}", RATE)
    send(channel, 240, until=lambda: not receiver.is_alive())
    channel.close()
    receiver.join(20)
    assert_pictures(receiver, 45)


def test_tcp_loses_nothing():
    port = free_port()
    receiver = Receiver(f"tcp://127.0.0.1:{port}?listen=1", 1000, format="mpegts", whole=True)
    time.sleep(0.5)
    channel = StreamChannel(f"tcp://127.0.0.1:{port}", RATE)
    send(channel, 60)
    channel.close()
    receiver.join(20)
    assert_pictures(receiver, 60)
    assert len(receiver.pictures) == 60


RTMP_SERVER = """
import sys, av
print("listening", flush=True)
count = 0
with av.open(sys.argv[1], options={"listen": "1"}, timeout=60) as stream:
    try:
        for _ in stream.decode(video=0):
            count += 1
    except OSError:
        pass  # how this server meets the visitor's end
    print(count, stream.streams.video[0].codec_context.name)
"""


def test_rtmp_is_published_to_a_server():
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    server = subprocess.Popen([sys.executable, "-c", RTMP_SERVER, url], stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "listening\n"
    time.sleep(0.5)
    channel = StreamChannel(url, RATE)
    send(channel, 45)
    channel.close()
    said, _ = server.communicate(timeout=60)
    assert said.split() == ["45", "h264"]


def test_a_server_that_never_answers_is_no_receiver():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        channel = StreamChannel(f"rtmp://127.0.0.1:{silent.getsockname()[1]}/live/key", RATE, answer_s=3)
        with pytest.raises(SinkError, match=r"rtmp://.*: cannot be sent to: no answer within 3 s; is a receiver"):
            channel.send(picture(0), 0.0)


@pytest.mark.parametrize("scheme", ["tcp", "rtmp"])
def test_nobody_listening_is_said(scheme):
    channel = StreamChannel(f"{scheme}://127.0.0.1:{free_port()}", RATE)
    with pytest.raises(SinkError, match=r"cannot be sent to: connection refused; is a receiver listening\?"):
        channel.send(picture(0), 0.0)


def test_a_receiver_that_goes_away_is_told_of_once_and_found_again(caplog):
    """tcp; the clock is the test's, so that no second is waited."""
    caplog.set_level("INFO", "realtime")
    now = [0.0]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        channel = StreamChannel(f"tcp://127.0.0.1:{port}", RATE, clock=lambda: now[0])
        channel.send(picture(0), 0.0)
        first, _ = listener.accept()
        first.close()
        for index in range(1, 200):
            channel.send(picture(index), index / 30)
            time.sleep(0.005)
        assert sum("the receiver has gone" in record.message for record in caplog.records) == 1
        now[0] = RETRY_S + 0.1
        channel.send(picture(200), 200 / 30)
        second, _ = listener.accept()
        assert channel.connections == 2 and "receiving again" in caplog.text
        assert second.recv(188)[0] == 0x47  # a transport packet
        second.close()
    channel.close()


def test_a_source_that_begins_anew_goes_on_in_the_stream():
    read, write = os.pipe()
    with os.fdopen(write, "wb", buffering=0) as pipe, os.fdopen(read, "rb") as end:
        receiver = Receiver(end, 1000, whole=True)
        channel = StreamChannel("-", RATE, pipe=pipe)
        for time_s in (5.0, 5.1, 0.0, 0.1):
            channel.send(picture(0), time_s)
        channel.send(np.zeros((240, 160, 3), np.uint8), 0.2)  # another camera's size: fitted in
        channel.close()
        pipe.close()
        receiver.join(20)
    assert receiver.times == pytest.approx([0, 0.1, 0.1 + 1 / 30, 0.2 + 1 / 30, 0.3 + 1 / 30], abs=0.002)
    assert {image.shape for image in receiver.pictures} == {(120, 160, 3)}


@pytest.mark.parametrize(
    ("output", "words"),
    [("ftp://host/x", r"streams go to udp://, .* not to ftp://"), ("udp://127.0.0.1", "needs a host and a port")],
)
def test_urls_that_nothing_is_sent_to(output, words):
    with pytest.raises(UsageError, match=words):
        is_stream(output)
    assert not is_stream("recording.mp4") and is_stream("rtmp://live.example/app/key")


def run_live(*arguments, **how):
    return subprocess.Popen([sys.executable, str(ROOT / "run_live.py"), "live", *arguments], **how)


def test_the_program_on_a_pipe_into_a_player(tmp_path):
    csv = tmp_path / "shapes.csv"
    program = run_live("-i", "pattern", "--frames", "12", "--size", "320x240", "-o", "-", "--csv", str(csv),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    with av.open(program.stdout) as stream:
        images = [frame.to_ndarray(format="rgb24") for frame in stream.decode(video=0)]
    said = program.stderr.read().decode()
    assert program.wait(60) == 0, said
    assert len(images) == 12 and images[0].shape == (240, 320, 3) and images[0].std() > 20
    assert str(csv) in said  # beside the pictures nothing is said on stdout


def test_the_program_says_that_the_player_has_gone():
    program = run_live("-i", "pattern", "--size", "160x120", "-o", "-", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    program.stdout.read(50_000)
    program.stdout.close()
    said = program.stderr.read().decode()
    assert program.wait(60) == 1
    last = said.strip().splitlines()[-1]
    assert last == "error: stdout: the program that was reading has gone; nothing more can be sent"


def test_the_program_sends_to_a_receiver_over_udp():
    port = free_port(socket.SOCK_DGRAM)
    receiver = Receiver(f"udp://127.0.0.1:{port}", 10, format="mpegts", patience_s=120)
    program = run_live("-i", "pattern", "--size", "160x120", "-o", f"udp://127.0.0.1:{port}", "--frames", "90",
                       "--delay", "200", stderr=subprocess.PIPE)  # fmt: skip
    said = program.communicate(timeout=120)[1].decode()
    receiver.join(120)
    assert program.returncode == 0 and f"sending to udp://127.0.0.1:{port}, 160x120" in said
    assert len(receiver.pictures) == 10
