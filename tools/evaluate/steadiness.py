"""Protocol `steadiness`: does the result hold still when the head does, keep up when it moves, follow lids and lips?

Data: a folder of clips (or the data folder, then its `videos/`). Every clip goes through the whole chain as a file
does. JSON, means over the clips, each clip under `each`: jitter (standard deviation of the second difference of the
smoothed landmarks in still frames, % of the outer eye corners' distance) and jitter_raw before smoothing, with the
number of still frames: those where the picture of the face does not change, so that shaking heads and talking mouths
do not count as trembling, absent where there are too few; lag (frames that the smoothed landmarks are behind the raw
ones while the head moves); flicker (temporal standard deviation
of the filled area over that of untouched skin beside it, followed by the tracked mesh in the UV atlas; only clips with
eyeglasses); eyelid and mouth (correlation of the openings of the 3D face with those of the landmarks); frames, lost.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime.align import box_of
from realtime.face.camera import project
from realtime.face.coefficients import move_pose, pose
from realtime.face.model import FaceModel, load_face_model
from realtime.face.uv import Unwrapper
from realtime.frame import Face, Frame
from realtime.options import Options
from realtime.pipeline import Pipeline, open_pipeline
from realtime.sources.choose import open_source
from tools.evaluate.picture import curve

ENDINGS = (".mp4", ".mkv", ".webm", ".mov", ".avi")
MOVING_SHARE = 0.3  # fastest frames of a clip
BLOCK_PX = 8  # the face is compared from frame to frame in means of such squares
STILL_LEVELS, CHANGED_SHARE = 2.0, 0.1  # grey levels by which at most this share of the squares changes in a still face
LEAST_STILL = 8  # frames
SPEED_FRAMES = 9  # over which the speed of a head is judged
LAGS = np.linspace(0, 4, 81)  # frames
ATLAS, WINDOW, BESIDE = 128, 8, 9  # texels a side; frames of one temporal deviation; reach of the skin beside, texels
LEAST_TEXELS = 30
FIGURES = ("jitter", "jitter_raw", "lag", "flicker", "eyelid", "mouth")


@dataclass
class Track:
    """What one clip's main face did: raw, smooth (n, 68, 2) pixels, model (n, 68, 2) projected points; atlas pictures
    (n, T, T) luma with filled and seen (n, T, T) bool; change (n,) grey levels since the last frame.
    """

    raw: list[np.ndarray] = field(default_factory=list)
    smooth: list[np.ndarray] = field(default_factory=list)
    model: list[np.ndarray] = field(default_factory=list)
    luma: list[np.ndarray] = field(default_factory=list)
    filled: list[np.ndarray] = field(default_factory=list)
    seen: list[np.ndarray] = field(default_factory=list)
    change: list[float] = field(default_factory=list)
    frames: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--smooth", type=float, default=0.5, help="as run_live.py's (default 0.5)")
    parser.add_argument("--memory", action=argparse.BooleanOptionalAction, default=True, help="as run_live.py's")


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics, and curves of the landmarks' second differences. Raises FileNotFoundError without clips."""
    each: dict[str, dict[str, float]] = {}
    trembles: dict[str, np.ndarray] = {}
    for path in clips_in(options.data):
        track = watch(path, options)
        each[path.stem] = {**track_figures(track), "frames": track.frames, "lost": track.frames - len(track.smooth)}
        if len(track.smooth) > 2:
            trembles[path.stem] = np.abs(second_difference(np.array(track.smooth))).ravel()
    metrics: dict[str, Any] = {}
    for name in FIGURES:
        known = [one[name] for one in each.values() if name in one]
        if known:
            metrics[name] = float(np.mean(known))
    return metrics | {"clips": len(each), "each": each}, curve(trembles, 2.0, "second difference of landmarks, %")


def clips_in(data: Path) -> list[Path]:
    """Raises FileNotFoundError when there is no clip."""
    folder = data / "videos" if (data / "videos").is_dir() else data
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    if not found:
        raise FileNotFoundError(f"no clips ({', '.join(ENDINGS)}) in {folder}")
    return found


