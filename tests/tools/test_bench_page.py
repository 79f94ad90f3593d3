"""The measurement itself: both sides run, and neither is far from the other."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="needs the extra `serve`")

ROOT = Path(__file__).resolve().parents[2]


def test_page_and_chain_are_measured_in_turns():
    command = [sys.executable, "-m", "tools.bench_page", "--rounds", "1", "--frames", "60"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert ended.returncode == 0, ended.stderr
    chain, chain_ms, page, page_ms = (float(n) for n in re.findall(r"([\d.]+) (?:fps|ms)", ended.stdout)[:4])
    assert 0.5 < page / chain < 1.5  # on a quiet machine 0.8 and more
    assert page_ms < 3 * chain_ms and re.search(r"medians: page / chain \d+% of the rate", ended.stdout)
