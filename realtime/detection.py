"""Running the face detector on a picture of any size: scale to its input, pad, suppress doubles, scale back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import cv2
import numpy as np

from realtime.planes import planes
from realtime.tracking import suppress_doubles

STRIDE = 32  # the network's input sides are multiples of this
WHOLE_SIDE = 256  # at this longer side even a face that fills the picture is of a size that the network was trained on
SEEN_PX = 16  # least longer side of a face's box that the network was trained on
LARGEST_SIDE = 2048  # beyond, a look takes seconds


class Runnable(Protocol):
    """What a stage needs of an engine."""

    def run(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]: ...

    def close(self) -> None: ...


def sides_for(shape: tuple[int, ...], smallest_px: float) -> tuple[int, ...]:
    """Longer sides at which faces from `smallest_px` up to the whole (H, W) picture are seen, each twice the last."""
    finest = min(max(shape[:2]) * SEEN_PX / smallest_px, LARGEST_SIDE)
    sides = [WHOLE_SIDE]
    while sides[-1] < finest:
        sides.append(min(2 * sides[-1], max(WHOLE_SIDE, -int(-finest // STRIDE) * STRIDE)))
    return tuple(sides)


def detect(
    detector: Runnable, image: np.ndarray, longer_side: int, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Faces of an (H, W, 3) uint8 picture seen at `longer_side` pixels -> boxes (N, 4) f32, scores (N,), best first."""
    height, width = image.shape[:2]
    scale = longer_side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    right, below = -size[0] % STRIDE, -size[1] % STRIDE
    padded = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_CONSTANT, value=(127, 127, 127))
    found = detector.run({"image": planes(padded)})
    scores, boxes = np.array(found["scores"])[0], np.array(found["boxes"])[0]
    sure = scores >= threshold
    boxes, scores = boxes[sure], scores[sure]
    # pixel centres at integers: x_frame = (x_small + 0.5) / scale - 0.5
    ratio = np.array([width / size[0], height / size[1]] * 2)
    boxes = ((boxes + 0.5) * ratio - 0.5).astype(np.float32)
    kept = suppress_doubles(boxes, scores)
    return boxes[kept], scores[kept]


def detect_at_scales(
    detector: Runnable, image: np.ndarray, longer_sides: tuple[int, ...], threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """`detect` at several sizes, doubles suppressed: for single pictures, where small and huge faces mix."""
    found = [detect(detector, image, side, threshold) for side in longer_sides]
    boxes, scores = np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])
    kept = suppress_doubles(boxes, scores)
    return boxes[kept], scores[kept]
