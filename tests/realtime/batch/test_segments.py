"""Cut and joined, a video is what it is uncut: every frame, its time, the sound, and values without a step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from realtime.batch.convert import Converter
from realtime.batch.inputs import Job
from realtime.batch.join import join_videos
from realtime.batch.segments import SegmentSource, cut, plan_segments
from realtime.batch.work import Join, Outcome, Piece, Plan, Segment, Whole
from realtime.face.camera import project
from realtime.face.coefficients import SLICES, pose
from realtime.face.model import load_face_model
from realtime.options import Options
from realtime.sinks.base import Shot
from realtime.sinks.video import VideoSink
from realtime.sources.video import VideoSource
from realtime.stages.drive import EYE_WEIGHTS
from tests.realtime.batch.clips import film, pictures
from tests.realtime.clips import UNEVEN, Sound, sound_packets, video_times, write_clip

SECOND = Fraction(1)
pytestmark = pytest.mark.timeout(600)


def test_cuts_are_at_key_frames_and_every_frame_is_in_one_segment():
    segments = cut(list(range(100)), list(range(0, 100, 8)), 30, SECOND)
    assert [(one.first, one.end) for one in segments] == [(0, 32), (32, 64), (64, None)]
    assert [one.frames for one in segments] == [32, 32, 36] and sum(one.frames for one in segments) == 100
    assert [one.first_index for one in segments] == [0, 32, 64]


def test_a_segment_is_warmed_up_for_five_seconds_from_a_key_frame_before():
    *_, last = cut(list(range(100)), list(range(0, 100, 8)), 30, SECOND)
    assert (last.warm, last.key) == (59, 56) and last.warm_index == 59
    _, second = cut(list(range(10, 20)), [10, 13, 16], 3, SECOND)[:2]
    assert (second.first, second.warm, second.key) == (13, 10, 10)  # what there is before it


@pytest.mark.parametrize(
    ("stamps", "keys"),
    [([], []), ([0], [0]), (list(range(50)), [0]), (list(range(50)), [5, 40]), (list(range(40)), [0, 35])],
)
def test_what_cannot_be_cut_is_left_whole(stamps, keys):
    assert cut(stamps, keys, 30, SECOND) == ()


FORMATS = {
    "x264 with B-frames": ("clip.mp4", {}),
    "x265 with open groups": ("clip.mkv", {"codec": "libx265"}),
    "VP9": ("clip.webm", {"codec": "libvpx-vp9", "time_base": Fraction(1, 1000)}),
    "no index": ("clip.ts", {}),
    "turned": ("turned.mp4", {"rotation": 90}),
    "late": ("late.mp4", {"pts": [90000 + stamp for stamp in UNEVEN]}),
}


@pytest.fixture(params=FORMATS)
def clip(request, tmp_path) -> Path:
    name, more = FORMATS[request.param]
    if name.endswith("webm"):
        more = {**more, "pts": [stamp // 90 for stamp in UNEVEN]}
    sound = Sound(codec="libopus") if name.endswith(("webm", "mkv")) else Sound()
    return write_clip(tmp_path / name, sound=sound, gop=6, **more)


def test_segments_hold_the_frames_of_the_file_in_any_format(clip):
    """Uneven times, B-frames, groups that reach over their key frame: pictures and times are those of the whole."""
    whole = VideoSource(str(clip))
    expected = list(whole.frames())
    whole.close()
    segments = plan_segments(clip, 0.4)
    assert len(segments) >= 3
    found = [frame for segment in segments for frame in kept(clip, segment)]
    assert [(frame.index, frame.pts) for frame in found] == [(frame.index, frame.pts) for frame in expected]
    assert all((a.image == b.image).all() for a, b in zip(found, expected, strict=True))
    assert [sum(1 for _ in kept(clip, segment)) for segment in segments] == [segment.frames for segment in segments]


def test_joined_videos_have_the_times_and_the_sound_of_the_source(clip, tmp_path):
    source = VideoSource(str(clip))
    properties = source.properties
    source.close()
    suffix = ".mkv" if clip.suffix == ".webm" else ".mp4"
    parts = []
    for segment in plan_segments(clip, 0.4):
        parts.append(tmp_path / f"part{segment.number}.mp4")
        sink = VideoSink(parts[-1], properties)
        for frame in kept(clip, segment):
            sink.write(Shot(frame, frame, ()))
        sink.close()
    stamps = join_videos(parts, tmp_path / f"joined{suffix}", properties, clip)
    times = video_times(clip)
    assert [stamp * properties.time_base for stamp in stamps] == times
    slack = Fraction(1, 2000) if suffix == ".mkv" else 0  # Matroska counts milliseconds
    joined = video_times(tmp_path / f"joined{suffix}")
    assert len(joined) == len(times) and max(abs(a - b) for a, b in zip(joined, times, strict=True)) <= slack
    before, after = sound_packets(clip), sound_packets(tmp_path / f"joined{suffix}")
    assert len(after) == len(before)
    assert all(b[2].endswith(a[2]) for a, b in zip(after, before, strict=True))  # MPEG-TS has headers of its own before
    assert all(abs(a[0] - b[0]) <= max(slack, Fraction(1, 48000)) for a, b in zip(after, before, strict=True))


def kept(clip: Path, segment: Segment) -> Iterator:
    source = SegmentSource(clip, segment)
    try:
        yield from (frame for frame in source.frames() if frame.index >= segment.first_index)
    finally:
        source.close()


# --- the whole chain -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Both:
    """Results of one clip, uncut and joined. joints: index of each segment's first frame but the first one's."""

    clip: Path
    uncut: Path
    joined: Path
    outcomes: tuple[Outcome, Outcome]
    joints: tuple[int, ...]

    def rows(self) -> tuple[dict, dict]:
        whole, joined = (dict(np.load(folder / "clip_coefficients.npz")) for folder in (self.uncut, self.joined))
        return whole, joined


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("segments")
    clip = film(folder / "clip.mp4", 110, rate=10)  # few frames a second: a warm-up of 50 frames
    job = Job("clip.mp4", clip, "clip")
    converter = Converter(Options(verb="batch", view="mesh", renderer="software"))
    try:
        segments = converter.perform(Plan(job, folder, 4.0), lambda frames: None).segments
        for segment in segments:
            assert converter.perform(Piece(job, folder, segment), lambda frames: None).error is None
        joined = converter.perform(Join(job, folder, segments), lambda frames: None)
        whole = converter.perform(Whole(job, folder), lambda frames: None)
    finally:
        converter.close()
    assert joined.error is None and joined.finished and whole.finished
    yield Both(clip, whole.finished, joined.finished, (whole, joined), tuple(one.first_index for one in segments[1:]))


def test_frames_sound_and_rows_are_exactly_those_of_an_uncut_run(both):
    whole, joined = both.outcomes
    assert both.joints == (40, 80) and (joined.frames, joined.faces) == (whole.frames, whole.faces) == (110, 1)
    assert {path.name for path in both.joined.iterdir()} == {path.name for path in both.uncut.iterdir()}
    for name in ("clip_noglasses.mp4", "clip_sidebyside.mp4"):
        assert video_times(both.joined / name) == video_times(both.uncut / name) == video_times(both.clip)
    sound = sound_packets(both.clip)
    assert sound_packets(both.joined / "clip_noglasses.mp4") == sound and len(sound) > 500
    uncut, cut_ = both.rows()
    for name in ("frame", "time", "face", "glasses"):
        assert (uncut[name] == cut_[name]).all()
    lines = [(folder / "clip_blendshapes.csv").read_text().splitlines() for folder in (both.uncut, both.joined)]
    assert len(lines[0]) == len(lines[1]) == 111


def test_values_are_those_of_an_uncut_run_as_the_docstring_says(both):
    uncut, joined = both.rows()
    until = both.joints[0]
    assert (uncut["coefficients"][:until] == joined["coefficients"][:until]).all()
    assert np.abs(uncut["landmarks"] - joined["landmarks"]).max() < 0.25  # pixels; the eyes are 60 apart
    assert np.sqrt(((shapes(uncut) - shapes(joined)) ** 2).sum(2).mean(1)).max() < 0.5  # mm
    gap = np.abs(uncut["coefficients"] - joined["coefficients"])
    assert most(gap[:, EYE_WEIGHTS]) < 0.1 and gap[:, EYE_WEIGHTS].mean() < 0.01  # lids and gaze
    gap[:, EYE_WEIGHTS] = 0
    expression = gap[:, SLICES["expression"]]
    assert expression.max() < 0.05 and expression.mean() < 0.002


def test_blendshapes_are_those_of_an_uncut_run(both):
    files = [folder / "clip_blendshapes.csv" for folder in (both.uncut, both.joined)]
    tables = [np.loadtxt(file, delimiter=",", skiprows=1) for file in files]
    assert (tables[0][:, :3] == tables[1][:, :3]).all()  # time, frame, face
    gap = np.abs(tables[0] - tables[1])[:, 3:]
    assert (gap[: both.joints[0]] == 0).all() and most(gap) < 0.1 and gap.mean() < 0.002


def test_no_step_shows_at_a_joint(both):
    _, joined = both.rows()
    seen = positions(joined)
    steps = np.linalg.norm(np.diff(seen, axis=0), axis=2).max(1)  # px a frame
    shape = np.linalg.norm(np.diff(shapes(joined), axis=0), axis=2).max(1)  # mm a frame
    for joint in both.joints:
        assert steps[joint - 1] <= max(steps[joint - 4 : joint - 1].max(), steps[joint : joint + 3].max()) + 0.5
        assert shape[joint - 1] <= max(shape[joint - 4 : joint - 1].max(), shape[joint : joint + 3].max()) + 0.03
    whole, cut_ = (pictures(folder / "clip_noglasses.mp4") for folder in (both.uncut, both.joined))
    differences = [np.abs(a.astype(int) - b).mean() for a, b in zip(whole, cut_, strict=True)]
    assert max(differences) < 2.0


def test_a_finished_segment_of_a_stopped_run_is_not_done_again(both):
    piece = Piece(Job("clip.mp4", both.clip, "clip"), both.clip.parent, plan_segments(both.clip, 4.0)[1])
    told: list[int] = []
    outcome = Converter(Options(verb="batch", provider="torch")).perform(piece, told.append)  # opens no network
    assert outcome.error is None and outcome.finished == both.clip.parent / "piece-0001" and told == [40]


def test_frames_that_do_not_come_make_a_file_uncuttable(both, tmp_path):
    job = Job("clip.mp4", both.clip, "clip")
    converter = Converter(Options(verb="batch", view="mesh", renderer="software", remove=False))
    first = plan_segments(both.clip, 4.0)[0]
    short = replace(first, end=first.first + 3 * 1536, frames=5)
    try:
        outcome = converter.perform(Piece(job, tmp_path, short), lambda frames: None)
        gone = converter.perform(Piece(job, tmp_path, replace(short, key=7)), lambda frames: None)
    finally:
        converter.close()
    assert outcome.uncuttable and outcome.error == "clip.mp4: 3 frames came where 5 were announced"
    assert gone.uncuttable and gone.error is not None and "key frame" in gone.error


def most(gap: np.ndarray) -> float:
    """The largest of (n, k) differences but for one picture in fifty: an eye that just closes may keep its iris in one
    run and lose it in the other."""
    return float(np.quantile(gap.max(1), 0.98))


def shapes(rows: dict) -> np.ndarray:
    """(n, V, 3) mm without expression."""
    model, plain = load_face_model("live"), rows["coefficients"].copy()
    plain[:, SLICES["expression"]] = 0
    return np.stack([model.vertices(one) for one in plain])


def positions(rows: dict) -> np.ndarray:
    """(n, V, 2) px as drawn."""
    model = load_face_model("live")
    return np.stack([project(model.vertices(one), pose(one))[:, :2] for one in rows["coefficients"]])
