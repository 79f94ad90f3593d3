"""python -m tools.readme_pictures: the README's pictures, made by the program itself on people who do not exist.

Each row is a frame of `video`'s side-by-side result: as filmed, without glasses, with the tracked 3D face. The first
person is the bundled clip's; the second, in sunglasses, is filmed for the occasion.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from realtime.cli import main as run_live
from tools import make_demo

ROW_WIDTH = 1440
SUNGLASSES = ("--seed", "11", "--family", "square", "--dark")
QUALITY = 88


def row(clip: Path, frame: int, scratch: Path) -> np.ndarray:
    """(h, `ROW_WIDTH`, 3) uint8 RGB: what the program makes of a clip, at one frame. May raise RuntimeError."""
    out = scratch / f"{clip.stem}_results"
    code = run_live(["video", "-i", str(clip), "-o", str(out), "--frames", str(frame + 1), "--log-level", "warning"])
    if code:
        raise RuntimeError(f"{clip}: the program ended with {code}")
    with av.open(str(out / f"{clip.stem}_sidebyside.mp4")) as container:
        *_, last = (one.to_ndarray(format="rgb24") for one in container.decode(video=0))
    scale = ROW_WIDTH / last.shape[1]
    return cv2.resize(last, (ROW_WIDTH, round(last.shape[0] * scale)), interpolation=cv2.INTER_AREA)


def main(arguments: Sequence[str] | None = None) -> int:
    cli = argparse.ArgumentParser(prog="python -m tools.readme_pictures", description=__doc__)
    cli.add_argument("--out", type=Path, default=make_demo.ROOT / "docs/pictures")
    cli.add_argument("--frame", type=int, default=10, help="of each clip (default 10)")
    given = cli.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        dark = scratch / "sunglasses.mp4"
        make_demo.main([*SUNGLASSES, "--frames", str(given.frame + 2), "--out", str(dark)])
        rows = [row(clip, given.frame, scratch) for clip in (make_demo.ROOT / make_demo.CLIP, dark)]
    target = given.out / "talking_head.jpg"
    cv2.imwrite(str(target), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
