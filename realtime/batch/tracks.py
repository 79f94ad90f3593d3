"""The same face keeps its number where two segments meet: both have seen the frames of the second one's warm-up."""

from __future__ import annotations

from collections import Counter

import numpy as np

from realtime.align import box_of
from realtime.batch.pieces import Record
from realtime.tracking import overlap

SAME = 0.5  # least overlap of the boxes of one face, seen in one frame by two runs


def join_numbers(before: Record | None, after: Record, unused: int) -> tuple[dict[int, int], int]:
    """What to call the tracks of `after`, and the next unused number.

    before: the segment before, already renumbered. A track of `after` gets the number of the track of `before` that it
    shares most frames with; the others get unused numbers, in their order.
    """
    votes = Counter(_pairs(before, after)) if before is not None else Counter()
    numbers: dict[int, int] = {}
    for (mine, theirs), _ in sorted(votes.items(), key=lambda vote: (-vote[1], vote[0])):
        if mine not in numbers and theirs not in numbers.values():
            numbers[mine] = theirs
    for track in sorted({*map(int, after.rows["face"]), *after.textures}):
        if track not in numbers:
            numbers[track] = unused
            unused += 1
    return numbers, unused


def _pairs(before: Record, after: Record) -> list[tuple[int, int]]:
    """(track of `after`, track of `before`) for every frame in which both saw the face."""
    pairs = []
    for index in np.intersect1d(before.rows["frame"], after.rows["frame"]):
        theirs, mine = (record.rows[record.rows["frame"] == index] for record in (before, after))
        shared = overlap(*(np.stack([box_of(points) for points in rows["landmarks"]]) for rows in (mine, theirs)))
        for row, column in zip(range(len(mine)), shared.argmax(1), strict=True):
            if shared[row, column] >= SAME:
                pairs.append((int(mine["face"][row]), int(theirs["face"][column])))
    return pairs
