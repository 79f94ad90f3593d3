"""The one currency of the program: a picture in time (`Frame`) and the faces seen in it (`Face`).

Images are uint8 RGB, x right, y down, pixel centres at integers. "Left" is the subject's left.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from realtime.face.drive import Drive
    from realtime.lenses import Lens


class Glasses(IntEnum):
    """What a face wears. UNSURE never reaches a sink: hysteresis resolves it to the last sure answer."""

    NONE = 0
    CLEAR = 1
    DARK = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    image: (H, W, 3) uint8 RGB, upright (display rotation already applied).
    index: position in its source, from 0.
    pts, time_base: as in the container; `time_s` is their product. Live sources count in their own time base.
    source_size: (width, height) of the source before any scaling of ours.
    cut: True when a source or stage has noticed that this picture does not continue the one before.
    original: (H, W, 3) uint8 RGB as captured, once a stage has put a changed picture into `image`; None before.
    """

    image: np.ndarray
    index: int
    pts: int = 0
    time_base: Fraction = Fraction(1, 30)
    source_size: tuple[int, int] = (0, 0)
    cut: bool = False
    original: np.ndarray | None = None

    @property
    def time_s(self) -> float:
        return float(self.pts * self.time_base)

    def with_(self, **changes: Any) -> Frame:
        return replace(self, **changes)


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One tracked face in one frame.

    track: number that stays with a person while tracked.
    box: (4,) float32 x0, y0, x1, y1 in frame pixels, around the 68 points.
    landmarks: (68, 2) float32 frame pixels, iBUG order.
    confidence: 0..1, that this is a face (landmark network).
    glasses, glasses_confidence: what is worn and how sure that is (0..1).
    crop_from_frame: (2, 3) float64, similarity that maps frame pixels to the aligned 256x256 crop (`realtime.align`).
    crop: (256, 256, 3) uint8 RGB aligned crop; without glasses once `generate` has run.
    mask: (256, 256) uint8, what `delete` wants gone in the crop, 0 keep .. 255 delete, feathered.
    shadow: (256, 256, 3) float32 light with glasses / without in the crop: below 1 in shadows, above 1 in reflections.
    labels: (128, 256) uint8 class map M of the strip (`engines.networks.classes`).
    lenses: clear lenses whose power `unbend` has undone in crop, mask and landmarks.
    remembered: (128, 256) uint8, share of each pixel of the strip that was seen earlier rather than invented; None
        where nothing was.
    coefficients: (239,) float32, frame pixels, see `realtime.face.coefficients`; None before `regress`.
    texture: (T, T, 4) uint8 RGBA live texture in the UV atlas; alpha 0 where nothing was ever seen; None before
        `refine`.
    drive: what moves an avatar; None before `drive`.
    timings_s: seconds that per-face steps took, by name.
    """

    track: int
    box: np.ndarray
    landmarks: np.ndarray
    confidence: float = 1.0
    glasses: Glasses = Glasses.NONE
    glasses_confidence: float = 0.0
    crop_from_frame: np.ndarray | None = None
    crop: np.ndarray | None = None
    mask: np.ndarray | None = None
    shadow: np.ndarray | None = None
    labels: np.ndarray | None = None
    lenses: tuple[Lens, ...] = ()
    remembered: np.ndarray | None = None
    coefficients: np.ndarray | None = None
    texture: np.ndarray | None = None
    drive: Drive | None = None
    timings_s: dict[str, float] = field(default_factory=dict)

    def with_(self, **changes: Any) -> Face:
        return replace(self, **changes)


Faces = tuple[Face, ...]
