"""The options of `serve`."""

from __future__ import annotations

import argparse
from pathlib import Path

from realtime.options import VIEWS

HOST, PORT, VISITORS = "127.0.0.1", 8765, 4


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    on_off = argparse.BooleanOptionalAction
    group = parser.add_argument_group("where and for whom")
    group.add_argument("--host", default=HOST, metavar="ADDRESS", help=f"address to bind to (default {HOST})")
    group.add_argument("--port", type=_between(0, 65535, int), default=PORT, help=f"0: any free one (default {PORT})")
    group.add_argument("--visitors", type=_between(1, 64, int), default=VISITORS, metavar="N",
                       help=f"most at a time (default {VISITORS})")  # fmt: skip
    group.add_argument("--token", metavar="TEXT", help="what the address must carry; made up where not on loopback")
    group.add_argument("--origin", dest="origins", action="append", default=[], metavar="URL",
                       help="another origin whose page may connect, as behind a proxy; may be repeated")  # fmt: skip
    group.add_argument("--cert", dest="certificate", type=Path, metavar="FILE", help="TLS certificate (PEM): https")
    group.add_argument("--key", type=Path, metavar="FILE", help="its private key, unless it is in the same file")
    group = parser.add_argument_group("what a visitor finds set")
    group.add_argument("--view", choices=VIEWS, default="removed")
    group.add_argument("--remove", action=on_off, default=True, help="take the glasses off")
    group.add_argument("--landmarks", action=on_off, default=False, help="draw the 68 points")
    group.add_argument("--smooth", type=_between(0, 1, float), default=0.5, metavar="0..1")
    group.add_argument("--faces", type=_between(1, 64, int), default=2, metavar="N", help="most a visitor (default 2)")
    group.add_argument("--renderer", choices=("auto", "gl", "software"), default="auto")


def _between(low: float, high: float, kind: type):  # type: ignore[no-untyped-def]
    def parse(text: str):  # type: ignore[no-untyped-def]
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    parse.__name__ = "whole number" if kind is int else "number"  # argparse names it when int() fails
    return parse
