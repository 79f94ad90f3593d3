"""The options of `run_live.py batch`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from realtime.options import VIEWS


def add_batch_options(
    parser: argparse.ArgumentParser, count: Callable[[str], int], share: Callable[[str], float]
) -> None:
    """count, share: types of a number of 1 or more, and of one within 0..1."""
    on_off = argparse.BooleanOptionalAction
    parser.add_argument(
        "-i", "--input", required=True, metavar="FOLDER|LIST", help="folder with all below it, or a text file of paths"
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the results and the manifest")
    group = parser.add_argument_group("who does it")
    group.add_argument("--workers", type=count, default=0, metavar="N", help="processes, a core each (default all)")
    group.add_argument("--ray", metavar="ADDRESS", help="a Ray cluster instead: auto, HOST:PORT or ray://HOST:PORT")
    group.add_argument(
        "--segment", dest="segment_s", type=_seconds, metavar="SECONDS",
        help="cut longer videos into segments of about so long; 0 never (default: 120 with --ray, else 0)",
    )  # fmt: skip
    group = parser.add_argument_group("what is done")
    group.add_argument("--remove", action=on_off, default=True, help="take the glasses off")
    group.add_argument("--faces", type=count, default=4, metavar="N", help="most faces followed in a video (default 4)")
    group.add_argument("--smooth", type=share, default=0.5, metavar="0..1", help="0 off, 1 strongest (default 0.5)")
    group.add_argument("--sound", action=on_off, default=True, help="keep the sound track")
    group.add_argument("--view", choices=VIEWS, default="mesh", help="the third of three pictures side by side")
    group.add_argument("--renderer", choices=("auto", "gl", "software"), default="auto")


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is no length in seconds")
    return number
