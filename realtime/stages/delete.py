"""delete: what of the glasses must go (the deleter N_de, paper 3.2), which kind they are, and their shadow undone.

Everything in pixels of the aligned crop; the network sees its 128x256 strip.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.networks.classes import Region
from realtime.align import CROP_SIZE, STRIP, STRIP_TOP, aligned_crop, crop_from_landmarks, transform_points
from realtime.detection import Runnable
from realtime.frame import Face, Faces, Frame, Glasses
from realtime.paste import divide
from realtime.planes import planes
from realtime.smoothing import smoothing_factor
from realtime.tracking import TrackStates

FRAME, CLEAR_LENS, DARK_LENS, GLARE = range(4)  # channels of the network's output `glasses`
LEAST_GLASSES_PX = 200  # in the 128x256 strip; of 315 rendered glasses, rimless ones too, one shows fewer
LIT = (Region.SKIN, Region.L_BROW, Region.R_BROW, Region.L_EYE, Region.R_EYE, Region.NOSE, Region.CLEAR_LENS)


@dataclass(frozen=True, slots=True)
class DeleteSettings:
    """grow_px, feather_px: how far the mask reaches beyond what was seen, and how wide its soft edge is, crop pixels.
    grow_eyes_px: the same between the lids: a rim's last traces matter less there than the eye.
    shadow_floor: least ratio that is divided by: below it the sensor has clipped and only noise would grow.
    kind_s: seconds over which the evidence for a kind is averaged. kind_change: evidence that a new kind needs.
    release: share of the last frame's mask that lingers, so that an edge near the threshold does not flicker.
    """

    grow_px: int = 4
    grow_eyes_px: int = 2
    feather_px: int = 2
    shadow_floor: float = 0.35
    kind_s: float = 0.3
    kind_change: float = 0.65
    release: float = 0.6


class GlassesMemory:
    """What is known of one track's glasses: averaged evidence, the kind it settled on, the last mask."""

    def __init__(self) -> None:
        self.evidence: np.ndarray | None = None
        self.kind = Glasses.NONE
        self.time_s = 0.0
        self.seen: np.ndarray | None = None

    def settle(self, kind: np.ndarray, time_s: float, settings: DeleteSettings) -> Glasses:
        """Take in one frame's (3,) probabilities; the kind changes only on lasting evidence (hysteresis)."""
        if self.evidence is None:
            self.evidence, self.kind = np.array(kind, np.float64), Glasses(int(np.argmax(kind)))
        else:
            weight = smoothing_factor(1 / (2 * np.pi * settings.kind_s), max(time_s - self.time_s, 1e-3))
            self.evidence = self.evidence + weight * (kind - self.evidence)
            best = int(np.argmax(self.evidence))
            if self.evidence[best] >= settings.kind_change:
                self.kind = Glasses(best)
        self.time_s = time_s
        return self.kind


class Delete:
    """Fills in the crop, the kind of glasses, the mask to delete, the shadow ratio and the class map of every face.

    The crop comes out with the cast shadow, and the light that lenses add or take, undone. A face without glasses gets
    no mask and no shadow.
    """

    name = "delete"

    def __init__(self, network: Runnable, settings: DeleteSettings | None = None):
        self.network, self.settings = network, settings or DeleteSettings()
        self._memories: TrackStates[GlassesMemory] = TrackStates(GlassesMemory)

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        memories = self._memories.of(frame, faces)
        return frame, tuple(self._parse(frame, face, m) for face, m in zip(faces, memories, strict=True))

    def close(self) -> None:
        pass

    def _parse(self, frame: Frame, face: Face, memory: GlassesMemory) -> Face:
        crop_from_frame = crop_from_landmarks(face.landmarks)
        crop = aligned_crop(frame.image, crop_from_frame)
        found = self.network.run({"strip": planes(crop[STRIP])})
        labels = np.array(found["labels"], np.uint8).reshape(crop[STRIP].shape[:2])
        probabilities = believed_kind(np.reshape(found["kind"], 3), labels)
        kind = memory.settle(probabilities, frame.time_s, self.settings)
        face = face.with_(
            crop_from_frame=crop_from_frame, crop=crop, labels=labels, glasses=kind,
            glasses_confidence=float(memory.evidence[kind]) if memory.evidence is not None else 0.0,
        )  # fmt: skip
        if kind is Glasses.NONE:
            memory.seen = None
            return face
        seen = glasses_probability(np.asarray(found["glasses"])[0], kind)
        if memory.seen is not None:
            seen = np.maximum(seen, self.settings.release * memory.seen)
        memory.seen = seen
        points = transform_points(crop_from_frame, face.landmarks)
        hole = hole_of(seen, points, self.settings)
        ratio = shadow_on_skin(colours_last(np.asarray(found["shadow"])[0]), labels, hole)
        divide(crop[STRIP], ratio, self.settings.shadow_floor)
        mask = np.zeros((CROP_SIZE, CROP_SIZE), np.uint8)
        mask[STRIP] = feather(hole, self.settings.feather_px)
        shadow = np.ones((CROP_SIZE, CROP_SIZE, 3), np.float32)
        shadow[STRIP] = ratio
        return face.with_(mask=mask, shadow=shadow)


