"""Identity kept: does the recogniser G (`engines/networks/recogniser.py`) still see the same person?

identity_cosine: of G's features of the result and of the clean photograph. identity_jitter_cosine: the same of two
encodings of the clean photograph, each blurred and JPEG-coded at random: the most that can be asked for. identity:
their ratio, picture by picture. identity_worn: the ratio with the glasses left on. identity_stranger: the cosine of two
different photographs' faces over the jitter's: what no likeness at all scores.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from tools.evaluate.removed import Removed
from tools.evaluate.tally import Scores

BLUR_PX, JPEG = (0.3, 1.2), (50, 90)  # of a clean encoding, drawn: sigma in crop pixels, quality
Recognise = Callable[[np.ndarray], np.ndarray]  # (256, 256, 3) uint8 aligned crop -> (128,) features of unit length


class IdentityKept:
    """Notes the figures of every picture. seed: of the encodings."""

    def __init__(self, recognise: Recognise, seed: int = 0):
        self.recognise, self.seed = recognise, seed
        self._last: tuple[int, np.ndarray] | None = None

    def __call__(self, removed: Removed, scores: Scores) -> None:
        clean = removed.sample.clean
        true = self.recognise(clean)
        one, other = (self.recognise(jittered(clean, (self.seed, removed.number, i))) for i in range(2))
        ceiling = float(one @ other)
        kept, worn = (float(self.recognise(crop) @ true) for crop in (removed.result, removed.sample.image))
        scores.note("identity_cosine", kept, **removed.groups)
        scores.note("identity_jitter_cosine", ceiling)
        scores.note("identity", kept / max(ceiling, 1e-3), **removed.groups)
        scores.note("identity_worn", worn / max(ceiling, 1e-3), **removed.groups)
        if self._last is not None and self._last[0] != removed.number:
            scores.note("identity_stranger", float(self._last[1] @ true) / max(ceiling, 1e-3))
        self._last = (removed.number, true)


def jittered(crop: np.ndarray, seed: tuple[int, ...]) -> np.ndarray:
    """(h, w, 3) uint8 as another camera's file might hold it: blurred a little and JPEG-coded."""
    rng = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(crop, (0, 0), rng.uniform(*BLUR_PX))
    code = cv2.imencode(".jpg", soft[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*JPEG))])[1]
    return np.ascontiguousarray(cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1])
