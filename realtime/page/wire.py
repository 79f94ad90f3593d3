"""What page and server say to each other: binary frames and results, JSON texts. Little-endian; nothing is trusted.

frame, page -> server: kind 1, version 1, 0, sequence u32, capture time f64 (milliseconds on the page's clock), JPEG.
taken, server -> page: kind 3, version 1, 0, sequence u32: the work on this frame has begun, the next may be sent.
result, server -> page: kind 2, version 1, 0, sequence u32, length of the JSON u32, JSON (UTF-8), JPEG.
texts: {"kind": ...}; page -> server "wishes"; server -> page "hello", "result" (WebRTC only) and "error".
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.coefficients import pose
from realtime.face.drive import shapes_of
from realtime.frame import Face, Faces
from realtime.options import VIEWS

VERSION = 1
FRAME, RESULT, TAKEN = 1, 2, 3
FRAME_HEADER, RESULT_HEADER, TAKEN_HEADER = struct.Struct("<BBHId"), struct.Struct("<BBHII"), struct.Struct("<BBHI")
LARGEST_MESSAGE = 2 * 1024 * 1024  # bytes: a JPEG of 1920x1080 at quality 0.95 stays below
LARGEST_TEXT = 4096
LARGEST_SIDE, SMALLEST_SIDE = 1920, 64  # pixels of a picture


class WireError(Exception):
    """What arrived is not what page and server have agreed on; the message goes back to who sent it."""


@dataclass(frozen=True, slots=True)
class IncomingFrame:
    """captured_s: on the page's clock. jpeg: not decoded yet, anything may be in it."""

    sequence: int
    captured_s: float
    jpeg: memoryview


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a visitor has set. calibrations: how often the resting face was asked for."""

    view: str = "removed"
    remove: bool = True
    landmarks: bool = False
    smooth: float = 0.5
    calibrations: int = 0


def read_frame(message: bytes) -> IncomingFrame:
    """Raises WireError."""
    if len(message) <= FRAME_HEADER.size:
        raise WireError(f"a frame of {len(message)} bytes is too short")
    kind, version, _, sequence, captured_ms = FRAME_HEADER.unpack_from(message)
    if (kind, version) != (FRAME, VERSION):
        raise WireError(f"a message of kind {kind}, version {version}; expected {FRAME}, {VERSION}: reload the page")
    if not math.isfinite(captured_ms) or abs(captured_ms) > 1e15:
        raise WireError("a frame whose capture time is no time")
    return IncomingFrame(sequence, captured_ms / 1000, memoryview(message)[FRAME_HEADER.size :])


def pack_frame(sequence: int, captured_ms: float, jpeg: bytes) -> bytes:
    """What the page sends; for clients in Python."""
    return FRAME_HEADER.pack(FRAME, VERSION, 0, sequence, captured_ms) + jpeg


def pack_taken(sequence: int) -> bytes:
    return TAKEN_HEADER.pack(TAKEN, VERSION, 0, sequence)


def pack_result(sequence: int, report: Mapping[str, Any], jpeg: bytes) -> bytes:
    text = json.dumps(report, separators=(",", ":")).encode()
    return RESULT_HEADER.pack(RESULT, VERSION, 0, sequence, len(text)) + text + jpeg


def read_result(message: bytes) -> tuple[int, dict[str, Any], bytes]:
    """(sequence, report, JPEG); for clients in Python. Raises WireError."""
    kind, version, _, sequence, length = RESULT_HEADER.unpack_from(message)
    if (kind, version) != (RESULT, VERSION):
        raise WireError(f"kind {kind}, version {version} is no result")
    end = RESULT_HEADER.size + length
    return sequence, json.loads(message[RESULT_HEADER.size : end]), message[end:]


def read_wishes(text: str, before: Wishes) -> Wishes:
    """`before` with what a text changes. Raises WireError for anything else than known names with fit values."""
    if len(text) > LARGEST_TEXT:
        raise WireError(f"a text of {len(text)} characters; {LARGEST_TEXT} is the most")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as why:
        raise WireError("a text that is no JSON") from why
    if not isinstance(said, dict) or said.pop("kind", None) != "wishes":
        raise WireError('a text of an unknown kind; expected {"kind": "wishes", ...}')
    calibrate = said.pop("calibrate", False) is True
    for name, value in said.items():
        if name not in CHECKS or not CHECKS[name](value):
            raise WireError(f"{name[:40]!r} cannot be {str(value)[:40]!r}")
    return replace(before, **said, calibrations=before.calibrations + calibrate)


CHECKS = {
    "view": lambda value: isinstance(value, str) and value in VIEWS,
    "remove": lambda value: isinstance(value, bool),
    "landmarks": lambda value: isinstance(value, bool),
    "smooth": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1,
}
assert CHECKS.keys() == {field.name for field in fields(Wishes)} - {"calibrations"}


def describe_faces(faces: Faces) -> list[dict[str, Any]]:
    """What the page tells of each face; `shapes` are the weights of `ARKIT_NAMES`, in their order."""
    return [_describe(face) for face in faces]


def _describe(face: Face) -> dict[str, Any]:
    told: dict[str, Any] = {
        "track": face.track,
        "box": _rounded(face.box, 1),
        "glasses": face.glasses.name.lower(),
        "sure": round(face.glasses_confidence, 2),
    }
    if face.coefficients is not None:
        placed, weights = pose(face.coefficients), shapes_of(face) or {}
        told["pose"] = _rounded(np.degrees([placed.pitch, placed.yaw, placed.roll]), 1)
        told["shapes"] = _rounded([weights[name] for name in ARKIT_NAMES], 3)
    return told


def _rounded(values: Sequence[float] | np.ndarray, digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]
