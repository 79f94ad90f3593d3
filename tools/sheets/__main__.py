"""`python -m tools.sheets --data DIR --out DIR`: photographs with glasses: before, mask, after, 3D, to look at.

Writes OUT/page-00.jpg and so on, numbered tiles, the worst first, OUT/sheets.json (a failure score without truth for
every photograph, see `tools/sheets/failure.py`) and OUT/names.txt. `--worst 20` shows the twenty worst that were kept
by name in `tools/sheets/worst.txt`: what every change is looked at on. The pages show real people: keep them to
yourself.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from engines.base import EngineError
from tools.evaluate.chain import network
from tools.photos import Photographs
from tools.sheets.calibrate import calibrate
from tools.sheets.chain import Photographer, Shown
from tools.sheets.choose import WORST, labelled, others, read_names
from tools.sheets.failure import PARTS, Failure, FailureScore
from tools.sheets.pages import pages, tile

Judged = tuple[str, Shown | None, Failure | None]


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.sheets", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder above faces/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pages")
    parser.add_argument("--count", type=int, default=210, help="photographs with glasses (default 210)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--names", type=Path, help="a file with a photograph's name a line, instead of a search")
    which.add_argument("--worst", type=int, metavar="N", help="the first N of the regression list")
    which.add_argument("--calibrate", type=int, metavar="N", help="measure the score's scales on N clean photographs")
    parser.add_argument("--keep-worst", type=int, metavar="N", help="write the N worst into the regression list")
    parser.add_argument("--quality", default="auto", choices=("auto", "light", "full"))
    parser.add_argument("--provider", default="auto", help="as run_live.py's")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        if options.calibrate:
            return _written(options.out / "calibration.json", calibrate(options))
        judged = judge(options)
    except (EngineError, FileNotFoundError, KeyError, ValueError) as why:
        print(f"tools.sheets: {why}", file=sys.stderr)
        return 1
    if options.worst is None:
        judged.sort(key=lambda one: -np.inf if one[2] is None else -one[2].score)
    tiles = [tile(i, shown, failure, name) for i, (name, shown, failure) in enumerate(judged)]
    for number, page in enumerate(pages(tiles)):
        path = options.out / f"page-{number:02d}.jpg"
        cv2.imwrite(str(path), cv2.cvtColor(page, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
        print(path)
    names = [name for name, _, _ in judged]
    (options.out / "names.txt").write_text("\n".join(names) + "\n")
    if options.keep_worst:
        WORST.write_text("# the worst first; `python -m tools.sheets --keep-worst N` writes this\n" +
                         "\n".join(names[: options.keep_worst]) + "\n")  # fmt: skip
    return _written(options.out / "sheets.json", summary(judged))


def judge(options: argparse.Namespace) -> list[Judged]:
    """Every chosen photograph through the chain, with its score."""
    photos = Photographs(options.data)
    photographer = Photographer(options)
    score = FailureScore(*(network(name, options.quality, options.provider) for name in ("deleter", "landmarks")))
    try:
        found = _named(options, photos, photographer) if _names(options) else _searched(options, photos, photographer)
        return [(name, shown, None if shown is None else score(shown)) for name, shown in found]
    finally:
        photographer.close()


def _names(options: argparse.Namespace) -> list[str]:
    if options.worst:
        return read_names(WORST)[: options.worst]
    return read_names(options.names) if options.names else []


def _named(
    options: argparse.Namespace, photos: Photographs, photographer: Photographer
) -> Iterator[tuple[str, Shown | None]]:
    for name in tqdm(_names(options), unit="photograph"):
        yield name, photographer(name, photos.read(name))


def _searched(
    options: argparse.Namespace, photos: Photographs, photographer: Photographer
) -> Iterator[tuple[str, Shown | None]]:
    """Labelled ones, also those where nothing is found; then others on which the deleter finds glasses."""
    known = labelled(options.data)[: options.count]
    count = 0
    with tqdm(total=options.count, unit="photograph") as bar:
        for name in known:
            count += 1
            bar.update()
            yield name, photographer(name, photos.read(name))
        for name in others(photos, set(known), options.seed):
            if count >= options.count:
                return
            shown = photographer(name, photos.read(name))
            if shown is not None and shown.worn:
                count += 1
                bar.update()
                yield name, shown


def summary(judged: list[Judged]) -> dict[str, object]:
    """The JSON: means over all, and every photograph's parts."""
    known = [failure for _, _, failure in judged if failure is not None]
    if not known:
        raise ValueError("no face was found on any of the photographs")
    means = {part: float(np.mean([failure.scaled[part] for failure in known])) for part in PARTS}
    each = {
        name: None if failure is None or shown is None else
        {"kind": shown.face.glasses.name.lower(), "score": round(failure.score, 3),
         **{part: round(value, 3) for part, value in failure.parts.items()}}
        for name, shown, failure in judged
    }  # fmt: skip
    return {"photographs": len(judged), "no_face": len(judged) - len(known),
            "score": float(np.mean([failure.score for failure in known])), "means": means, "each": each}  # fmt: skip


def _written(path: Path, figures: dict[str, object]) -> int:
    path.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps({key: value for key, value in figures.items() if key != "each"}, indent=1))
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
