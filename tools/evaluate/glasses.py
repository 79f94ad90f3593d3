"""Protocol `glasses`: what people wear (none, clear, dark), as the deleter says it, against labels made by eye.

Data: pictures beside `labels.csv` (columns file, glasses; unsure is left out), or the photographs with
`faces/glasses_labels.csv`. JSON: f1_worn (glasses or none), f1_macro over the kinds that occur, confusion (rows true,
columns said, order none, clear, dark), pictures, misses (no face found: counted as "none"); share_right by skin tone
and by what is worn (`groups.py`), misses left out.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from realtime.align import STRIP
from realtime.planes import planes
from realtime.stages.delete import believed_kind
from tools.evaluate.chain import network
from tools.evaluate.faces import crop_of, finder_with
from tools.evaluate.groups import Groups, skin_tone_group
from tools.evaluate.parsing_scores import confusion, f1_macro, painted
from tools.evaluate.picture import tiled
from tools.glasses_labels import KINDS, UNSURE, labelled_glasses
from tools.photos import Photographs, decode

Parse = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # (128, 256, 3) -> labels (128, 256), kind (3,)
WRONG_SHOWN = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--points", type=Path, nargs="*", default=[], help="npz files of landmarks: no detector is run")


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics, and a sheet of the pictures that were judged wrongly. Raises FileNotFoundError without labels."""
    net = network("deleter", options.quality, options.provider, options.checkpoint)

    def parse(strip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = net.run({"strip": planes(strip)})
        labels = np.array(found["labels"])[0]
        return labels, believed_kind(np.array(found["kind"])[0], labels)

    pictures = itertools.islice(labelled_pictures(options.data), options.limit)
    return evaluate_glasses(pictures, finder_with(options), parse)


def labelled_pictures(data: Path) -> Iterator[tuple[str, np.ndarray, int]]:
    """(name, picture, number of its kind) of every sure label. Raises FileNotFoundError where there are no labels."""
    listed = Path(data) / "labels.csv"
    if listed.exists():
        with listed.open(newline="") as lines:
            rows = {row["file"]: row["glasses"] for row in csv.DictReader(lines)}
        read: Callable[[str], np.ndarray] = lambda name: decode((Path(data) / name).read_bytes(), name)  # noqa: E731
    else:
        rows = labelled_glasses(data)
        if not rows:
            raise FileNotFoundError(f"no labels: {data} holds neither labels.csv nor faces/glasses_labels.csv")
        read = Photographs(data).read
    for name, kind in rows.items():
        if kind != UNSURE:
            yield name, read(name), KINDS.index(kind)


def evaluate_glasses(
    pictures: Iterator[tuple[str, np.ndarray, int]], find: Callable[[str, np.ndarray], np.ndarray | None], parse: Parse
) -> tuple[dict[str, Any], np.ndarray]:
    """The metrics, and a sheet of the pictures that were judged wrongly with their parsing.

    find: (name, picture) -> (68, 2) landmarks or None.
    """
    truth, said, tiles, misses = [], [], [], 0
    groups = Groups()
    for name, image, kind in pictures:
        landmarks = find(name, image)
        truth.append(kind)
        if landmarks is None:
            misses += 1
            said.append(0)
            continue
        crop, _ = crop_of(image, landmarks)
        labels, probability = parse(crop[STRIP])
        said.append(int(probability.argmax()))
        tone = skin_tone_group(image, landmarks)
        groups.add("share_right", float(said[-1] == kind), skin_tone=tone, lens=KINDS[kind])
        if said[-1] != kind and len(tiles) < WRONG_SHOWN:
            tiles.append(np.hstack([crop[STRIP], painted(crop[STRIP], labels)]))
    true, found = np.array(truth), np.array(said)
    metrics = {
        "f1_worn": worn_f1(true, found), "f1_macro": f1_macro(true, found, len(KINDS)),
        "confusion": confusion(true, found, len(KINDS)).tolist(), "pictures": len(true), "misses": misses,
        **groups.report(),
    }  # fmt: skip
    return metrics, tiled(tiles or [np.zeros((128, 512, 3), np.uint8)], 3)


def worn_f1(truth: np.ndarray, said: np.ndarray) -> float:
    """F1 of "wears glasses of any kind"."""
    hits = int(((truth > 0) & (said > 0)).sum())
    return 2 * hits / max(int((truth > 0).sum() + (said > 0).sum()), 1)
