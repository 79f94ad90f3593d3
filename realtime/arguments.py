"""The command line: verbs and options, parsed into `Options`. argparse ends with exit code 2 on bad usage."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from realtime.batch.arguments import add_batch_options
from realtime.delay import LONGEST_S
from realtime.options import (
    BACKGROUNDS,
    COLOUR,
    DEFAULT_AVATAR,
    DEFAULT_BACKGROUND,
    LOG_LEVELS,
    PROVIDERS,
    QUALITIES,
    TEXTURES,
    VIEWS,
    Options,
)
from realtime.page.arguments import add_serve_options

VERBS = {
    "live": "camera or file, shown in a window as it comes (default)",
    "video": "a video file -> the same without glasses, coefficients, blendshapes and a 3D face, in a folder",
    "image": "a picture or a folder of pictures -> the same without glasses, coefficients, meshes",
    "batch": "a whole library of videos and pictures, on all cores or a Ray cluster; goes on where it was stopped",
    "cameras": "list the cameras with their sizes and rates",
    "bench": "measure every stage on this machine",
    "build": "build the engines of this machine's GPU ahead of time",
    "serve": "a page for browsers: they send their camera and see the result",
    "doctor": "say what works here and what does not",
}
DEFAULT_VERB = "live"


def parse(arguments: Sequence[str]) -> Options:
    """Options of a command line without the program's name. Raises SystemExit on bad usage and after --help."""
    arguments = list(arguments)
    if not arguments or (arguments[0] not in VERBS and arguments[0] not in ("-h", "--help")):
        arguments.insert(0, DEFAULT_VERB)
    found = vars(_parser().parse_args(arguments))
    if found.get("avatar") not in (None, DEFAULT_AVATAR) and not any(one.startswith("--view") for one in arguments):
        found["view"] = "avatar"
    known = {field.name for field in fields(Options)}
    found = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
    return Options(**{name: value for name, value in found.items() if name in known})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_live.py",
        description="Takes the eyeglasses off every face and tracks a 3D face under them, live.",
        epilog="run_live.py VERB --help lists a verb's options. Exit codes: 0 ok, 1 failure, 2 usage or missing "
        "dependency, 3 no face found, 130 interrupted.",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    common = _common()
    for verb, text in VERBS.items():
        parents = [common] if verb in ("cameras", "doctor") else [common, _networks()]
        if verb in ("live", "video", "image", "bench"):
            parents.append(_run())
        if verb in ("live", "video", "image", "doctor"):
            parents.append(_send())
        if verb in ("live", "video", "image"):
            parents.append(_avatar(moves=verb != "image"))
        one = verbs.add_parser(verb, help=text, description=text, parents=parents)
        if verb == "batch":
            add_batch_options(one, _count, _share)
        elif verb not in ("cameras", "doctor", "build", "serve"):
            _input_output(one, verb)
        if verb == "serve":
            add_serve_options(one)
        if verb in ("video", "image", "bench"):
            one.set_defaults(view="mesh")  # the third of three pictures side by side, and what a bench should draw
        if verb == "live":
            _live(one)
        if verb == "image":
            one.set_defaults(faces=64)
    return parser


def _input_output(parser: argparse.ArgumentParser, verb: str) -> None:
    given = "camera number or name, file, folder, URL, - for a pipe, or pattern"
    if verb in ("video", "image"):
        parser.add_argument("-i", "--input", required=True, metavar="INPUT", help=given)
    else:
        default = "pattern" if verb == "bench" else "0"
        parser.add_argument("-i", "--input", default=default, metavar="INPUT", help=f"{given} (default {default})")
    where = {
        "live": ("window", "window, null, a video file to record into, camera or camera:DEVICE (a virtual one), "
                 "udp:// rtp:// tcp:// rtmp:// (a stream), or - (Matroska on a pipe)"),
        "bench": (".", "folder for bench.json and bench.png"),
        "video": (".", "folder for the results"),
        "image": (".", "folder for the results"),
    }
    default, text = where[verb]
    parser.add_argument("-o", "--output", default=default, metavar="OUTPUT", help=f"{text} (default {default})")


def _live(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--delay", dest="delay_s", type=_delay, default=0.0, metavar="MS",
        help="show and send every picture MS after its capture (0 to 2000; late ones at once), so that sound which is "
        "delayed by the same MS stays with it; files are not delayed",
    )  # fmt: skip


