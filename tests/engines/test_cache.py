"""The plan cache: a plan is used only for what it was built for, and is rebuilt by itself otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engines.base import Unavailable
from engines.cache import Fingerprint, Stale, cache_dir, cached, read_plan

FINGERPRINT = Fingerprint(
    "ab" * 32, "TensorRT 10.9.0", "NVIDIA RTX 4090", "8.9", "fp16", {"x": ((1, 3, 8, 8), (1, 3, 8, 8), (4, 3, 8, 8))}
)


class Workshop:
    """Builds numbered plans, keeps what was said, and rejects the plans it is told to."""

    def __init__(self, directory: Path):
        self.directory, self.built, self.said = directory, 0, []
        self.rejected: set[bytes] = set()

    def build(self) -> bytes:
        self.built += 1
        return f"plan {self.built}\nwith a second line".encode()

    def load(self, plan: bytes) -> str:
        if plan in self.rejected:
            raise Stale("the library does not read it")
        return plan.split(b"\n")[0].decode()

    def open(self, fingerprint: Fingerprint = FINGERPRINT, label: str = "tiny-light") -> str:
        return cached(label, fingerprint, self.build, self.load, self.directory, self.said.append)

    def files(self) -> list[Path]:
        return sorted(self.directory.iterdir())


@pytest.fixture
def workshop(tmp_path) -> Workshop:
    return Workshop(tmp_path / "deep" / "engines")


def test_the_second_opening_builds_nothing(workshop):
    assert workshop.open() == workshop.open() == "plan 1"
    assert workshop.built == 1 and len(workshop.said) == 1
    assert "first use" in workshop.said[0] and "NVIDIA RTX 4090" in workshop.said[0]


@pytest.mark.parametrize(
    ("change", "files"),
    [
        ({"onnx_sha256": "cd" * 32}, 1),
        ({"library": "TensorRT 11.0.0"}, 1),
        ({"gpu": "NVIDIA T4"}, 2),
        ({"compute_capability": "7.5"}, 2),
        ({"precision": "fp32"}, 2),
        ({"shapes": {"x": ((1, 3, 8, 8),) * 3}}, 2),
    ],
)
def test_any_difference_builds_anew(workshop, change, files):
    workshop.open()
    other = replace(FINGERPRINT, **change)
    assert workshop.open(other) == workshop.open(other) == "plan 2"
    assert workshop.built == 2 and len(workshop.files()) == files
    if files == 1:
        assert f"{next(iter(change))} changed" in workshop.said[-1]


def test_two_gpus_keep_their_plans_side_by_side(workshop):
    other = replace(FINGERPRINT, gpu="NVIDIA T4")
    assert [workshop.open(f) for f in (FINGERPRINT, other, FINGERPRINT, other)] == ["plan 1", "plan 2"] * 2


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-3], lambda c: b"", lambda c: b"{}\n" + c, lambda c: c.replace(b"second", b"secund")]
)
def test_a_damaged_plan_is_rebuilt(workshop, damage):
    workshop.open()
    (path,) = workshop.files()
    path.write_bytes(damage(path.read_bytes()))
    assert workshop.open() == "plan 2" and "damaged" in workshop.said[-1]
    assert workshop.open() == "plan 2"


def test_a_plan_that_the_library_rejects_is_rebuilt(workshop):
    workshop.open()
    workshop.rejected.add(b"plan 1\nwith a second line")
    assert workshop.open() == "plan 2" and "does not read it" in workshop.said[-1]


def test_a_new_plan_that_is_rejected_ends_it(workshop):
    workshop.rejected.add(b"plan 1\nwith a second line")
    with pytest.raises(Unavailable, match="rejects the plan that it has just built for tiny-light"):
        workshop.open()


def test_an_unwritable_cache_costs_only_time(tmp_path):
    (tmp_path / "file").write_text("in the way")
    workshop = Workshop(tmp_path / "file" / "engines")
    assert workshop.open() == "plan 1"
    assert "cannot be kept" in workshop.said[-1]


def test_a_failed_build_leaves_nothing(workshop):
    def fail() -> bytes:
        raise Unavailable("out of memory")

    with pytest.raises(Unavailable):
        cached("tiny", FINGERPRINT, fail, workshop.load, workshop.directory, workshop.said.append)
    assert not workshop.directory.exists()


def test_no_temporary_file_stays(workshop):
    workshop.open()
    (path,) = workshop.files()
    assert path.suffix == ".plan" and read_plan(path, FINGERPRINT).startswith(b"plan 1")


@pytest.mark.parametrize(
    ("environ", "system", "expected"),
    [
        ({"XDG_CACHE_HOME": "/x"}, "Linux", "/x/nakedeye/engines"),
        ({}, "Linux", "/home/a/.cache/nakedeye/engines"),
        ({}, "Darwin", "/home/a/Library/Caches/nakedeye/engines"),
        ({"LOCALAPPDATA": "/l"}, "Windows", "/l/nakedeye/engines"),
    ],
)
def test_plans_lie_with_the_users_caches(environ, system, expected):
    assert cache_dir(environ, Path("/home/a"), system).as_posix() == expected
