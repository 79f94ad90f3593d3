"""How badly the removal failed on a real photograph, without knowing the truth: six things that an eye would notice.

Each is measured in the aligned crop and put on a scale of its own: 0 is what an ideal result scores on the median, 1
is the most that 95 of 100 ideal results score; `python -m tools.sheets --calibrate` measures both on clean photographs,
with the holes of rendered glasses. The score is the sum of what exceeds 0 in COUNTED, each part capped so that none
hides another. It was held against a person's eyes on 224 photographs, 90 of them marked as failures: it puts a failure
before another photograph in 75 of 100 pairs. Blur, alone 46 in 100, is told but not counted: nearly every fill is
softer than skin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from engines.networks.classes import Region
from realtime.align import STRIP, box_of, transform_points
from realtime.planes import planes
from realtime.stages.delete import DARK_LENS, FRAME, GLARE
from tools.evaluate.landmarks import points_in
from tools.sheets.chain import Shown

PARTS = ("left", "ghost", "seam", "colour", "blur", "moved")
NORMAL: Mapping[str, tuple[float, float]] = {  # of ideal results: median, 95th percentile; see the first lines
    "left": (0, 0.149), "ghost": (0.27, 0.687), "seam": (0.11, 0.512), "colour": (10.6, 17.7),
    "blur": (-0.152, 0.19), "moved": (1.38, 4.92),
}  # fmt: skip
COUNTED = tuple(part for part in PARTS if part != "blur")
MOST = 4.0  # of a part in the sum
BAND_PX, NEAR_PX, FAR_PX = 2, 4, 12  # about the hole's border; where the skin beside it begins and ends
EYES = slice(36, 48)


@dataclass(frozen=True)
class Failure:
    """parts: raw values by name. `scaled` and `score` are in units of what ideal results scatter by."""

    parts: Mapping[str, float]

    @property
    def scaled(self) -> dict[str, float]:
        return {
            name: float(np.clip((self.parts[name] - NORMAL[name][0]) / (NORMAL[name][1] - NORMAL[name][0]), 0, MOST))
            for name in PARTS
        }

    @property
    def score(self) -> float:
        return sum(self.scaled[part] for part in COUNTED)


class FailureScore:
    """Judges results with the deleter and the landmark network (engines with `run`)."""

    def __init__(self, deleter: Any, landmarks: Any):
        self.deleter, self.landmarks = deleter, landmarks

    def __call__(self, shown: Shown) -> Failure:
        assert shown.face.crop_from_frame is not None
        points = transform_points(shown.face.crop_from_frame, shown.face.landmarks)
        return self.judge(shown.before, shown.after, shown.mask, points)

    def judge(self, before: np.ndarray, after: np.ndarray, mask: np.ndarray, points: np.ndarray) -> Failure:
        """before, after: (256, 256, 3) uint8. mask: (256, 256) uint8. points: (68, 2). Parts:

        left: % of the strip in which the deleter still sees frame, dark lens or glare. ghost: share of the glasses'
        edges that is still in the picture inside the hole, by regression. seam: how much steeper the
        picture is across the hole's border than beside it, log ratio. colour: CIELAB distance between the two sides of
        the border. blur: log ratio of fine detail beside the hole to that inside. moved: what the removal moved the
        points of the eyes by, % of the distance of their outer corners.
        """
        strip, hole = after[STRIP], (mask[STRIP] >= 128).astype(np.uint8)
        ghost = ghost_of(before[STRIP], strip, hole)
        parts = {"left": self._left(strip), "ghost": ghost, "moved": self._moved(before, after, points)}
        return Failure(parts | border_parts(strip, hole))

    def _left(self, strip: np.ndarray) -> float:
        found = self.deleter.run({"strip": planes(strip)})
        glasses = np.asarray(found["glasses"])[0]
        # where a dark lens is seen the class map must agree: deep shade looks like one to the probabilities alone
        dark = glasses[DARK_LENS] * (np.asarray(found["labels"])[0] == Region.DARK_LENS)
        return 100 * float((glasses[FRAME] + glasses[GLARE] + dark > 0.5).mean())

    def _moved(self, before: np.ndarray, after: np.ndarray, points: np.ndarray) -> float:
        box = box_of(points)
        moved = points_in(self.landmarks, after, box)[0] - points_in(self.landmarks, before, box)[0]
        span = float(np.linalg.norm(points[36] - points[45]))
        return 100 * float(np.linalg.norm(moved[EYES], axis=1).mean()) / max(span, 1.0)


def ghost_of(before: np.ndarray, after: np.ndarray, hole: np.ndarray) -> float:
    """Slope of the edges after on those before, where everything was repainted; 0 without a hole. (h, w, 3), (h, w)."""
    inside = _depth(hole) > BAND_PX
    then, now = (
        np.stack([cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)])[:, inside]
        for grey in (cv2.GaussianBlur(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), (0, 0), 1.0) for p in (before, after))
    )
    return float((then * now).sum() / max(float((then * then).sum()), 1e-6)) if inside.any() else 0.0


def border_parts(strip: np.ndarray, hole: np.ndarray) -> dict[str, float]:
    """seam, colour, blur of a (h, w, 3) uint8 picture along the border of a (h, w) 0/1 hole; zeros without one."""
    if not hole.any() or hole.all():
        return {"seam": 0.0, "colour": 0.0, "blur": 0.0}
    inward, outward = _depth(hole), _depth(1 - hole)
    beside = (outward > NEAR_PX) & (outward <= FAR_PX)
    lab = cv2.cvtColor(strip.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    across = _slope_across(lab[..., 0], hole)
    band = (inward <= BAND_PX) & (outward <= BAND_PX)
    seam = _log_ratio(across[band], across[beside])
    fine = np.abs(cv2.Laplacian(cv2.GaussianBlur(lab[..., 0], (0, 0), 0.7), cv2.CV_32F))
    blur = _log_ratio(fine[beside], fine[(inward > BAND_PX)]) if (inward > BAND_PX).any() else 0.0
    within = ((inward > 0) & (inward <= FAR_PX)).astype(np.float32)
    return {"seam": seam, "blur": blur, "colour": _colour_gap(lab, within, beside.astype(np.float32))}


def _depth(region: np.ndarray) -> np.ndarray:
    """Pixels to the nearest one outside of a (h, w) 0/1 region; 0 outside."""
    return cv2.distanceTransform(region, cv2.DIST_L2, 3)


def _slope_across(lightness: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """(h, w): the lightness's slope in the direction in which the hole's border is crossed."""
    distance = _depth(1 - hole) - _depth(hole)
    soft = cv2.GaussianBlur(distance, (0, 0), 1.5)
    nx, ny = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    gx, gy = cv2.Sobel(lightness, cv2.CV_32F, 1, 0), cv2.Sobel(lightness, cv2.CV_32F, 0, 1)
    return np.abs(gx * nx + gy * ny) / np.maximum(np.hypot(nx, ny), 1e-3)


def _log_ratio(a: np.ndarray, b: np.ndarray) -> float:
    """Natural logarithm of the ratio of means, as far as noise of half a level cannot make it."""
    if not a.size or not b.size:
        return 0.0
    return float(np.log((a.mean() + 0.5) / (b.mean() + 0.5)))


def _colour_gap(lab: np.ndarray, within: np.ndarray, beside: np.ndarray, sigma: float = 8.0) -> float:
    """Mean CIELAB distance of local means on either side, where both are known."""
    spread = [cv2.GaussianBlur(weight, (0, 0), sigma) for weight in (within, beside)]
    means = [
        cv2.GaussianBlur(lab * weight[..., None], (0, 0), sigma) / np.maximum(blurred, 1e-3)[..., None]
        for weight, blurred in zip((within, beside), spread, strict=True)
    ]
    weight = np.minimum(*spread)
    return float((np.linalg.norm(means[0] - means[1], axis=2) * weight).sum() / max(float(weight.sum()), 1e-6))
