"""The same pictures are the same bytes, whatever lies in the memory that an encoder is given."""

import ctypes
import hashlib
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.frame import Frame
from realtime.sinks.base import Shot
from realtime.sinks.video import VideoSink
from realtime.sinks.views import transparent
from realtime.sources.base import Properties

M_PERTURB, M_MMAP_MAX = -6, -4  # glibc's mallopt: fill new memory with a byte; take large pieces from the heap, too
FILLS = (255, 1, 85, 170)  # the complement is what new memory holds
BASE = Fraction(1, 15360)


def moving(size: tuple[int, int], count: int) -> list[np.ndarray]:
    """Noisy pictures that pan: most of each is found in the one before."""
    width, height = size
    coarse = np.random.default_rng(0).integers(0, 250, (height // 8 + 2, width // 8 + 2, 3), dtype=np.uint8)
    wide = cv2.resize(coarse, (width + 2 * count, height + count), interpolation=cv2.INTER_LINEAR)
    noise = np.random.default_rng(1).integers(0, 6, (count, height, width, 3), dtype=np.uint8)
    return [wide[k : k + height, 2 * k : 2 * k + width] + noise[k] for k in range(count)]


def encoded(path: Path, size: tuple[int, int], alpha: bool = False, count: int = 12) -> str:
    """What `VideoSink` makes of them, as a digest."""
    properties = Properties(name="a", stem="a", size=size, rate=Fraction(30), time_base=BASE)
    sink = VideoSink(path, properties, view=transparent, alpha=True) if alpha else VideoSink(path, properties)
    for index, picture in enumerate(moving(size, count)):
        frame = Frame(picture, index, index * 512, BASE)
        sink.write(Shot(frame, frame, ()))
    sink.close()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(folder: Path) -> None:
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_MAX, 0)
    for fill in FILLS:
        libc.mallopt(M_PERTURB, fill)
        print(
            encoded(folder / "a.mp4", (320, 240)), encoded(folder / "b.mkv", (333, 251)),
            encoded(folder / "c.webm", (96, 80), count=4), encoded(folder / "d.mov", (96, 80), alpha=True, count=4),
        )  # fmt: skip


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="filling new memory is glibc's")
def test_memory_that_nobody_wrote_is_not_encoded(tmp_path):
    ended = subprocess.run([sys.executable, "-m", __name__, str(tmp_path)], capture_output=True, text=True, timeout=280)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert len(lines) == len(FILLS) and len(set(lines[0].split())) == 4
    assert set(lines) == {lines[0]}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
