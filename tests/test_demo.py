"""The bundled clip, the actor in it, and what the program makes of it."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from engines.manifest import read_manifest
from realtime.cli import main
from realtime.doctor import NETWORKS
from realtime.face.model import load_face_model
from realtime.frame import Glasses
from tests.realtime.clips import video_times
from tools import make_demo
from tools.demo.actor import SIZE, cast
from tools.demo.speech import SOUND_RATE, VOWELS, Syllable, mouth_at, sample_speech, sound_of

CLIP = make_demo.ROOT / make_demo.CLIP
SEED = 5


@pytest.fixture(scope="module")
def actor():
    speech = sample_speech(np.random.default_rng(SEED), make_demo.DURATION_S)
    return cast(load_face_model("live"), speech, SEED, "square", 9, Glasses.CLEAR)


def test_the_clip_is_small_and_whole():
    assert CLIP.stat().st_size <= 1_000_000
    with av.open(str(CLIP)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.width, video.height) == ("h264", *SIZE)
        assert video.average_rate == 25 and sound.codec_context.name == "aac"
        assert float(sound.duration * sound.time_base) == pytest.approx(4.0, abs=0.1)
    assert video_times(CLIP) == [Fraction(index, 25) for index in range(100)]


def test_the_sound_of_the_clip_is_that_of_the_mouth(actor):
    with av.open(str(CLIP)) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    length = SOUND_RATE // 25
    loudness = np.sqrt(np.square(heard[: 99 * length].reshape(99, length)).mean(1))
    times = (np.arange(99) + 0.5) / 25
    spoken = np.sum([syllable.envelope(times) for syllable in actor.speech], axis=0)
    opening = [sum(mouth_at(actor.speech, time).values()) for time in times]
    assert np.corrcoef(loudness, spoken)[0, 1] > 0.85
    assert np.corrcoef(loudness, opening)[0, 1] > 0.6  # the mouth is a little ahead, and vowels differ in loudness


def test_every_vowel_sounds_at_its_formants():
    for name, vowel in VOWELS.items():
        sound = sound_of((Syllable(0.0, 1.0, name, 1.0),), 1.0)
        assert np.abs(sound).max() == pytest.approx(0.5, abs=0.01)
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
        hertz = np.fft.rfftfreq(len(sound), 1 / SOUND_RATE)
        low = (hertz > 60) & (hertz < 1000)  # where the first formant lies
        assert hertz[low][(spectrum * hertz)[low].argmax()] == pytest.approx(vowel.formants[0], abs=130)


def test_speech_repeats_by_seed_and_starts_and_ends_silent():
    first, again = (sample_speech(np.random.default_rng(3), 4.0) for _ in range(2))
    assert first == again and len(first) >= 8
    assert not mouth_at(first, 0.0) or max(mouth_at(first, 0.0).values()) == 0
    sound = sound_of(first, 4.0)
    assert np.abs(sound[: SOUND_RATE // 10]).max() == 0 and np.abs(sound[-SOUND_RATE // 10 :]).max() == 0


def test_a_frame_repeats_and_wears_glasses(actor):
    worn, bare = actor.frame(4, 25)
    again, _ = actor.frame(4, 25)
    assert worn.shape == (480, 640, 3) and np.array_equal(worn, again)
    changed = np.abs(worn.astype(int) - bare).max(2) > 30
    points = actor.model.landmarks_of(actor.coefficients(4 / 25))
    eyes = cv2.boundingRect(points[36:48].astype(np.float32))
    x, y, width, height = eyes
    assert 1500 < changed.sum() < 30_000
    assert changed[y - 40 : y + height + 40, x - 60 : x + width + 60].sum() > 0.8 * changed.sum()


@pytest.mark.skipif(
    not {entry.name for entry in read_manifest()}.issuperset(NETWORKS), reason="not all networks have weights here"
)
def test_the_program_finds_the_actor_and_takes_the_glasses_off(actor, tmp_path, capsys):
    """On a new clip of the actor, whose face without glasses and whose landmarks are known."""
    clip, count = tmp_path / "talking_head.mp4", 6
    make_demo.film(clip, actor, np.zeros(SOUND_RATE * count // 25, np.float32), count)
    assert main(["video", "-i", str(clip), "-o", str(tmp_path)]) == 0
    printed = capsys.readouterr().out.split()
    for ending in ("_noglasses.mp4", "_sidebyside.mp4", "_coefficients.npz", "_blendshapes.csv", ".glb"):
        assert str(tmp_path / f"talking_head{ending}") in printed
    with np.load(tmp_path / "talking_head_coefficients.npz") as table:
        frames, landmarks = table["frame"].tolist(), table["landmarks"]
    assert len(frames) >= count - 1
    filmed, removed = (_pictures(path) for path in (clip, tmp_path / "talking_head_noglasses.mp4"))
    assert len(removed) == count
    last = count - 1
    worn, bare = actor.frame(last, 25)
    true = actor.model.landmarks_of(actor.coefficients(last / 25))
    error = np.linalg.norm(landmarks[frames.index(last)] - true, axis=1)[17:].mean()
    assert error < 0.08 * np.linalg.norm(true[36] - true[45])
    glasses = np.abs(worn.astype(int) - bare).max(2) > 40
    before, after = (np.abs(one[last].astype(int) - bare)[glasses].mean() for one in (filmed, removed))
    assert after < 0.6 * before


def _pictures(clip: Path) -> list[np.ndarray]:
    with av.open(str(clip)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