def watch(path: Path, options: argparse.Namespace) -> Track:
    """Run one clip through the chain; `options.limit` frames at most."""
    model = load_face_model("live")
    unwrapper = Unwrapper(model, ATLAS)
    track = Track()
    source = open_source(str(path), size=(640, 480), rate=None)
    chosen = Options(
        verb="video", quality=options.quality, provider=options.provider, smooth=options.smooth, faces=1,
        memory=options.memory,
    )  # fmt: skip
    pipeline = open_pipeline(chosen)
    changes = FaceChange()
    try:
        for frame in source.frames():
            if options.limit and track.frames >= options.limit:
                break
            track.frames += 1
            for raw, face in _stages(pipeline, frame):
                track.change.append(changes.take(frame.image, box_of(raw)))
                _note(track, raw, face, model, unwrapper)
    finally:
        pipeline.close()
        source.close()
    return track


def _stages(pipeline: Pipeline, frame: Frame) -> Iterator[tuple[np.ndarray, Face]]:
    """The landmarks before smoothing and the finished face, where one is tracked."""
    faces: tuple[Face, ...] = ()
    raw: np.ndarray | None = None
    for group in pipeline.groups:
        for stage in group.stages:
            frame, faces = stage(frame, faces)
            if stage.name == "landmarks" and faces:
                raw = faces[0].landmarks
    if raw is not None and faces and faces[0].coefficients is not None:
        yield raw, faces[0]


def _note(track: Track, raw: np.ndarray, face: Face, model: FaceModel, unwrapper: Unwrapper) -> None:
    assert face.coefficients is not None and face.crop_from_frame is not None and face.crop is not None
    track.raw.append(np.asarray(raw, np.float64))
    track.smooth.append(np.asarray(face.landmarks, np.float64))
    track.model.append(model.landmarks_of(face.coefficients))
    in_crop = move_pose(face.coefficients, face.crop_from_frame)
    projected = project(model.vertices(in_crop), pose(in_crop))
    mask = np.zeros(face.crop.shape[:2], np.uint8) if face.mask is None else face.mask
    texture, weight = unwrapper.unwrap(np.dstack([cv2.cvtColor(face.crop, cv2.COLOR_RGB2GRAY), mask, mask]), projected)
    track.luma.append(texture[..., 0])
    track.filled.append(texture[..., 1] > 200)
    track.seen.append(weight > 0.4)


def track_figures(track: Track) -> dict[str, float]:
    """The figures of one clip; those that it cannot give are absent."""
    found: dict[str, float] = {}
    if len(track.smooth) > 3 * SPEED_FRAMES:
        raw, smooth, model = np.array(track.raw), np.array(track.smooth), np.array(track.model)
        speed = head_speed(raw)
        moving, still = speed >= np.quantile(speed, 1 - MOVING_SHARE), still_frames(np.array(track.change))
        found["still"] = int(still.sum())
        if found["still"] >= LEAST_STILL:
            found["jitter"] = float(second_difference(smooth)[still].std())
            found["jitter_raw"] = float(second_difference(raw)[still].std())
        found["lag"] = lag_of(raw, smooth, moving)
        for name, opening in (("eyelid", eyelid_opening), ("mouth", mouth_opening)):
            found[name] = float(np.corrcoef(opening(model), opening(smooth))[0, 1])
    ratio = flicker_of(track)
    return found | ({"flicker": ratio} if ratio is not None else {})


