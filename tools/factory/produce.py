"""Fills shards in worker processes; what is in a shard depends on its order alone, never on the number of workers."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import cv2
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from realtime.face.model import FaceModel, load_face_model
from tools.factory.make import Recipe, make_record
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


def produce(order: Order, out: Path, count: int, workers: int) -> float:
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
