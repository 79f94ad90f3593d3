"""`python -m tools.evaluate NAME --data DIR --out DIR`: measure one network by its protocol.

Writes OUT/NAME.json and OUT/NAME.png. A protocol is a file of this folder with `add_arguments(parser)` and
`evaluate(arguments) -> (metrics, picture)`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

import cv2

from engines.base import EngineError

PROTOCOLS = (
    "landmarks", "detector", "glasses", "parsing", "removal", "hard", "coefficients", "invariance", "lfw", "scans",
    "steadiness", "remembered", "texture",
)  # fmt: skip


def parse(arguments: list[str]) -> argparse.Namespace:
    """The protocol's name and its options; exits with code 2 and a usage line on a wrong command line."""
    first = argparse.ArgumentParser(prog="python -m tools.evaluate", add_help=False)
    first.add_argument("name", nargs="?", choices=PROTOCOLS)
    name = first.parse_known_args(arguments)[0].name
    parser = argparse.ArgumentParser(prog="python -m tools.evaluate", description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=PROTOCOLS)
    parser.add_argument("--data", type=Path, required=True, help="folder of pictures and labels")
    parser.add_argument("--out", type=Path, required=True, help="folder for NAME.json and NAME.png")
    parser.add_argument("--quality", default="auto", choices=("auto", "light", "full"))
    parser.add_argument("--provider", default="auto", help="as run_live.py's")
    parser.add_argument("--checkpoint", type=Path, help="measure a trainer's checkpoint instead of what ships")
    parser.add_argument("--limit", type=int, help="at most so many pictures")
    parser.add_argument("--seed", type=int, default=0)
    if name is not None:
        importlib.import_module(f"tools.evaluate.{name}").add_arguments(parser)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    try:
        metrics, picture = importlib.import_module(f"tools.evaluate.{options.name}").evaluate(options)
    except (EngineError, FileNotFoundError, ValueError) as why:
        print(f"tools.evaluate {options.name}: {why}", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    target = options.out / f"{options.name}.json"
    target.write_text(json.dumps(metrics, indent=1) + "\n")
    cv2.imwrite(str(target.with_suffix(".png")), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    print(json.dumps(metrics, indent=1))
    print(target, target.with_suffix(".png"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
