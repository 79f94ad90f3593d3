"""Checkpoints in pieces: whole again byte by byte, resumed from, and refused when something is missing or wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tools.train.pieces import MOST_BYTES, join, list_of, split


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(np.random.default_rng(0).bytes(2500))
    return path


def test_pieces_make_the_file_again(whole: Path) -> None:
    content = whole.read_bytes()
    pieces = split(whole, most=1000)
    assert [piece.name for piece in pieces] == [f"checkpoint.pt.00{i}" for i in range(3)]
    assert [piece.stat().st_size for piece in pieces] == [1000, 1000, 500]
    whole.unlink()
    assert join(whole).read_bytes() == content
    whole.write_bytes(content[:900])
    assert [piece.name for piece in split(whole, most=1000)] == ["checkpoint.pt.000"], "older pieces are gone"
    assert not whole.with_name("checkpoint.pt.002").exists() and MOST_BYTES <= 15_000_000


def test_missing_and_damaged_pieces_are_named_and_lose_nothing(whole: Path) -> None:
    content = whole.read_bytes()
    pieces = split(whole, most=1000)
    pieces[1].write_bytes(pieces[0].read_bytes())
    with pytest.raises(ValueError, match="damaged"):
        join(whole)
    assert whole.read_bytes() == content
    pieces[1].unlink()
    with pytest.raises(FileNotFoundError, match=r"checkpoint\.pt\.001"):
        join(whole)
    list_of(whole).unlink()
    with pytest.raises(FileNotFoundError, match="nothing to join"):
        join(whole)


def test_command_line(whole: Path) -> None:
    command = [sys.executable, "-m", "tools.train.pieces"]
    done = subprocess.run([*command, "split", str(whole)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"{whole}.000"]
    whole.unlink()
    subprocess.run([*command, "join", str(whole)], check=True, capture_output=True)
    assert whole.stat().st_size == 2500
    failed = subprocess.run([*command, "split", str(whole) + "x"], capture_output=True, text=True, check=False)
    assert failed.returncode == 1 and "does not exist" in failed.stderr
