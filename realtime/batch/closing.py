"""Sinks that are closed whatever happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from realtime.sinks.base import Sink


@contextmanager
def closing(sinks: Sequence[Sink]) -> Iterator[Sequence[Sink]]:
    """Closes them all, whatever happens; raises the first closing error where there was none before."""
    problems: list[Exception] = []
    try:
        yield sinks
    except BaseException:
        _close_all(sinks)
        raise
    problems += _close_all(sinks)
    if problems:
        raise problems[0]


def _close_all(sinks: Sequence[Sink]) -> list[Exception]:
    problems: list[Exception] = []
    for sink in sinks:
        try:
            sink.close()
        except Exception as error:
            problems.append(error)
    return problems