def believed_kind(kind: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(3,) probabilities of the kind of glasses and the strip's labels -> the probabilities; none are worn where hardly
    a pixel of a frame or a dark lens is seen, whatever the look of the whole face says."""
    if np.isin(labels, (Region.FRAME, Region.DARK_LENS)).sum() >= LEAST_GLASSES_PX:
        return kind
    return np.array([1.0, 0.0, 0.0], np.float32)


def glasses_probability(glasses: np.ndarray, kind: Glasses) -> np.ndarray:
    """(4, h, w) class probabilities -> (h, w) float32 that a pixel must go: frame, glare, and dark lenses if dark.

    Clear lenses stay: the eyes behind them are real.
    """
    seen = glasses[FRAME] + glasses[GLARE]
    return seen + glasses[DARK_LENS] if kind is Glasses.DARK else seen


def hole_of(seen: np.ndarray, points: np.ndarray, settings: DeleteSettings) -> np.ndarray:
    """(h, w) probabilities that a pixel of the strip must go -> (h, w) uint8 0/255, what is repainted, before its soft
    edge. points: (68, 2) pixels of the whole crop.
    """
    certain = connected(seen)
    hole = grow(certain, settings.grow_px)
    between = between_lids(points, hole.shape)
    hole[between] = grow(certain, settings.grow_eyes_px)[between]
    return hole


def between_lids(points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(h, w) bool, pixels of the strip inside the outlines of both eyes. points: (68, 2) pixels of the whole crop."""
    inside = np.zeros(shape, np.uint8)
    for first in (36, 42):
        outline = points[first : first + 6] - np.array([0, STRIP_TOP], np.float32)
        cv2.fillConvexPoly(inside, cv2.convexHull(np.round(outline).astype(np.int32)), 1)
    return inside > 0


def connected(seen: np.ndarray, sure: float = 0.5, likely: float = 0.35, reach: int = 4) -> np.ndarray:
    """(h, w) probabilities -> bool: sure pixels, and likely ones within `reach` of them; thin rims stay whole."""
    certain = seen > sure
    near = cv2.dilate(certain.astype(np.uint8), _disc(reach)) > 0
    return certain | ((seen > likely) & near)


def grow(seen: np.ndarray, radius: int) -> np.ndarray:
    """(h, w) bool -> (h, w) uint8 0/255, widened by `radius` pixels, specks and pinholes removed first."""
    closed = cv2.morphologyEx(seen.astype(np.uint8) * 255, cv2.MORPH_CLOSE, _disc(1))
    return cv2.dilate(closed, _disc(radius)).astype(np.uint8)


def feather(hole: np.ndarray, radius: int) -> np.ndarray:
    """(h, w) uint8 0/255 -> the same with a soft edge `radius` pixels to either side."""
    return cv2.blur(hole, (2 * radius + 1, 2 * radius + 1)) if radius else hole


def shadow_on_skin(ratio: np.ndarray, labels: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32 ratio, 1 off the face and inside the hole, softened so that no edge of the parsing shows.

    Above 1, where light is taken away, only within lenses: they reflect; nothing lightens bare skin.
    """
    lit, behind = LIT_TABLE[labels] & (hole == 0), labels == Region.CLEAR_LENS
    most = np.where(lit & behind, np.float32(np.inf), np.float32(1))[..., None]
    ratio = np.where(lit[..., None], np.minimum(ratio, most), np.float32(1))
    return cv2.blur(ratio, (3, 3))


def colours_last(shadow: np.ndarray) -> np.ndarray:
    """The network's ratio (3, h, w) -> (h, w, 3) float32."""
    return np.ascontiguousarray(np.moveaxis(np.asarray(shadow, np.float32), 0, -1))


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


LIT_TABLE = np.isin(np.arange(256), [int(region) for region in LIT])
