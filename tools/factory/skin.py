"""Which pixels of a photograph look like the skin of its face: hair, fringes and hats over the mesh do not."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tools.factory.head import HeadMaps


@dataclass(frozen=True)
class SkinTone:
    """mean (3,), inverse covariance (3, 3) of Lab values, and where (h, w) bool the skin was sampled."""

    mean: np.ndarray
    inverse: np.ndarray
    where: np.ndarray


def skin_tone(photo: np.ndarray, maps: HeadMaps) -> SkinTone:
    """Robust colour of the skin where the mesh faces the camera in the lower face (cheeks, nose)."""
    where = (maps.triangle >= 0) & (maps.normals[..., 2] > 0.35)
    rows = np.arange(photo.shape[0])[:, None]
    where &= (rows > photo.shape[0] * 0.44) & (rows < photo.shape[0] * 0.64)
    lab = _lab(photo)[where]
    if len(lab) < 50:
        return SkinTone(np.array([150.0, 140, 145]), np.diag([1 / 900, 1 / 64, 1 / 64]), where)
    middle = np.median(lab, axis=0)
    near = lab[np.abs(lab - middle).sum(1) < np.quantile(np.abs(lab - middle).sum(1), 0.8)]
    covariance = np.cov(near.T) + np.diag([180.0, 16, 16])
    return SkinTone(near.mean(0), np.linalg.inv(covariance), where)


def skin_likeness(photo: np.ndarray, tone: SkinTone) -> np.ndarray:
    """(h, w) float32, 1 like the skin .. 0 unlike it, smoothed so that pores and lashes do not count."""
    smooth = cv2.GaussianBlur(_lab(photo), (0, 0), 1.5) - tone.mean.astype(np.float32)
    root = np.linalg.cholesky(tone.inverse).astype(np.float32)  # distance^2 = |x root|^2
    distance = np.square(cv2.transform(smooth, root.T)).sum(2)
    return np.clip((14.0 - distance) / 8.0, 0, 1).astype(np.float32)


def _lab(photo: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(photo, cv2.COLOR_RGB2LAB).astype(np.float32)
