"""What the camera has seen of a face's skin, kept in the UV atlas: whatever was once in view need not be invented.

The mesh follows the skin to a pixel or two only, and light changes as a head turns. So the memory is laid over the skin
that is in view around the hole, moved and relit until both agree, before it is used or added to. Pictures are strips of
the aligned crop, (128, 256); smooth quantities (fields) have a quarter of that resolution, (32, 64).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from realtime.registration import local_shift, spread
from realtime.skin_atlas import SkinAtlas
from realtime.skin_patch import HALF, SMALL, SkinPatch, SkinView

LUMA = np.array([0.3, 0.55, 0.15], np.float32)
FIELD = SMALL[0] // 2, SMALL[1] // 2
AS_IT_IS = np.dstack([np.zeros((*FIELD, 3), np.float32), np.ones(FIELD, np.float32)])  # the light of a first look
COLUMNS, ROWS = np.meshgrid(np.arange(SMALL[1], dtype=np.float32), np.arange(SMALL[0], dtype=np.float32))


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """window_px, light_px: how far shift and light are taken to be alike, strip pixels.

    bare: of `bare_skin`, from which skin decides about shift and light.
    agree: grey levels between memory and skin beside a hole at which the memory is half believed.
    linger: share of the last frame's belief that stays, against flicker.
    every: frames between looks. farthest_px: what a mesh may be off; beyond, the memory is wrong.
    """

    window_px: float = 12.0
    light_px: float = 7.0
    bare: int = 180
    agree: float = 10.0
    linger: float = 0.6
    every: int = 3
    farthest_px: float = 5.0


class SkinMemory:
    """One track's memory."""

    def __init__(self, patch: SkinPatch, settings: MemorySettings | None = None):
        self.patch, self.settings = patch, settings or MemorySettings()
        self.atlas = SkinAtlas(patch)
        self.shift = np.zeros((*FIELD, 2), np.float32)  # pixels of the strip from the mesh's place to the skin's
        self.trust = np.zeros(FIELD, np.float32)
        self.age = 0

    def look(
        self, strip: np.ndarray, bare: np.ndarray, hole: np.ndarray | None, view: SkinView
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Take in a strip, and give back what is remembered of its hole in today's light.

        strip: (128, 256, 3) uint8. bare: (128, 256) uint8, 0..255 how surely bare skin is seen. hole: (128, 256) uint8,
        not 0 where skin is wanted. Returns colours (128, 256, 3) uint8 and (128, 256) float32 0..1 how far to believe
        each; None where nothing is wanted or known.
        """
        if self.atlas.empty:
            self.atlas.take(strip, bare, view, self.shift, AS_IT_IS)
            return None
        small = cv2.resize(strip, SMALL[::-1], interpolation=cv2.INTER_AREA)
        colour, sure = self.atlas.recall(self._moved(view))
        beside = cv2.resize(bare, SMALL[::-1], interpolation=cv2.INTER_AREA) > self.settings.bare
        both = (beside & (sure > 0.75)).astype(np.float32)
        self._register(small, colour, both)
        light, trust = self._compare(small, colour, both)
        self.trust += np.float32(1 - self.settings.linger) * (trust - self.trust)
        light = np.dstack([light, self.trust])
        if self.age % self.settings.every == 0 or hole is None:
            self.atlas.take(strip, bare, view, self.shift, light)
        self.age += 1
        if hole is None:
            return None
        fields = cv2.resize(light, strip.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return self.atlas.fill(strip, hole, self._moved(view), fields)

    def _moved(self, view: SkinView) -> np.ndarray:
        """(64, 128, 3): the texels of a view, moved from where the mesh is to where the skin is."""
        shift = cv2.resize(self.shift, SMALL[::-1], interpolation=cv2.INTER_LINEAR) / HALF
        return cv2.remap(view.texels, COLUMNS + shift[..., 0], ROWS + shift[..., 1], cv2.INTER_LINEAR)

    def _register(self, small: np.ndarray, colour: np.ndarray, both: np.ndarray) -> None:
        """Improve `shift` by one step; from frame to frame it changes little. All at half resolution."""
        step = local_shift(colour @ LUMA, small @ LUMA, both, self.settings.window_px / HALF)
        limit = self.settings.farthest_px
        self.shift = np.clip(np.float32(0.9) * self.shift + HALF * step, -limit, limit)

    def _compare(self, small: np.ndarray, colour: np.ndarray, both: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Light (32, 64, 3) that the memory lacks, grey levels, and how far to believe it (32, 64), 0..1.

        small, colour: (64, 128, 3), seen and remembered. both: (64, 128) float32, 1 where both are known.
        """
        gap = cv2.subtract(small, colour, dtype=cv2.CV_32F) * both[..., None]
        near = spread(np.dstack([gap, both]), self.settings.light_px / HALF)
        weight = near[..., 3]
        known = np.minimum(weight / 0.05, 1)
        light = near[..., :3] * (known / np.maximum(weight, 1e-3))[..., None]
        rest = gap - cv2.resize(light, SMALL[::-1], interpolation=cv2.INTER_LINEAR) * both[..., None]
        error = spread((rest * rest).mean(2), self.settings.light_px / HALF) / np.maximum(weight, 1e-3)
        return light, known / (1 + (error / self.settings.agree**2) ** 2)
