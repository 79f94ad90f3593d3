"""python -m tools.factory: make labelled pictures of people with and without eyeglasses, in shards."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import cv2
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from realtime.face.model import FaceModel, load_face_model
from tools.factory.make import BARE_SHARE, Recipe, make_record
from tools.factory.scanned import ScannedGlasses, load_scanned
from tools.factory.shards import PER_SHARD, write_shard
from tools.factory.subjects import SETS, Subjects


@dataclass(frozen=True)
class Order:
    """What a worker must know; hashable, so that each process prepares once."""

    data: Path
    split: str
    recipe: Recipe
    sets: tuple[str, ...] = SETS
    points: tuple[Path, ...] = ()
    exclude: Path | None = None
    glasses_models: Path | None = None


@cache
def _workshop(order: Order) -> tuple[Subjects, FaceModel, list[ScannedGlasses]]:
    cv2.setNumThreads(1)
    subjects = Subjects(order.data, order.split, order.sets, order.points, order.exclude)
    scanned = load_scanned(order.glasses_models) if order.glasses_models else []
    return subjects, load_face_model("live"), scanned


def fill_shard(order: Order, path: Path, first: int, count: int) -> int:
    """Make pictures first .. first + count - 1 of an order and write them; returns how many."""
    with threadpool_limits(1):
        subjects, model, scanned = _workshop(order)
        records = [make_record(first + i, order.recipe, subjects, model, scanned) for i in range(count)]
    write_shard(path, records)
    return count


def run(order: Order, out: Path, count: int, workers: int) -> float:
    """Fill all shards that are missing under `out`; returns pictures a second."""
    out.mkdir(parents=True, exist_ok=True)
    jobs = []
    for number in range(-(-count // PER_SHARD)):
        path = out / f"{order.split}-{number:04d}.npz"
        if not path.exists():
            jobs.append((path, number * PER_SHARD, min(PER_SHARD, count - number * PER_SHARD)))
    start, made = time.perf_counter(), 0
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool, tqdm(
        total=sum(job[2] for job in jobs), unit="picture", desc=str(out), mininterval=2
    ) as bar:
        for done in as_completed([pool.submit(fill_shard, order, *job) for job in jobs]):
            made += done.result()
            bar.update(done.result())
    return made / max(time.perf_counter() - start, 1e-9)


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
    cli.add_argument("--points", type=Path, nargs="*", default=[], help="npz with 68 points for sets without hand-made ones")
    cli.add_argument("--exclude", type=Path, help="file of names (set/file) that wear glasses; replaces the built-in guess")
    cli.add_argument("--glasses-models", type=Path, help="folder of OBJ or GLB eyeglasses to wear")
    cli.add_argument("--workers", type=int, default=2)
    return cli


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    recipe = Recipe(given.seed, given.synthetic, given.bare)
    order = Order(
        given.data, given.split, recipe, tuple(given.sets.split(",")), tuple(given.points), given.exclude,
        given.glasses_models,
    )  # fmt: skip
    try:
        rate = run(order, given.out, given.count, given.workers)
    except (ValueError, FileNotFoundError) as why:
        print(why, file=sys.stderr)
        return 1
    print(f"{given.out}: {rate:.1f} pictures/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
