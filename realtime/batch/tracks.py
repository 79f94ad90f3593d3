"""What continues where two segments meet: numbers of tracks, and averages. Both saw the second one's warm-up frames."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from realtime.align import box_of
from realtime.batch.pieces import Record
from realtime.face.coefficients import SLICES
from realtime.tracking import overlap

FADE_S = 2.0  # over which the averages of one segment go over into those of the next
AVERAGED = ("identity", "texture", "light")
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


def fade_averages(before: Record, after: Record, first_index: int) -> Record:
    """`after` with averaged coefficients that begin where those of `before` end, and reach their own in FADE_S.

    Tracks are numbered as in `before`. The last frame before `first_index` was seen by both, and tells the difference.
    """
    rows = after.rows.copy()
    last = [record.rows[record.rows["frame"] == first_index - 1] for record in (before, after)]
    for track in np.intersect1d(last[0]["face"], last[1]["face"]):
        theirs, mine = (one[one["face"] == track][0] for one in last)
        ours = (rows["face"] == track) & (rows["frame"] >= first_index)
        weight = np.clip(1 - (rows["time"][ours] - mine["time"]) / FADE_S, 0, 1).astype(np.float32)
        for name in AVERAGED:
            gap = theirs["coefficients"][SLICES[name]] - mine["coefficients"][SLICES[name]]
            rows["coefficients"][ours, SLICES[name]] += weight[:, None] * gap
    return replace(after, rows=rows)
