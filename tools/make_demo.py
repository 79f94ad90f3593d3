"""python -m tools.make_demo: film the bundled clip, a synthetic talking head with eyeglasses and a sound track.

Needs no photograph. The same seed gives the same pictures and the same sound.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from tqdm import tqdm

from realtime.face.model import load_face_model
from realtime.frame import Glasses
from tools.demo.actor import SIZE, Actor, cast
from tools.demo.speech import SOUND_RATE, sample_speech, sound_of
from tools.factory.outlines import FAMILIES

ROOT = Path(__file__).resolve().parents[1]
CLIP = Path("realtime/demo/talking_head.mp4")
RATE, DURATION_S = 25, 4.0
AAC_FRAME = 1024  # samples


def film(path: Path, actor: Actor, sound: np.ndarray, frames: int = round(RATE * DURATION_S)) -> None:
    """H.264 and AAC in MP4. sound: (n,) float32 mono at `SOUND_RATE`. One encoder thread, so that bytes repeat."""
    with av.open(str(path), "w", options={"movflags": "faststart", "fflags": "bitexact"}) as container:
        video = container.add_stream("libx264", rate=RATE, options={"crf": "19", "preset": "medium"})
        video.width, video.height = SIZE
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = 1
        audio = container.add_stream("aac", rate=SOUND_RATE, layout="mono", options={"b": "64k"})
        for index in tqdm(range(frames), unit="frame", disable=None):
            worn, _ = actor.frame(index, RATE)
            picture = av.VideoFrame.from_ndarray(worn, format="rgb24")
            picture.pts, picture.time_base = index, Fraction(1, RATE)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        for start in range(0, len(sound), AAC_FRAME):
            block = av.AudioFrame.from_ndarray(sound[None, start : start + AAC_FRAME], format="fltp", layout="mono")
            block.sample_rate, block.pts, block.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
            container.mux(audio.encode(block))
        container.mux(audio.encode(None))


def main(arguments: Sequence[str] | None = None) -> int:
    cli = argparse.ArgumentParser(prog="python -m tools.make_demo", description=__doc__)
    cli.add_argument("--out", type=Path, default=ROOT / CLIP, help=f"default {CLIP}")
    cli.add_argument("--seed", type=int, default=5, help="who, and what they say (default 5)")
    cli.add_argument("--glasses", type=int, default=9, metavar="SEED", help="which pair of the family (default 9)")
    cli.add_argument("--family", choices=sorted(FAMILIES), default="square", help="rims (default square)")
    cli.add_argument("--dark", action="store_true", help="sunglasses")
    cli.add_argument("--frames", type=int, default=round(RATE * DURATION_S), help="default 100, four seconds")
    given = cli.parse_args(arguments)
    duration_s = given.frames / RATE
    speech = sample_speech(np.random.default_rng(given.seed), max(duration_s, 1.0))
    kind = Glasses.DARK if given.dark else Glasses.CLEAR
    actor = cast(load_face_model("live"), speech, given.seed, given.family, given.glasses, kind)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    sound = sound_of(speech, max(duration_s, 1.0))[: round(duration_s * SOUND_RATE)]
    film(given.out, actor, sound, given.frames)
    print(f"{given.out}: {given.out.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
