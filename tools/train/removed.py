"""`python -m tools.train.removed --shards DIR`: the factory's dressed crops once the program has taken the glasses off.

The regressor sees such crops at run time, with whatever the removal leaves behind. `removed.npz` beside the shards
holds them as JPEG in the shards' order; a crop without glasses is left empty.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from realtime.align import box_of
from realtime.frame import Face, Faces, Frame
from realtime.stages import Stage
from tools.evaluate.chain import network
from tools.train.samples import Sample, Samples

FILE = "removed.npz"
QUALITY = 92


class Removed:
    """What `removed.npz` holds; row k belongs to crop k of the shards."""

    def __init__(self, file: Path):
        with np.load(file) as arrays:
            self.codes, self.offsets = arrays["codes"], arrays["offsets"]

    def picture(self, row: int) -> np.ndarray | None:
        """(256, 256, 3) uint8 RGB, or None where there was nothing to remove, and of shards that came later."""
        if row + 1 >= len(self.offsets):
            return None
        start, end = self.offsets[row : row + 2]
        return None if start == end else cv2.imdecode(self.codes[start:end], cv2.IMREAD_COLOR_RGB)


def without_glasses(sample: Sample, stages: Sequence[Stage]) -> np.ndarray | None:
    """The crop as the last of the `stages` leaves it; None where the deleter sees no glasses."""
    points = np.asarray(sample.value("points"), np.float32)
    frame = Frame(sample.picture("image"), 0, cut=True)
    faces: Faces = (Face(int(sample.row), box_of(points), points),)
    for stage in stages:
        frame, faces = stage(frame, faces)
    crop, matrix = faces[0].crop, faces[0].crop_from_frame
    if faces[0].mask is None or crop is None or matrix is None:
        return None
    inverse = cv2.invertAffineTransform(matrix)
    return cv2.warpAffine(crop, inverse, (256, 256), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.train.removed", description=__doc__)
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--quality", choices=("auto", "light", "full"), default="auto")
    parser.add_argument("--provider", default="auto")
    chosen = parser.parse_args(arguments)
    from realtime.stages.delete import Delete  # numba: the trainings that read what this writes do without
    from realtime.stages.generate import Generate
    from realtime.stages.unbend import Unbend

    made_of = {"deleter": Delete, "lenses": Unbend, "generator": Generate}
    stages = [stage(network(name, chosen.quality, chosen.provider)) for name, stage in made_of.items()]
    codes: list[np.ndarray] = []
    for sample in tqdm(Samples(chosen.shards), desc="taking glasses off", disable=None):
        made = without_glasses(sample, stages) if int(sample.value("kind")) else None
        if made is None:
            codes.append(np.empty(0, np.uint8))
        else:
            bgr = cv2.cvtColor(made, cv2.COLOR_RGB2BGR)
            codes.append(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].ravel())
    offsets = np.cumsum([0] + [len(code) for code in codes])
    np.savez(chosen.shards / FILE, codes=np.concatenate(codes), offsets=offsets)
    print(f"{sum(len(code) > 0 for code in codes)} of {len(codes)} crops; {chosen.shards / FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
