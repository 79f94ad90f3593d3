"""Learns `realtime.correction` of the networks that ship: `python -m tools.correction [--people 120] [--each 10]`.

Needs no photograph. Run it again whenever the weights of landmarks or coefficients change.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

from engines import open_network
from realtime.face.model import load_face_model
from realtime.regressor import Regressor
from tools.correction.fit import learn
from tools.correction.observe import Observations, observe, together

ASSETS = Path(__file__).parents[2] / "realtime" / "face" / "assets"
FIRST_PERSON = 1000  # seeds below are the tests'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=120, help="synthetic heads (default 120)")
    parser.add_argument("--each", type=int, default=10, help="pictures of each (default 10)")
    parser.add_argument("--quality", default="auto", choices=("auto", "light", "full"), help="which networks")
    parser.add_argument("--keep", type=Path, help="write the observations there, or read them if they exist (.npz)")
    parser.add_argument("--out", type=Path, default=ASSETS / "correction.npz")
    options = parser.parse_args()
    model = load_face_model("live")
    if options.keep is not None and options.keep.exists():
        seen = Observations.read(options.keep)
    else:
        seen = look(options)
    if options.keep is not None:
        seen.save(options.keep)
    np.savez_compressed(options.out, step=learn(model, seen))
    print(f"{options.out}: learnt from {len(seen.person)} pictures of {len(np.unique(seen.person))} people")


def look(options: argparse.Namespace) -> Observations:
    """What the networks say of everyone."""
    model = load_face_model("live")
    quality = options.quality
    with (
        open_network("landmarks", quality) as landmarks, open_network("coefficients", quality) as coefficients,
        open_network("recogniser", quality) as recogniser,
    ):  # fmt: skip
        faces = Regressor(coefficients, recogniser)
        people = tqdm(range(FIRST_PERSON, FIRST_PERSON + options.people), unit="person", mininterval=5)
        return together([observe(model, landmarks, faces, seed, options.each) for seed in people])


if __name__ == "__main__":
    main()
