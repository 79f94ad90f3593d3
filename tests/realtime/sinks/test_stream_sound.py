"""A stream carries its source's sound: the same packets, beside the pictures that they belong to, at real receivers."""

import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.face.model import load_face_model
from realtime.options import Options
from realtime.outputs import live_sinks
from realtime.sinks.stream import StreamChannel
from realtime.sinks.stream_sound import AHEAD_S, StreamSound
from realtime.sources.paced import Paced
from realtime.sources.video import VideoSource
from tests.realtime.clips import Sound, sound_packets, video_times, write_clip
from tests.realtime.sinks.test_stream import ROOT, free_port

STAMPS = [6000 + 3000 * index for index in range(60)]  # two seconds, beginning a fifteenth of a second late


@dataclass
class Heard:
    """Times of pictures, and times and bytes of sound packets that came."""

    codecs: list[str] = field(default_factory=list)
    pictures_s: list[float] = field(default_factory=list)
    sound: list[tuple[float, bytes]] = field(default_factory=list)


def hear(stream: av.container.InputContainer) -> Heard:
    heard = Heard(sorted(one.codec_context.name for one in stream.streams))
    try:
        for packet in stream.demux():
            if packet.size and packet.stream.type == "audio":
                heard.sound.append((float(packet.pts * packet.time_base), bytes(packet)))
            elif packet.size:
                heard.pictures_s.append(float(packet.pts * packet.time_base))
    except OSError:
        pass  # how an RTMP server meets the visitor's end
    return heard


@contextmanager
def receiver(url: str, form: str) -> Iterator[Callable[[], Heard]]:
    """A receiver in a process of its own, listening; afterwards tells what it heard."""
    command = [sys.executable, "-m", __name__, url, form]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout.readline() == b"listening\n"
    time.sleep(0.5)
    try:
        yield lambda: Heard(*pickle.loads(process.communicate(timeout=60)[0]))
    finally:
        process.kill()
        process.wait()


def send_clip(clip: Path, url: str) -> None:
    """As the program does: at the clip's own speed, its pictures and its sound."""
    source = VideoSource(str(clip))
    paced = Paced(source)
    channel = StreamChannel(url, Fraction(30), sound=paced.tap_audio())
    for frame in paced.frames():
        channel.send(frame.image, frame.time_s)
    channel.close()
    source.close()


def assert_same_sound(heard: Heard, clip: Path, slack_s: float) -> None:
    """Every packet since the first picture, byte for byte, and at the same distance from that picture."""
    first = float(video_times(clip)[0])
    sent = [(float(time_s), data) for time_s, _, data in sound_packets(clip) if time_s >= Fraction(first)]
    assert len(sent) > 50 and len(heard.pictures_s) == len(STAMPS)
    assert [data[-len(one):] for (_, data), (_, one) in zip(heard.sound, sent, strict=True)] == [one for _, one in sent]
    found = np.array([time_s for time_s, _ in heard.sound]) - heard.pictures_s[0]
    assert found == pytest.approx(np.array([time_s for time_s, _ in sent]) - first, abs=slack_s)


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", STAMPS, sound=Sound())


@pytest.mark.parametrize(
    ("scheme", "path", "form", "slack_s"), [("tcp", "", "mpegts", 0.001), ("rtmp", "/live/key", "flv", 0.002)]
)
def test_streams_carry_the_sound(clip, scheme, path, form, slack_s):
    """TCP as UDP and RTP: a transport stream. FLV counts milliseconds."""
    url = f"{scheme}://127.0.0.1:{free_port()}{path}"
    with receiver(url, form) as told:
        send_clip(clip, url)
        heard = told()
    assert heard.codecs == ["aac", "h264"]
    assert_same_sound(heard, clip, slack_s)


def test_sound_that_the_container_cannot_hold_is_left_out_with_a_word(tmp_path, caplog):
    clip = write_clip(tmp_path / "clip.mkv", STAMPS[:10], sound=Sound(codec="libopus"))
    source = VideoSource(str(clip))
    channel = StreamChannel("rtmp://127.0.0.1:1/live/key", Fraction(30), sound=source.tap_audio())
    assert channel.sound is None and "the sound is left out: opus is not among aac, mp3" in caplog.text
    source.close()


def test_sound_waits_for_its_picture_and_no_longer(clip):
    source = VideoSource(str(clip))
    sound = StreamSound(source.tap_audio())
    frames = source.frames()
    last, taken = -1.0, 0
    for frame in frames:
        due = sound.take(frame.time_s)
        times = [float(packet.time_s) for packet in due]
        assert all(last < time_s < frame.time_s + AHEAD_S for time_s in times)
        last, taken = max([last, *times]), taken + len(times)
    rest = sound.take(None)
    assert taken + len(rest) == len(sound_packets(clip)) and not sound.take(None)
    source.close()


def test_the_program_sends_sound_down_a_pipe(clip):
    command = [sys.executable, str(ROOT / "run_live.py"), "live", "-i", str(clip), "-o", "-", "--no-remove"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with av.open(program.stdout) as stream:
        heard = hear(stream)
    said = program.stderr.read().decode()
    assert program.wait(60) == 0, said
    assert heard.codecs == ["aac", "rawvideo"] and heard.pictures_s
    first = float(video_times(clip)[0])
    assert [data for _, data in heard.sound] == [data for time_s, _, data in sound_packets(clip) if time_s >= first]


def test_without_sound_none_is_taken(clip):
    source = VideoSource(str(clip))
    sinks = live_sinks(Options(output="udp://127.0.0.1:9", sound=False), source, load_face_model("live"))
    assert not source._taps
    sinks += live_sinks(Options(output="udp://127.0.0.1:9"), source, load_face_model("live"))
    assert len(source._taps) == 1
    for sink in sinks:
        sink.close()
    source.close()


if __name__ == "__main__":
    print("listening", flush=True)
    with av.open(sys.argv[1], format=sys.argv[2], options={"listen": "1"}, timeout=60) as opened:
        sys.stdout.buffer.write(pickle.dumps(astuple(hear(opened))))
