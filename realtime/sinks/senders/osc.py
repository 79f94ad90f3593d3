"""Open Sound Control 1.0: messages and bundles as bytes. Everything big-endian, padded to four bytes."""

from __future__ import annotations

import struct
from collections.abc import Sequence

IMMEDIATELY = struct.pack(">Q", 1)  # the time tag that asks for no delay


def message(address: str, *arguments: str | float | int) -> bytes:
    """One message. str -> s, int -> i, float -> f; raises TypeError for anything else."""
    tags, values = ",", b""
    for argument in arguments:
        if isinstance(argument, str):
            tags, values = tags + "s", values + _padded(argument)
        elif isinstance(argument, int) and not isinstance(argument, bool):
            tags, values = tags + "i", values + struct.pack(">i", argument)
        elif isinstance(argument, float):
            tags, values = tags + "f", values + struct.pack(">f", argument)
        else:
            raise TypeError(f"OSC has no type for {argument!r}")
    return _padded(address) + _padded(tags) + values


def bundles(messages: Sequence[bytes], most_bytes: int = 1400) -> list[bytes]:
    """The messages in order, in as few bundles as fit a network packet each."""
    made: list[bytes] = []
    now = b""
    for one in messages:
        element = struct.pack(">i", len(one)) + one
        if now and len(now) + len(element) > most_bytes:
            made.append(now)
            now = b""
        now = (now or b"#bundle\0" + IMMEDIATELY) + element
    return [*made, now] if now else made


def _padded(text: str) -> bytes:
    data = text.encode() + b"\0"
    return data + b"\0" * (-len(data) % 4)