class FaceChange:
    """How much the picture of a face differs from that of the frame before, at the same place."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None

    def take(self, image: np.ndarray, box: np.ndarray) -> float:
        """(H, W, 3) uint8, (4,) box -> grey levels that all but CHANGED_SHARE of the squares in it stay below; infinite
        for the first frame."""
        size = image.shape[1] // BLOCK_PX, image.shape[0] // BLOCK_PX
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        now = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        before, self._before = self._before, now
        if before is None or before.shape != now.shape:
            return np.inf
        x0, y0, x1, y1 = np.clip(box / BLOCK_PX, 0, [*size, *size]).astype(int)
        inside = np.abs(now - before)[y0 : y1 + 1, x0 : x1 + 1]
        return float(np.quantile(inside, 1 - CHANGED_SHARE)) if inside.size else np.inf


def still_frames(change: np.ndarray) -> np.ndarray:
    """(n,) changes -> (n - 2,) bool: whether a frame is like the one before and the one after it."""
    return np.maximum(change[1:-1], change[2:]) <= STILL_LEVELS


def second_difference(points: np.ndarray) -> np.ndarray:
    """(n, 68, 2) pixels -> (n - 2, 68, 2), % of the distance of the outer eye corners."""
    apart = np.linalg.norm(points[:, 36] - points[:, 45], axis=1).mean()
    return 100 * (points[2:] - 2 * points[1:-1] + points[:-2]) / apart


def head_speed(points: np.ndarray) -> np.ndarray:
    """(n, 68, 2) -> (n,) path of the mean point within SPEED_FRAMES around each frame."""
    step = np.linalg.norm(np.diff(points.mean(1), axis=0, prepend=points[:1].mean(1)), axis=1)
    return np.convolve(step, np.ones(SPEED_FRAMES), "same")


def lag_of(raw: np.ndarray, smooth: np.ndarray, moving: np.ndarray) -> float:
    """Frames by which `raw` must be delayed to lie best on `smooth`, over the frames where the head moves."""
    count = len(raw)
    times = np.arange(count)
    rows = np.flatnonzero(moving & (times >= LAGS[-1]))
    errors = []
    for lag in LAGS:
        at = rows - lag
        low = np.floor(at).astype(int)
        share = (at - low)[:, None, None]
        delayed = raw[low] * (1 - share) + raw[np.minimum(low + 1, count - 1)] * share
        errors.append(float(((delayed - smooth[rows]) ** 2).mean()))
    return float(LAGS[int(np.argmin(errors))])


def eyelid_opening(points: np.ndarray) -> np.ndarray:
    """(n, 68, 2) -> (n,) mean distance of the lids over the width of the eye, both eyes."""
    return np.mean([_opening(points, k, k + 3, ((k + 1, k + 5), (k + 2, k + 4))) for k in (36, 42)], axis=0)


def mouth_opening(points: np.ndarray) -> np.ndarray:
    """(n, 68, 2) -> (n,) distance of the inner lips over the width of the outer eye corners."""
    return _opening(points, 36, 45, ((61, 67), (62, 66), (63, 65)))


def _opening(points: np.ndarray, left: int, right: int, pairs: Iterable[tuple[int, int]]) -> np.ndarray:
    width = np.linalg.norm(points[:, left] - points[:, right], axis=1)
    return np.mean([np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in pairs], axis=0) / width


def flicker_of(track: Track) -> float | None:
    """Temporal deviation of filled texels over that of the skin beside them; None where nothing is ever filled."""
    inside, outside = [], []
    for start in range(0, len(track.luma) - WINDOW + 1, WINDOW // 2):
        part = slice(start, start + WINDOW)
        seen, filled = np.all(track.seen[part], axis=0), np.array(track.filled[part])
        always, never = filled.all(0) & seen, ~filled.any(0) & seen
        ring = cv2.dilate(filled.any(0).astype(np.uint8), np.ones((2 * BESIDE + 1,) * 2, np.uint8)) > 0
        beside = never & ring & (cv2.dilate(filled.any(0).astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
        if min(always.sum(), beside.sum()) < LEAST_TEXELS:
            continue
        luma = np.array(track.luma[part], np.float64)
        deviation = luma.std(0)
        inside.append(deviation[always].mean())
        outside.append(deviation[beside].mean())
    return float(np.mean(inside) / max(np.mean(outside), 1e-6)) if inside else None
