import json
from pathlib import Path

import pytest

from realtime.batch.inputs import Job
from realtime.batch.manifest import Entry, Manifest
from realtime.batch.place import Place, fingerprint_of
from realtime.errors import NakedeyeError


def job(name: str, folder: Path = Path("/library")) -> Job:
    return Job(name, folder / name, Path(name).stem)


def test_a_line_of_json_a_file_with_what_was_asked_for(tmp_path):
    manifest = Manifest(tmp_path)
    manifest.add(Entry("a.mp4", "done", 90, 2, 3.5, outputs=("a_noglasses.mp4",), fingerprint="1"))
    manifest.add(Entry("ü b.mp4", "failed", error="is empty"))
    lines = [json.loads(line) for line in manifest.path.read_text(encoding="utf-8").splitlines()]
    assert [line["file"] for line in lines] == ["a.mp4", "ü b.mp4"]
    assert {"state", "frames", "faces", "seconds", "error"} <= lines[0].keys()
    assert lines[0]["frames"] == 90 and lines[1]["error"] == "is empty"
    assert Manifest(tmp_path).entries == manifest.entries


def test_half_a_line_of_a_killed_run_costs_that_line_only(tmp_path):
    manifest = Manifest(tmp_path)
    manifest.add(Entry("a.mp4", "done"))
    whole = manifest.path.read_bytes()
    manifest.path.write_bytes(whole + whole[: len(whole) // 2])
    again = Manifest(tmp_path)
    again.add(Entry("b.mp4", "done"))
    assert list(again.entries) == ["a.mp4", "b.mp4"] == list(Manifest(tmp_path).entries)
    assert all(json.loads(line) for line in manifest.path.read_text().splitlines())


def test_the_last_word_counts_and_the_order_is_the_librarys(tmp_path):
    manifest = Manifest(tmp_path)
    for name, state in (("b", "failed"), ("gone", "done"), ("a", "done"), ("b", "done")):
        manifest.add(Entry(name, state))  # type: ignore[arg-type]
    manifest.settle([job("a"), job("b")])
    lines = [json.loads(line) for line in manifest.path.read_text().splitlines()]
    assert [(line["file"], line["state"]) for line in lines] == [("a", "done"), ("b", "done"), ("gone", "done")]


def test_what_is_unfinished_has_a_place_that_keeps_whole_segments_only(tmp_path):
    place = Place(tmp_path / "out")
    room = place.room_for(job("a.mp4"), "1")
    for name in ("piece-0001", "piece-x7f", "whole-abc"):
        (room / name).mkdir()
    assert place.room_for(job("a.mp4"), "1") == room != place.room_for(job("a.mp4"), "2")
    assert [entry.name for entry in room.iterdir()] == ["piece-0001"]
    place.forget_others([(job("a.mp4"), "1")])
    assert [entry.name for entry in room.parent.iterdir()] == [room.name]
    place.clear(job("a.mp4"), "1")
    place.close()
    assert not room.parent.exists()


def test_results_are_published_below_their_folder_under_their_stem(tmp_path):
    finished = tmp_path / "finished"
    finished.mkdir()
    (finished / "a_noglasses.mp4").write_text("new")
    (finished / "a.glb").touch()
    target = tmp_path / "out/sub/a_jpg_noglasses.mp4"
    target.parent.mkdir(parents=True)
    target.write_text("old")
    names = Place(tmp_path / "out").publish(Job("sub/a.jpg", Path("/library/sub/a.jpg"), "a_jpg"), finished)
    assert names == ("sub/a_jpg.glb", "sub/a_jpg_noglasses.mp4")
    assert target.read_text() == "new" and not list(finished.iterdir())


def test_a_changed_file_or_wish_has_another_fingerprint(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("x")
    one = Job("a.mp4", path, "a")
    before = fingerprint_of(one, "wish")
    assert before == fingerprint_of(one, "wish") != fingerprint_of(one, "other wish")
    path.write_text("xy")
    assert fingerprint_of(one, "wish") != before
    path.unlink()
    assert fingerprint_of(one, "wish") == "absent wish"


def test_two_runs_do_not_write_into_one_folder(tmp_path):
    pytest.importorskip("fcntl", reason="locks are of POSIX")
    with Place(tmp_path).locked():
        with pytest.raises(NakedeyeError, match="another run"), Place(tmp_path).locked():
            pass
    with Place(tmp_path).locked():
        pass
