"""T_final, the fine texture of a face (paper 3.3): made by the refiner, anew only when the texture has changed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import cv2
import numpy as np

from realtime.detection import Runnable
from realtime.face.model import FaceModel
from realtime.face.regions import REFINED
from realtime.planes import planes

INPUT_SIZE = 128  # side of the crop that the refiner sees


@dataclass(frozen=True, slots=True)
class Evidence:
    """What T_final is made from. texture: (V, 3) float32, the 3DMM's albedo; seen: (V, 4) float32, `LiveTexture`'s at
    the vertices; crop: (256, 256, 3) uint8, the aligned crop without glasses.
    """

    texture: np.ndarray
    seen: np.ndarray
    crop: np.ndarray


class FineTexture:
    """One track's T_final. `colours`: (V, 3) float32 RGB 0..1, None until there is one.

    executor: makes it beside the loop; None makes it at once. least_change: mean change of the evidence, 0..1 of full
    scale over the refined vertices, that calls for a new one.
    """

    def __init__(
        self, model: FaceModel, network: Runnable, executor: Executor | None = None, least_change: float = 0.015
    ):
        self.network, self.executor, self.least_change = network, executor, least_change
        self.colours: np.ndarray | None = None
        self._refined = np.flatnonzero(np.isin(model.regions, REFINED))
        self._made_from: np.ndarray | None = None
        self._coming: Future[np.ndarray] | None = None

    def renew(self, look: Callable[[], Evidence]) -> None:
        """Take in what has been finished, and start a new one when the texture has changed enough since the last."""
        if self._coming is not None:
            if not self._coming.done():
                return
            self.colours, self._coming = self._coming.result(), None
        evidence = look()
        now = self._summary(evidence)
        if self._made_from is not None and np.abs(now - self._made_from).mean() < self.least_change:
            return
        self._made_from = now
        if self.executor is None:
            self.colours = self._make(evidence)
        else:
            self._coming = self.executor.submit(self._make, evidence)

    def _summary(self, evidence: Evidence) -> np.ndarray:
        """(V0, 7) float32: the 3DMM's albedo, what was seen as far as it was seen, and how well."""
        shown = evidence.seen[self._refined]
        return np.column_stack([evidence.texture[self._refined], shown[:, :3] * shown[:, 3:], shown[:, 3]])

    def _make(self, evidence: Evidence) -> np.ndarray:
        small = cv2.resize(evidence.crop, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA)
        inputs = {
            "texture": np.ascontiguousarray(evidence.texture[None], np.float32),
            "seen": np.ascontiguousarray(evidence.seen[None], np.float32),
            "crop": planes(small),
        }
        return np.array(self.network.run(inputs)["texture_final"], np.float32)[0]
