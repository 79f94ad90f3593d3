"""A Ray cluster of two nodes, on this machine: the same results as without, also when a worker is killed in a file."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.realtime.batch.clips import contents, film
from tests.realtime.batch.test_batch import WITH, is_writing, manifest, run, start, wait_for

ray = pytest.importorskip("ray", reason="needs the extra `ray`")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="Ray clusters of several nodes, and /proc, are of Linux"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a cluster whose two nodes have a core each."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_worker_niceness"] = "0"  # Ray's 15 would let other work on this machine starve the tests
    settings = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={**settings, "include_dashboard": False})
    try:
        cluster.add_node(**settings)
        cluster.wait_for_nodes(120)
        yield cluster.address
    finally:
        cluster.shutdown()


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    film(folder / "a/one.mp4", 12, seed=1)
    film(folder / "two.mp4", 14, seed=2)
    (folder / "bad.mp4").write_bytes(b"no video at all " * 64)
    return folder


@pytest.fixture(scope="module")
def undisturbed(library, tmp_path_factory) -> dict[str, object]:
    """What one machine makes of it."""
    folder = tmp_path_factory.mktemp("alone")
    assert run("batch", "-i", library, "-o", folder, "--workers", 1, *WITH).returncode == 1
    return contents(folder)


def tasks() -> list[int]:
    """Processes of Ray's in which a task of ours runs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::perform"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_two_nodes_give_what_one_machine_gives(address, library, undisturbed, tmp_path):
    ended = run("batch", "-i", library, "-o", tmp_path, "--ray", address, *WITH)
    assert ended.returncode == 1 and "2 of 3 files done" in ended.stderr, ended.stderr
    assert contents(tmp_path) == undisturbed
    found = manifest(tmp_path)
    assert found["bad.mp4"]["state"] == "failed" and found["two.mp4"]["attempts"] == 1
    assert not (tmp_path / ".unfinished").exists()


def test_a_worker_killed_inside_a_file_is_retried_to_the_same_results(address, library, undisturbed, tmp_path):
    process = start("batch", "-i", library / "two.mp4", "-o", tmp_path, "--ray", address, *WITH)
    wait_for(lambda: is_writing(tmp_path))
    (worker,) = tasks()
    os.kill(worker, signal.SIGKILL)
    _, stderr = process.communicate(timeout=280)
    assert process.returncode == 0, stderr
    assert manifest(tmp_path)["two.mp4"]["attempts"] == 2
    found = contents(tmp_path)
    assert len(found) == 5 and found.items() <= undisturbed.items()


def test_a_long_file_is_done_in_segments_by_both_nodes(address, tmp_path):
    clip = film(tmp_path / "long.mp4", 60, rate=10, gop=5)
    ended = run("batch", "-i", clip, "-o", tmp_path / "out", "--ray", address, "--segment", 2, *WITH)
    assert ended.returncode == 0, ended.stderr
    line = manifest(tmp_path / "out")["long.mp4"]
    assert (line["frames"], line["faces"], line["warnings"]) == (60, 1, [])


def test_interrupting_leaves_the_cluster_free(address, library, tmp_path):
    process = start("batch", "-i", library, "-o", tmp_path, "--ray", address, *WITH)
    wait_for(lambda: is_writing(tmp_path))
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130 and "Traceback" not in stderr, stderr
    deadline = time.monotonic() + 60
    while tasks() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not tasks()


def test_without_a_cluster_one_line_says_what_to_do(library, tmp_path):
    ended = run("batch", "-i", library, "-o", tmp_path, "--ray", "127.0.0.1:1")
    assert ended.returncode == 1 and len(ended.stderr.splitlines()) == 1, ended.stderr
    assert "no Ray cluster answers at 127.0.0.1:1" in ended.stderr and "ray start --head" in ended.stderr
