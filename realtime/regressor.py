"""The regressor N_r and beside it G, the recogniser whose features tell it whose face it sees (paper 3.3)."""

from __future__ import annotations

import cv2
import numpy as np

from realtime.detection import Runnable
from realtime.planes import planes

INPUT_SIZE = 128


class Regressor:
    """network: N_r, takes crop and features, gives coefficients. recogniser: G, takes crop, gives features."""

    def __init__(self, network: Runnable, recogniser: Runnable):
        self.network, self.recogniser = network, recogniser

    def __call__(self, crop: np.ndarray) -> np.ndarray:
        """(256, 256, 3) uint8 RGB crop -> (239,) float32 coefficients, pose in its pixels, from this look alone."""
        return self.coefficients(crop, self.features(crop))

    def features(self, crop: np.ndarray) -> np.ndarray:
        """(256, 256, 3) uint8 RGB crop -> (128,) float32 of unit length: whose face it is."""
        return np.array(self.recogniser.run({"crop": planes(shrunk(crop))})["features"], np.float32).reshape(-1)

    def coefficients(self, crop: np.ndarray, features: np.ndarray) -> np.ndarray:
        """(256, 256, 3) uint8 RGB crop, (128,) features of the same person, out of any crops -> (239,) float32."""
        inputs = {"crop": planes(shrunk(crop)), "features": np.asarray(features, np.float32)[None]}
        return np.array(self.network.run(inputs)["coefficients"], np.float32).reshape(-1)


def shrunk(crop: np.ndarray) -> np.ndarray:
    """(256, 256, 3) crop -> (128, 128, 3), the input of both networks."""
    return cv2.resize(crop, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA)


def direction(features: np.ndarray) -> np.ndarray:
    """(128,) or (N, 128) features of one person -> (128,) float32, their mean at unit length."""
    mean = np.atleast_2d(features).mean(axis=0)
    return (mean / max(float(np.linalg.norm(mean)), 1e-6)).astype(np.float32)
