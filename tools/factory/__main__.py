"""python -m tools.factory: make labelled pictures of people with and without eyeglasses, in shards."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.factory.make import BARE_SHARE, Recipe, designs_of
from tools.factory.produce import Order, produce
from tools.factory.subjects import SETS


def parser() -> argparse.ArgumentParser:
    cli = argparse.ArgumentParser(prog="python -m tools.factory", description=__doc__)
    cli.add_argument("--data", type=Path, required=True, help="folder above faces/")
    cli.add_argument("--out", type=Path, required=True, help="folder for the shards; complete ones there are kept")
    cli.add_argument("--split", choices=["train", "val"], default="train")
    cli.add_argument("--count", type=int, required=True, help="pictures in all")
    cli.add_argument("--seed", type=int, default=1)
    cli.add_argument("--synthetic", type=float, default=0.0, metavar="FRACTION", help="share of synthetic heads")
    cli.add_argument("--bare", type=float, default=BARE_SHARE, metavar="FRACTION", help="share without eyeglasses")
    cli.add_argument("--sets", default=",".join(SETS), help="photograph sets, comma-separated")
    cli.add_argument("--points", type=Path, nargs="*", default=[], help="npz with 68 points for other sets")
    cli.add_argument("--exclude", type=Path, help="file of names that wear glasses, instead of a guess")
    cli.add_argument("--glasses-models", type=Path, help="folder of OBJ or GLB eyeglasses to wear")
    cli.add_argument("--workers", type=int, default=2)
    return cli


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    recipe = Recipe(given.seed, given.synthetic, given.bare, designs=designs_of(given.split))
    order = Order(
        given.data, given.split, recipe, tuple(given.sets.split(",")), tuple(given.points), given.exclude,
        given.glasses_models,
    )  # fmt: skip
    try:
        rate = produce(order, given.out, given.count, given.workers)
    except (ValueError, FileNotFoundError) as why:
        print(why, file=sys.stderr)
        return 1
    print(f"{given.out}: {rate:.1f} pictures/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
