"""What the way over the page costs: rate and round trip of a WebSocket visitor beside the chain's own, in turns.

    python -m tools.bench_page --rounds 3 --frames 200

Both are measured on the same clip and view, one after the other, so that what else the machine does hits both alike.
Chain time is the sum of the stages' medians of `run_live.py bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.resources import as_file, files
from itertools import islice
from pathlib import Path
from statistics import median

import aiohttp
import av

from realtime.page.pictures import encode
from realtime.page.wire import TAKEN, pack_frame, read_result

ROOT = Path(__file__).resolve().parents[1]
WARM_UP = 30  # frames at the beginning that are not counted


@dataclass(frozen=True, slots=True)
class Speed:
    """Frames a second, and milliseconds from a frame's start to its end (medians)."""

    fps: float
    latency_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--view", default="removed")
    parser.add_argument("--visitors", type=int, default=1, help="at the same time; rates are added up")
    options = parser.parse_args()
    with as_file(files("realtime") / "demo" / "talking_head.mp4") as clip:
        jpegs = clip_jpegs(clip)
        ratios, extra = [], []
        with Program(options.visitors) as address:
            for _ in range(options.rounds):
                chain = chain_speed(clip, options.view, options.frames)
                page = asyncio.run(page_speed(address, jpegs, options.view, options.frames, options.visitors))
                ratios.append(page.fps / chain.fps)
                extra.append(page.latency_ms - chain.latency_ms)
                print(f"chain {chain.fps:5.1f} fps {chain.latency_ms:6.1f} ms   "
                      f"page {page.fps:5.1f} fps {page.latency_ms:6.1f} ms", flush=True)  # fmt: skip
    print(f"medians: page / chain {median(ratios):.0%} of the rate, {median(extra):+.0f} ms")


def clip_jpegs(clip: Path, most: int = 100) -> list[bytes]:
    with av.open(str(clip)) as opened:
        return [encode(frame.to_ndarray(format="rgb24")) for frame in islice(opened.decode(video=0), most)]


def chain_speed(clip: Path, view: str, frames: int) -> Speed:
    """By `run_live.py bench` in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "run_live.py"), "bench", "-i", str(clip), "-o", folder]
        command += ["--view", view, "--renderer", "software", "--frames", str(frames)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found = json.loads((Path(folder) / "bench.json").read_text())
    stages = sum(stage["median"] for name, stage in found["stages"].items() if name != "capture")
    return Speed(found["fps"], stages)


async def page_speed(address: str, jpegs: list[bytes], view: str, frames: int, visitors: int) -> Speed:
    runs = await asyncio.gather(*(_visit(address, jpegs, view, frames + WARM_UP) for _ in range(visitors)))
    return Speed(sum(run.fps for run in runs), median(run.latency_ms for run in runs))


async def _visit(address: str, jpegs: list[bytes], view: str, frames: int) -> Speed:
    """A visitor that sends as soon as it is asked."""
    sent: list[float] = []
    came: list[tuple[float, float]] = []  # when, and after how long
    async with aiohttp.ClientSession() as http:
        origin = {"Origin": address.rstrip("/")}
        async with http.ws_connect(address + "visit", headers=origin, max_msg_size=0) as socket:
            await socket.receive_str()
            await socket.send_json({"kind": "wishes", "view": view})

            async def send() -> None:
                sent.append(time.perf_counter())
                await socket.send_bytes(pack_frame(len(sent) - 1, 1000 * sent[-1], jpegs[len(sent) % len(jpegs)]))

            await send()
            while len(came) < frames:
                message = await socket.receive_bytes()
                if message[0] == TAKEN:
                    await send()
                else:
                    now = time.perf_counter()
                    came.append((now, now - sent[read_result(message)[0]]))
    counted = came[WARM_UP:]
    fps = (len(counted) - 1) / (counted[-1][0] - counted[0][0])
    return Speed(fps, 1000 * median(latency for _, latency in counted))


class Program:
    """`run_live.py serve` as long as the body runs; gives its address."""

    def __init__(self, visitors: int):
        command = [sys.executable, str(ROOT / "run_live.py"), "serve", "--port", "0", "--renderer", "software"]
        self._process = subprocess.Popen([*command, "--visitors", str(visitors)], stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


if __name__ == "__main__":
    main()
