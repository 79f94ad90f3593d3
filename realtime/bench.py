"""`bench`: what every stage takes on this machine, as a table, `bench.json` and `bench.png`."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import SinkError, reason
from realtime.machine import describe_machine, peak_memory_mib
from realtime.meter import Spread, Timing

JSON_NAME, PNG_NAME = "bench.json", "bench.png"
BAR_COLOURS = ((86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0),
               (204, 121, 167), (150, 150, 150))  # fmt: skip  # Okabe-Ito: told apart by colour-blind people too


def milliseconds(spread: Spread) -> dict[str, float]:
    return {"median": round(1000 * spread.median_s, 3), "p95": round(1000 * spread.p95_s, 3)}


def results(timing: Timing, source: str, providers: dict[str, str], renderer: str) -> dict[str, object]:
    """What `bench.json` holds. Times in milliseconds; frame_ms is the time between finished frames."""
    return {
        "fps": round(timing.fps, 2),
        "latency_ms": milliseconds(timing.latency),
        "frame_ms": milliseconds(timing.interval),
        "stages": {name: milliseconds(spread) for name, spread in timing.stages.items()},
        "frames": timing.frames,
        "input": source,
        "providers": providers,
        "renderer": renderer,
        "peak_memory_mib": round(peak_memory_mib(), 1),
        "machine": describe_machine(),
    }


def table(timing: Timing) -> str:
    """A fixed-width table of medians and 95th percentiles."""
    rule = f"{'-' * 18}-+-{'-' * 10}-+-{'-' * 10}"
    lines = [f"{'stage':18} | {'median ms':>10} | {'p95 ms':>10}", rule]
    rows = [*timing.stages.items(), ("frame to frame", timing.interval), ("latency", timing.latency)]
    for name, spread in rows:
        if name == "frame to frame":
            lines.append(rule)
        lines.append(f"{name:18} | {1000 * spread.median_s:10.2f} | {1000 * spread.p95_s:10.2f}")
    lines.append(f"{timing.frames} frames, {timing.fps:.1f} fps")
    return "\n".join(lines)


def write_results(folder: Path, timing: Timing, found: dict[str, object]) -> tuple[Path, Path]:
    """Write both files into `folder`, made if absent. Raises SinkError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / JSON_NAME).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        png = cv2.imencode(".png", cv2.cvtColor(chart(timing), cv2.COLOR_RGB2BGR))[1]
        (folder / PNG_NAME).write_bytes(png.tobytes())
    except OSError as error:
        raise SinkError(f"cannot write the measurements into {folder}: {reason(error)}") from error
    return folder / JSON_NAME, folder / PNG_NAME


def chart(timing: Timing, width: int = 960, row: int = 34) -> np.ndarray:
    """(H, W, 3) uint8 RGB: a bar per stage, full colour up to the median, pale up to the 95th percentile."""
    stages = list(timing.stages.items())
    left, right, top = 200, 190, 70
    picture = np.full((top + row * len(stages) + 46, width, 3), 255, np.uint8)
    longest = max((spread.p95_s for _, spread in stages), default=0.0) or 1.0
    title = f"{timing.fps:.1f} fps; milliseconds a frame: median (full), 95th percentile (pale)"
    _text(picture, title, (16, 38), 0.62)
    for number, (name, spread) in enumerate(stages):
        y = top + row * number
        colour = BAR_COLOURS[number % len(BAR_COLOURS)]
        pale = tuple(int(255 - (255 - c) * 0.35) for c in colour)
        for seconds, fill in ((spread.p95_s, pale), (spread.median_s, colour)):
            end = left + int((width - left - right) * seconds / longest)
            cv2.rectangle(picture, (left, y), (end, y + row - 10), fill, -1)
        _text(picture, name, (16, y + row - 15), 0.52)
        words = f"{1000 * spread.median_s:.1f} / {1000 * spread.p95_s:.1f}"
        at = left + int((width - left - right) * spread.p95_s / longest) + 10
        _text(picture, words, (at, y + row - 15), 0.52)
    total = f"frame to frame {1000 * timing.interval.median_s:.1f} / {1000 * timing.interval.p95_s:.1f} ms, "
    _text(picture, total + f"{timing.frames} frames", (16, picture.shape[0] - 16), 0.52)
    return picture


def _text(picture: np.ndarray, words: str, at: tuple[int, int], scale: float) -> None:
    cv2.putText(picture, words, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (30, 30, 30), 1, cv2.LINE_AA)
