"""JPEG in and out. Pictures are (H, W, 3) uint8 RGB; what comes in may be anything and is measured before decoding."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.page.wire import LARGEST_SIDE, SMALLEST_SIDE, WireError

QUALITY = 88
SEQUENTIAL = frozenset({0xC0, 0xC1})  # what cameras and canvases make
OTHER_KINDS = frozenset(range(0xC2, 0xD0)) - {0xC4, 0xC8, 0xCC}  # progressive ones may hide hours of work in 1 MiB
LONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length


def decode(jpeg: memoryview | bytes) -> np.ndarray:
    """Raises WireError for what is no JPEG, is damaged, or has sides beyond the limits."""
    width, height = jpeg_size(jpeg)
    check_size(width, height)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flags)
    except cv2.error as why:
        raise WireError("a JPEG that cannot be decoded") from why
    if picture is None or picture.shape != (height, width, 3):
        raise WireError("a JPEG that cannot be decoded")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def encode(picture: np.ndarray) -> bytes:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def check_size(width: int, height: int) -> None:
    """Raises WireError, naming the limits."""
    if not SMALLEST_SIDE <= min(width, height) <= max(width, height) <= LARGEST_SIDE:
        raise WireError(f"a picture of {width}x{height}; sides must be {SMALLEST_SIDE} to {LARGEST_SIDE} pixels")


def jpeg_size(jpeg: memoryview | bytes) -> tuple[int, int]:
    """(width, height) as the header says, without decoding: a few bytes may claim gigabytes. Raises WireError."""
    if len(jpeg) < 4 or bytes(jpeg[:2]) != b"\xff\xd8":
        raise WireError("a picture that is no JPEG")
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker in OTHER_KINDS:
            raise WireError("a progressive or otherwise unusual JPEG; send a baseline one")
        if marker in SEQUENTIAL:
            return int.from_bytes(jpeg[at + 7 : at + 9], "big"), int.from_bytes(jpeg[at + 5 : at + 7], "big")
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in LONE:
            at += 2
        else:
            at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    raise WireError("a JPEG without a size")
