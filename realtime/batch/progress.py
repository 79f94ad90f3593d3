"""A bar over the frames of a whole library. How many there will be is found out beside the work."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from realtime.batch.inputs import Job


class FrameBar:
    """Hidden where stderr is no terminal, or where `quiet`."""

    def __init__(self, jobs: Sequence[Job], quiet: bool):
        hidden = quiet or not sys.stderr.isatty()
        self._expected: dict[str, int] = {}
        self._bar = tqdm(total=0, unit="frame", desc=f"{len(jobs)} files", disable=hidden, leave=False)
        if not hidden:
            threading.Thread(target=self._look_ahead, args=(jobs,), daemon=True).start()

    def __call__(self, frames: dict[str, int]) -> None:
        """frames: finished of every file so far."""
        expected = dict(self._expected)
        names = expected.keys() | frames.keys()
        self._bar.total = sum(max(expected.get(name, 0), frames.get(name, 0)) for name in names)
        self._bar.n = sum(frames.values())
        self._bar.refresh()

    def close(self) -> None:
        self._bar.close()

    def _look_ahead(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self._expected[job.name] = 1 if job.is_picture else frames_in(job.path)


def frames_in(path: Path) -> int:
    """How many frames a video says it has, estimated where it does not; 0 where it cannot be opened."""
    import av

    try:
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            seconds = float(container.duration or 0) / av.time_base
            return video.frames or round(seconds * float(video.average_rate or 30))
    except (av.FFmpegError, OSError, IndexError):
        return 0