def _common() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--log-level", choices=LOG_LEVELS, default="info")
    parser.add_argument("--models-dir", type=Path, metavar="DIR", help="folder with another models.toml and weights/")
    return parser


def _networks() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("networks")
    group.add_argument("--provider", "--execution-provider", choices=PROVIDERS, default="auto")
    group.add_argument("--quality", choices=QUALITIES, default="auto", help="full: as in the paper; light: for CPUs")
    return parser


def _run() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("what is done")
    on_off = argparse.BooleanOptionalAction
    group.add_argument("--remove", action=on_off, default=True, help="take the glasses off")
    text = "behind the glasses, show skin that was seen before rather than invent it"
    group.add_argument("--memory", action=on_off, default=True, help=text)
    group.add_argument("--faces", type=_count, default=4, metavar="N", help="most faces followed (default 4, image 64)")
    group.add_argument("--smooth", type=_share, default=0.5, metavar="0..1", help="0 off, 1 strongest (default 0.5)")
    group.add_argument("--frames", type=_count, metavar="N", help="end after N frames")
    group.add_argument("--seed", type=int, default=7, help="whom the test pattern shows (default 7)")
    group = parser.add_argument_group("what is shown and written")
    group.add_argument("--view", choices=VIEWS, default="removed", help="default removed; video, image, bench: mesh")
    text = "what the 3D face wears: the model's texture, the refined one, or what the camera saw over that (default)"
    group.add_argument("--texture", choices=TEXTURES, default="live", help=text)
    group.add_argument("--landmarks", action=on_off, default=False, help="draw the 68 points")
    text = "show this avatar: a .glb or .vrm with ARKit-named morph targets (default: one of ours)"
    group.add_argument("--avatar", default=DEFAULT_AVATAR, metavar="FILE", help=text)
    text = f"behind the avatar: #rrggbb, {', '.join(BACKGROUNDS)} (default {DEFAULT_BACKGROUND})"
    group.add_argument("--background", type=_background, default=DEFAULT_BACKGROUND, metavar="WHAT", help=text)
    group.add_argument("--mirror", action=on_off, default=False, help="mirror what is shown, never what is measured")
    group.add_argument("--sound", action=on_off, default=True, help="keep the sound track")
    group.add_argument("--csv", type=Path, metavar="FILE", help="write ARKit blendshapes")
    group.add_argument("--mesh", type=Path, metavar="FILE", help="write the face: .glb (animated), .obj or .ply")
    group.add_argument("--mesh-frame", type=int, default=0, metavar="N", help="frame of an .obj or .ply")
    group.add_argument("--renderer", choices=("auto", "gl", "software"), default="auto")
    group = parser.add_argument_group("what a camera is asked for")
    group.add_argument("--size", type=_size, default=(640, 480), metavar="WxH", help="default 640x480")
    group.add_argument("--fps", type=_rate, metavar="RATE")
    return parser


def _send() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("driving avatars")
    where = "PROTOCOL://HOST[:PORT]: vmc, livelink, ifacialmocap or openseeface; may be given several times"
    group.add_argument("--send", action="extend", nargs=1, default=[], metavar="TARGET", help=where)
    return parser


def _avatar(moves: bool) -> argparse.ArgumentParser:
    """moves: a person is followed over time, so that their ranges can be learnt; not so in pictures."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("what avatars get")
    on_off = argparse.BooleanOptionalAction
    group.add_argument("--livelink-csv", type=Path, metavar="FILE", help="record as Live Link Face's CSV does")
    if moves:
        group.add_argument("--adapt", action=on_off, default=True, help="fit each blendshape's range to the person")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number


def _background(text: str) -> str:
    if text not in BACKGROUNDS and not COLOUR.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no background: {', '.join(BACKGROUNDS)} or #rrggbb")
    return text


def _delay(text: str) -> float:
    seconds = float(text) / 1000
    if not 0 <= seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text} ms is not between 0 and {1000 * LONGEST_S:g}")
    return seconds


def _rate(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError(f"{text} frames a second cannot be")
    return number


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)[xX](\d+)", text)
    if not found or not all(16 <= int(side) <= 16384 for side in found.groups()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size like 640x480")
    return int(found[1]), int(found[2])
