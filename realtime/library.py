"""Nakedeye in somebody else's program: frames in, faces and the picture without glasses out.

    from realtime import Tracker
    with Tracker() as tracker:
        faces, image = tracker(frame)
"""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np

from realtime.frame import Faces, Frame
from realtime.options import Options
from realtime.pipeline import Pipeline, open_pipeline

TICKS = 1_000_000  # of a frame's time base, in a second


class Tracked(NamedTuple):
    """What was found in one frame.

    faces: with 68 landmarks in pixels, kind of glasses, the 239 coefficients and more: see `realtime.frame.Face`.
    image: (H, W, 3) uint8 RGB, the picture without glasses; a new array that is the caller's own.
    """

    faces: Faces
    image: np.ndarray


class Tracker:
    """Follows the faces of one video, and takes their glasses off.

    Every tracker has networks, tracks and filters of its own: several in one process do not influence each other. One
    serves one thread at a time; trackers on different threads run at the same time. Everything is computed on the
    calling thread, so that the same frames always give the same faces; with `live` only, a thread of the tracker's own
    looks for new faces beside the calls, and what it found joins a later frame. Settings of the process are left alone:
    where cores are few, numpy's and OpenCV's own threads are best turned off (`threadpoolctl`, `cv2.setNumThreads(1)`).

    remove: take the glasses off; False only tracks, in half the time. faces: most faces followed.
    smooth: 0 follows every tremble .. 1 steadiest. stills: every frame is a photograph of its own, not the next moment.
    fps: of frames without times. quality, provider, models_dir: which networks, and what runs them, as `run_live.py`.
    Raises engines.EngineError where a network cannot be opened, ValueError for a number that is out of its range.
    """

    def __init__(
        self,
        *,
        remove: bool = True,
        faces: int = 4,
        smooth: float = 0.5,
        stills: bool = False,
        live: bool = False,
        fps: float = 30.0,
        quality: str = "auto",
        provider: str = "auto",
        models_dir: Path | None = None,
    ):
        if faces < 1 or not 0 <= smooth <= 1 or not 0 < fps < math.inf:
            raise ValueError(f"faces={faces} must be 1 or more, smooth={smooth} within 0..1, fps={fps} above 0")
        options = Options(
            remove=remove, faces=faces, smooth=smooth, quality=quality, provider=provider, models_dir=models_dir
        )  # fmt: skip
        self._live, self._step_s = live, 1 / fps
        self._pipeline: Pipeline | None = open_pipeline(options, live=live, stills=stills)
        self._index = 0
        self._next_s = 0.0

    def __call__(self, image: np.ndarray, time_s: float | None = None, *, cut: bool = False) -> Tracked:
        """The faces of the next frame, and the picture without glasses.

        image: (H, W, 3) uint8 RGB, x right, y down; not written to, not kept. Any size, and it may change.
        time_s: seconds on any clock; None: one frame later at `fps`. A time that does not rise restarts the filters.
        cut: this frame does not continue the one before; cuts that can be seen are noticed by themselves.
        Raises ValueError for another kind of array or time, RuntimeError after `close`.
        """
        if self._pipeline is None:
            raise RuntimeError("this Tracker was closed")
        time_s = self._next_s if time_s is None else float(time_s)
        if not math.isfinite(time_s):
            raise ValueError(f"time_s={time_s} is no time")
        given = _checked(image, copy=self._live)
        size = (given.shape[1], given.shape[0])
        frame = Frame(given, self._index, round(time_s * TICKS), Fraction(1, TICKS), source_size=size, cut=cut)
        self._index, self._next_s = self._index + 1, time_s + self._step_s
        after, faces = self._pipeline(frame)
        return Tracked(faces, after.image.copy() if after.image is given else after.image)

    def calibrate(self) -> None:
        """From the next frame on, for a second, people show their resting face: expressions are measured from it."""
        if self._pipeline is None:
            raise RuntimeError("this Tracker was closed")
        self._pipeline.switches.calibrations += 1

    @property
    def providers(self) -> dict[str, str]:
        """Network -> what runs it ("cpu", "cuda", ...); empty after `close`."""
        return {} if self._pipeline is None else dict(self._pipeline.providers)

    def close(self) -> None:
        """Gives back networks, memory and threads. May be called twice."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            pipeline.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _checked(image: np.ndarray, copy: bool) -> np.ndarray:
    """A read-only (H, W, 3) uint8 view of the caller's picture, or a copy where it outlives the call."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        what = f"{image.dtype}{image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"a frame is a numpy array (height, width, 3) of uint8, RGB, not {what}")
    if 0 in image.shape:
        raise ValueError(f"a frame of {image.shape[1]}x{image.shape[0]} pixels shows nothing")
    given = image.copy() if copy else np.ascontiguousarray(image).view()
    given.flags.writeable = False
    return given
