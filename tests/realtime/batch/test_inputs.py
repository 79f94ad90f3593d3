import os
from pathlib import Path

import pytest

from realtime.batch.inputs import find_jobs
from realtime.errors import UsageError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(jobs) -> list[str]:
    return [job.name for job in jobs]


def test_a_folder_with_all_below_it_in_natural_order(tmp_path):
    touch(tmp_path, "clip10.mp4", "clip2.mp4", "b/x.MKV", "b/c/p.jpg", "b/notes.txt", ".hidden.mp4", ".cache/y.mp4")
    jobs = find_jobs(tmp_path, tmp_path / "out")
    assert names(jobs) == ["b/c/p.jpg", "b/x.MKV", "clip2.mp4", "clip10.mp4"]
    assert jobs[0].folder.as_posix() == "b/c" and jobs[0].is_picture and not jobs[1].is_picture
    assert all(job.path == (tmp_path / job.name).absolute() and job.stem == Path(job.name).stem for job in jobs)


def test_results_in_the_library_are_no_part_of_it(tmp_path):
    touch(tmp_path, "clip.mp4", "out/clip_noglasses.mp4", "other/out/more.mp4")
    assert names(find_jobs(tmp_path, tmp_path / "out")) == ["clip.mp4", "other/out/more.mp4"]
    with pytest.raises(UsageError, match="a folder of their own"):
        find_jobs(tmp_path, tmp_path / "other/..")


def test_files_that_would_share_their_results_do_not(tmp_path):
    touch(tmp_path, "a.jpg", "A.png", "a_jpg.mp4", "sub/a.jpg")
    stems = {job.name: job.stem for job in find_jobs(tmp_path, tmp_path / "out")}
    assert stems == {"a.jpg": "a_jpg", "A.png": "A_png", "a_jpg.mp4": "a_jpg_2", "sub/a.jpg": "a"}
    assert len({stem.casefold() for name, stem in stems.items() if "/" not in name}) == 3


def test_a_list_keeps_the_folders_below_the_common_one(tmp_path, monkeypatch):
    touch(tmp_path, "films/a/one.mp4", "films/b/two.mp4")
    listing = tmp_path / "list.txt"
    listing.write_text(f"# mine\n\n{tmp_path}/films/b/two.mp4\nfilms/a/one.mp4\nfilms/a/one.mp4\nfilms/a/gone.mp4\n")
    monkeypatch.chdir(tmp_path)
    assert names(find_jobs(listing, tmp_path / "out")) == ["a/gone.mp4", "a/one.mp4", "b/two.mp4"]


def test_one_file_is_a_library_too(tmp_path):
    touch(tmp_path, "clip.mov")
    (job,) = find_jobs(tmp_path / "clip.mov", tmp_path / "out")
    assert (job.name, job.stem) == ("clip.mov", "clip")


def test_nothing_to_do_is_wrong_usage(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").write_text("# nothing\n")
    (tmp_path / "list.bin").write_bytes(bytes(range(256)))
    for name, words in {
        "empty": "holds no videos", "gone": "no folder and no file", "list.txt": "lists no files", "list.bin": "nor a"
    }.items():  # fmt: skip
        with pytest.raises(UsageError, match=words):
            find_jobs(tmp_path / name, tmp_path / "out")


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_a_loop_of_links_ends(tmp_path):
    touch(tmp_path, "clip.mp4")
    os.symlink(tmp_path, tmp_path / "again", target_is_directory=True)
    assert names(find_jobs(tmp_path, tmp_path / "out")) == ["clip.mp4"]
