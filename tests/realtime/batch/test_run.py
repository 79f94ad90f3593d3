"""From a library to its manifest, with an executor whose answers are written down."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from realtime.batch import run
from realtime.batch.driving import DriveAgain
from realtime.batch.pieces import Record, RecordSink, read_record
from realtime.batch.tracks import fade_averages, join_numbers
from realtime.batch.work import Ended, Outcome, Piece, Plan, Progress, Segment, Unit
from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import SLICES
from realtime.face.drive import Look
from realtime.frame import Face, Frame
from realtime.options import Options
from realtime.sinks.base import Shot
from realtime.sinks.rows import ROW

SEGMENTS = tuple(Segment(n, 0, 0, 10 * n, 10 * n + 10, 10 * n, 10 * n, 10) for n in range(3))
Answer = Callable[[Unit], Outcome]


class Scripted:
    """Does one unit a time, newest last; `answers` by kind and file, else all is well."""

    def __init__(self, **answers: Answer):
        self.answers, self.done, self.waiting = answers, [], deque()

    def room(self) -> bool:
        return len(self.waiting) < 2

    def submit(self, unit: Unit) -> None:
        self.waiting.append(unit)

    def events(self, timeout_s: float) -> list[Progress | Ended]:
        unit = self.waiting.popleft()
        number = unit.segment.number if isinstance(unit, Piece) else ""
        self.done.append(f"{type(unit).__name__} {unit.job.name}{number}")
        answer = self.answers.get(type(unit).__name__, good)
        return [Progress(unit, 1), Ended(unit, answer(unit))]

    def close(self) -> None:
        self.done.append("closed")


def good(unit: Unit) -> Outcome:
    if isinstance(unit, Plan):
        return Outcome(segments=SEGMENTS if unit.job.name.startswith("long") else ())
    if isinstance(unit, Piece):
        return Outcome(frames=10, seconds=1.0, warnings=("dark",))
    finished = unit.folder / "finished"
    finished.mkdir()
    (finished / f"{unit.job.path.stem}.glb").write_text("results")
    return Outcome(finished=finished, frames=30, faces=1, seconds=2.0)


@pytest.fixture
def batch(tmp_path, monkeypatch):
    """Runs a library of files with these names on a scripted executor; gives the executor, the summary, progress."""

    def call(names: list[str], executor: Scripted, **options):
        for name in names:
            (tmp_path / "library" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "library" / name).touch()
        monkeypatch.setattr(run, "_open_executor", lambda *_: executor)
        seen: list[dict[str, int]] = []
        wish = Options(verb="batch", input=str(tmp_path / "library"), output=str(tmp_path / "out"), **options)
        return run.run_batch(wish, lambda jobs: lambda frames: seen.append(frames)), seen

    return call


def lines(tmp_path: Path) -> list[dict]:
    return [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").read_text().splitlines()]


def test_short_files_go_whole_and_long_ones_in_segments(batch, tmp_path):
    executor = Scripted()
    summary, seen = batch(["long.mp4", "photo.jpg", "short.mp4"], executor, segment_s=10.0)
    assert executor.done == [
        "Plan long.mp4", "Whole photo.jpg", "Piece long.mp40", "Piece long.mp41", "Piece long.mp42", "Plan short.mp4",
        "Join long.mp4", "Whole short.mp4", "closed",
    ]  # fmt: skip
    assert not summary.failed and summary.skipped == 0
    long = lines(tmp_path)[0]
    assert (long["frames"], long["seconds"], long["warnings"]) == (30, 5.0, ["dark"])
    assert seen[-1]["long.mp4"] >= 30 and seen[-1]["photo.jpg"] == 30
    assert (tmp_path / "out/long.glb").read_text() == "results" and not (tmp_path / "out/.unfinished").exists()


def test_without_segments_nothing_is_planned(batch):
    executor = Scripted()
    batch(["long.mp4"], executor)
    assert executor.done == ["Whole long.mp4", "closed"]


def test_a_file_whose_segments_come_to_nothing_is_done_whole_once(batch, tmp_path):
    executor = Scripted(Piece=lambda unit: Outcome("no key frame", uncuttable=True))
    summary, _ = batch(["long.mp4"], executor, segment_s=10.0)
    assert executor.done.count("Whole long.mp4") == 1 and "Join long.mp4" not in executor.done
    assert not summary.failed and lines(tmp_path)[0]["error"] is None


def test_a_joint_that_does_not_fit_is_done_whole_too(batch):
    executor = Scripted(Join=lambda unit: Outcome("does not fit", uncuttable=True))
    summary, _ = batch(["long.mp4"], executor, segment_s=10.0)
    assert executor.done[-2:] == ["Whole long.mp4", "closed"] and not summary.failed


def test_a_failing_segment_fails_its_file_once_and_no_other(batch, tmp_path):
    bad = Outcome("reading stopped", seconds=1.0)
    executor = Scripted(Piece=lambda unit: bad if unit.segment.number == 0 else good(unit))  # type: ignore[union-attr]
    summary, _ = batch(["long.mp4", "other.mp4"], executor, segment_s=10.0)
    assert [(entry.file, entry.state) for entry in summary.entries] == [("long.mp4", "failed"), ("other.mp4", "done")]
    assert "Piece long.mp42" not in executor.done and summary.failed[0].error == "reading stopped"
    assert not (tmp_path / "out/.unfinished").exists()


def test_done_files_are_left_alone_until_they_or_the_wish_change(batch, tmp_path):
    batch(["a.mp4", "b.mp4"], Scripted(Whole=lambda unit: good(unit) if unit.job.name == "a.mp4" else Outcome("bad")))
    again = Scripted()
    summary, _ = batch([], again)
    assert again.done == ["Whole b.mp4", "closed"] and summary.skipped == 1  # what failed is tried again
    for change in (
        lambda: (tmp_path / "library/a.mp4").write_text("new"),
        lambda: (tmp_path / "out/a.glb").unlink(),
    ):
        change()
        executor = Scripted()
        batch([], executor)
        assert executor.done == ["Whole a.mp4", "closed"]
    executor = Scripted()
    batch([], executor, smooth=1.0)
    assert executor.done == ["Whole a.mp4", "Whole b.mp4", "closed"]
    untouched = Scripted()
    assert batch([], untouched, smooth=1.0)[0].skipped == 2 and untouched.done == []


def test_results_that_cannot_be_put_in_their_place_fail_the_file(batch, tmp_path):
    (tmp_path / "out/a.glb").mkdir(parents=True)
    summary, _ = batch(["a.mp4"], Scripted())
    assert summary.failed[0].error is not None and "cannot be put there" in summary.failed[0].error


# --- what continues over a joint -------------------------------------------------------------------------------------


def record(frames: range, faces: dict[int, float], averages: float = 0.0) -> Record:
    """A record with a face at each of these x, by track."""
    rows = np.zeros(len(frames) * len(faces), ROW)
    for row, (frame, track) in zip(rows, [(f, t) for f in frames for t in faces], strict=True):
        points = np.random.default_rng(0).uniform((faces[track], 100), (faces[track] + 50, 150), (68, 2))
        row["frame"], row["time"], row["face"], row["landmarks"] = frame, frame / 10, track, points
        row["coefficients"] = averages
    textures = {track: np.full((2, 2, 4), track, np.uint8) for track in faces}
    times = np.array(frames)
    return Record(times, times * 10, times < 0, rows, np.full((len(rows), 2, 4), np.nan), textures)


def test_a_face_keeps_its_number_over_a_joint_and_a_new_one_gets_an_unused_one():
    before = record(range(0, 20), {3: 100.0, 5: 300.0})
    after = record(range(10, 30), {0: 302.0, 1: 101.0, 2: 500.0})
    numbers, unused = join_numbers(before, after, 6)
    assert numbers == {0: 5, 1: 3, 2: 6} and unused == 7
    joined = after.renumbered(numbers)
    assert set(joined.rows["face"]) == {3, 5, 6} and joined.textures[5][0, 0, 0] == 0
    assert join_numbers(None, after, 0) == ({0: 0, 1: 1, 2: 2}, 3)


def test_averages_go_over_without_a_step():
    before, after = record(range(0, 20), {3: 100.0}, 1.0), record(range(10, 50), {3: 100.0}, 2.0)
    faded = fade_averages(before, after, 20).rows["coefficients"][10:]
    identity, expression = faded[:, SLICES["identity"]], faded[:, SLICES["expression"]]
    assert identity[0, 0] == pytest.approx(1.05) and np.allclose(np.diff(identity[:19, 0]), 0.05, atol=1e-5)
    assert (identity[19:] == 2).all() and (expression == 2).all()


def test_over_a_joint_a_person_is_known_from_the_files_beginning(tmp_path):
    """Looks are recorded; lids, gaze and ranges are fitted to them when segments are joined, as if nothing was cut."""
    random = np.random.default_rng(0)
    looks = [
        tuple(Look(random.normal(0.1, 0.1, 2), float(random.uniform(0.02, 0.12)), 1.0) for _ in range(2))
        for _ in range(120)
    ]
    uncut, seen = DriveAgain(0.5, True), []
    for frame, face in stream(range(120)):
        seen += uncut(frame, (face,), [looks[frame.index]])
    again, joined, own = DriveAgain(0.5, True), [], []
    for number, (warm, first, end) in enumerate(((0, 0, 60), (40, 60, 120))):
        segment, sink = DriveAgain(0.5, True), RecordSink(tmp_path / f"{number}.npz")
        for frame, face in stream(range(warm, end)):
            (driven,) = segment(frame, (face,), [looks[frame.index]])
            sink.write(Shot(frame, frame, (driven,)))
            own += [driven] if frame.index >= first else []
        sink.close()
        shots = read_record(tmp_path / f"{number}.npz").shots(first, Fraction(1, 10), again)
        joined += [shot.faces[0] for shot in shots]
    assert len(joined) == 120 and [face.drive.shapes for face in joined] == [face.drive.shapes for face in seen]
    assert all((a.coefficients == b.coefficients).all() for a, b in zip(joined, seen, strict=True))
    blinks = [[face.drive.shapes["eyeBlinkLeft"] for face in faces] for faces in (own, seen)]
    assert np.abs(np.subtract(*blinks)).max() > 0.02  # what a segment knew by itself was less


def stream(indices: range) -> Iterator[tuple[Frame, Face]]:
    """A person whose mouth opens and closes while the head turns, ten frames a second."""
    for index in indices:
        coefficients = np.zeros(239, np.float32)
        coefficients[SLICES["expression"]][ARKIT_NAMES.index("jawOpen")] = 0.5 + 0.5 * np.sin(index)
        coefficients[SLICES["pose"]] = (0, 0.3 * np.sin(index / 7), 0, 1, 100, 100)
        points = np.random.default_rng(0).uniform(50, 150, (68, 2)).astype(np.float32)
        frame = Frame(np.zeros((0, 0, 3), np.uint8), index, index, Fraction(1, 10))
        yield frame, Face(4, np.array([50, 50, 150, 150], np.float32), points, coefficients=coefficients)
