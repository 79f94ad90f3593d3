"""Eyes kept behind clear lenses: do gaze and lids measure the same on the result as on the clean photograph?

gaze_change: how far the iris seems to have moved (`realtime.iris`); eyelid_change: how much the opening between the
lids changed (the landmark network's points); both over the eye's width. The same with `_worn` for the picture with its
glasses on, and with `_jitter` for the clean photograph blurred and JPEG-coded: what the measurement itself cannot tell.
gaze_kept, eyelid_kept: share of eyes that moved by 3 % of the eye's width at most; means rest on a few lost irises.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from realtime.align import STRIP
from realtime.face.coefficients import Pose, pose
from realtime.frame import Glasses
from realtime.stages.drive import CORNERS, iris_in
from tools.evaluate.identity import jittered
from tools.evaluate.removed import Removed
from tools.evaluate.tally import Scores

SEEN = 0.08  # least strength of an iris on the clean photograph (`realtime.eyes.EyeSettings.first`)
UNCHANGED = 0.03  # of the eye's width
EYES = ((42, 45), (36, 39))  # first and opposite corner of the left and the right eye
Locate = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (256, 256, 3) crop, (68, 2) points near -> (68, 2) points


class EyesKept:
    """Notes the figures of every picture with clear lenses, an eye at a time."""

    def __init__(self, locate: Locate, seed: int = 0):
        self.locate, self.seed = locate, seed

    def __call__(self, removed: Removed, scores: Scores) -> None:
        if removed.sample.kind is not Glasses.CLEAR:
            return
        clean = removed.sample.clean
        versions = {
            "": removed.result, "_worn": removed.sample.image,
            "_jitter": jittered(clean, (self.seed, removed.number, 0)),
        }  # fmt: skip
        head = pose(removed.sample.coefficients)
        widths = [float(np.linalg.norm(removed.points[a] - removed.points[b])) for a, b in EYES]
        irises, lids = iris_places(clean, removed.points, head), lid_openings(self.locate(clean, removed.points))
        for name, crop in versions.items():
            groups = removed.groups if name == "" else {}
            now, opened = iris_places(crop, removed.points, head), lid_openings(self.locate(crop, removed.points))
            for side, width in enumerate(widths):
                change = abs(opened[side] - lids[side]) / width
                scores.note(f"eyelid_change{name}", change, **groups)
                scores.note(f"eyelid_kept{name}", float(change <= UNCHANGED))
                (strength, before), (_, after) = irises[side], now[side]
                if strength >= SEEN:
                    moved = float(np.linalg.norm(after - before))
                    scores.note(f"gaze_change{name}", moved / width, **groups)
                    scores.note(f"gaze_kept{name}", float(moved / width <= UNCHANGED))


def iris_places(crop: np.ndarray, points: np.ndarray, head: Pose) -> list[tuple[float, np.ndarray]]:
    """Strength and (2,) place of the left and the right iris in a (256, 256, 3) crop, crop pixels."""
    grey = cv2.cvtColor(crop[STRIP], cv2.COLOR_RGB2GRAY)
    found = [iris_in(grey, centre, head) for centre in points[CORNERS].mean(1)]
    return [(iris.strength, place) for _, iris, place in found]


def lid_openings(points: np.ndarray) -> tuple[float, float]:
    """Pixels between upper and lower lid of the left and the right eye, (68, 2) points."""
    left, right = (
        float(np.mean([np.linalg.norm(points[k + 1] - points[k + 5]), np.linalg.norm(points[k + 2] - points[k + 4])]))
        for k in (42, 36)
    )
    return left, right
