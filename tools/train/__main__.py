"""`python -m tools.train NAME --data DIR --out DIR --minutes N`: train one network (a file of this folder)."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from pathlib import Path

from tools.train.trainer import Options, train

NAMES = ("landmarks", "detector", "deleter", "generator", "recogniser", "coefficients", "refiner", "lids", "lenses")
FURTHER = {"refiner": "scipy, for its mesh pyramid"}  # what a bare machine needs beyond torch, numpy, opencv, lightning


def options_from(arguments: list[str]) -> tuple[str, Options]:
    """The network's name and the options; exits with code 2 and a usage line on a wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.train", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--data", type=Path, required=True, help="folder with faces/, face_model/")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint.pt, metrics.json, sheet.png")
    parser.add_argument(
        "--minutes", type=float, required=True, help="length of the whole training, resumed parts included"
    )
    parser.add_argument("--points", type=Path, nargs="*", default=[], help="npz files with weak 68-point labels")
    parser.add_argument("--identities", type=Path, help="npz of tools.identity_labels: whose faces they are")
    parser.add_argument("--recogniser", help="G for eq. 9: shipped, or a checkpoint.pt")
    parser.add_argument("--shards", type=Path, help="folder of the data factory's training shards")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt")
    parser.add_argument("--start", help="weights to begin with: shipped, or a checkpoint.pt (say so again to --resume)")
    parser.add_argument("--rate", type=float, default=1.0, help="factor on the learning rates, to go on gently")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quality", choices=("light", "full"), default="light")
    chosen = vars(parser.parse_args(arguments))
    name = chosen.pop("name")
    return name, Options(**{**chosen, "points": tuple(chosen["points"])})


def main(arguments: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    name, options = options_from(arguments)
    try:
        task = importlib.import_module(f"tools.train.{name}").create_task(options)
        print(train(task, options))
    except FileNotFoundError as missing:
        print(f"tools.train: {missing}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
