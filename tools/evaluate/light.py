"""What glasses did to the light of a picture, with and without undoing it: cast shadow, tint, glare, eyes behind glass.

Figures are PSNR in dB against the clean photograph over the pixels concerned; the same name with `_worn` is the picture
as it was, glasses on. lens_error: of the log of how much smaller eyes look through clear lenses; `_worn`: when left so.
"""

from __future__ import annotations

import numpy as np

from engines.networks.classes import Region
from realtime.align import STRIP, STRIP_TOP
from realtime.frame import Glasses
from tools.evaluate.groups import eye_region
from tools.evaluate.removed import Removed
from tools.evaluate.tally import Scores

SHADED = 0.05  # a shadow counts from this loss of light on
TINTED = 0.95  # a lens is tinted when its median pixel keeps less of the light's display value than this


def shaded_skin(labels: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """(h, w) bool: skin in a shadow, beside the glasses."""
    return (ratio < 1 - SHADED) & (labels < Region.FRAME) & (labels != Region.BACKGROUND)


def judge_light(removed: Removed, scores: Scores) -> None:
    """psnr_shadow: true shadows on skin beside the repainted. psnr_eyes, psnr_tint: behind clear lenses what was not
    repainted, both eyes, and the whole lens where it is tinted. psnr_glare: reflections that hide what is behind."""
    truth, worn, result = removed.strips()
    labels, ratio, sample = removed.sample.labels[STRIP], removed.sample.shadow[STRIP], removed.sample
    kept = removed.hole == 0

    def with_and_without(figure: str, made: np.ndarray, where: np.ndarray) -> None:
        scores.compare(figure, truth, made, where, **removed.groups)
        scores.compare(f"{figure}_worn", truth, worn, where)

    with_and_without("psnr_shadow", removed.lifted, shaded_skin(labels, ratio) & kept)
    if sample.kind is not Glasses.CLEAR:
        return
    if "scale" in removed.found:
        true = np.log(sample.lens_scale)
        scores.note("lens_error", float(abs(np.log(removed.found["scale"]) - true)))
        scores.note("lens_error_worn", float(abs(true)))
    lens = labels == Region.CLEAR_LENS
    eyes = eye_region(removed.points - (0, STRIP_TOP), truth.shape)
    with_and_without("psnr_eyes", removed.lifted, eyes & lens & kept)
    with_and_without("psnr_glare", result, labels == Region.GLARE)
    if lens.any() and tint_of(truth, worn, lens) < TINTED:
        with_and_without("psnr_tint", removed.lifted, lens & kept)


def tint_of(truth: np.ndarray, worn: np.ndarray, lens: np.ndarray) -> float:
    """Median share of the display value that a lens lets through."""
    return float(np.median(worn[lens].astype(np.float32) / np.maximum(truth[lens], 8)))
