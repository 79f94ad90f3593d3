"""python -m tools.factory.sheet SHARD --out sheet.png: a contact sheet of worn, clean, labels and shadow."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from engines.networks.classes import Region
from tools.factory.shards import Record, read_shard

COLOURS = {
    Region.BACKGROUND: (40, 40, 40), Region.SKIN: (225, 180, 160), Region.L_BROW: (120, 80, 40),
    Region.R_BROW: (150, 100, 50), Region.L_EYE: (250, 250, 250), Region.R_EYE: (210, 230, 250),
    Region.NOSE: (240, 200, 150), Region.MOUTH: (90, 0, 30), Region.U_LIP: (220, 90, 100),
    Region.L_LIP: (190, 60, 80), Region.HAIR: (90, 60, 120), Region.FRAME: (255, 0, 0),
    Region.CLEAR_LENS: (0, 220, 255), Region.DARK_LENS: (0, 0, 200), Region.GLARE: (255, 255, 0),
    Region.IGNORE: (0, 0, 0),
}  # fmt: skip


def tile(record: Record) -> np.ndarray:
    """(256, 1024, 3) uint8: picture, clean with the 68 points, labels, shadow."""
    palette = np.zeros((256, 3), np.uint8)
    for region, colour in COLOURS.items():
        palette[region] = colour
    clean = record.clean.copy()
    for x, y in record.points:
        cv2.circle(clean, (round(float(x)), round(float(y))), 1, (0, 255, 0), -1)
    shadow = (record.shadow * 255).astype(np.uint8)[..., None].repeat(3, 2)
    return np.hstack([record.image, clean, palette[record.labels], shadow])


def sheet(records: Sequence[Record], columns: int = 2) -> np.ndarray:
    """Tiles side by side, the last row filled with black."""
    tiles = [tile(record) for record in records]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def main(arguments: Sequence[str] | None = None) -> int:
    cli = argparse.ArgumentParser(prog="python -m tools.factory.sheet", description=__doc__)
    cli.add_argument("shard", type=Path)
    cli.add_argument("--out", type=Path, required=True)
    cli.add_argument("--first", type=int, default=0)
    cli.add_argument("--count", type=int, default=16)
    given = cli.parse_args(arguments)
    records = list(itertools.islice(read_shard(given.shard), given.first, given.first + given.count))
    if not records:
        print(f"{given.shard}: holds no picture number {given.first}", file=sys.stderr)
        return 1
    cv2.imwrite(str(given.out), sheet(records)[..., ::-1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
