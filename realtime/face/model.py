"""The morphable face: S = mean + identity . alpha + expression . beta (eq. 6), albedo likewise. Millimetres.

Axes: x to the subject's left, y up, z towards the camera; origin between the eyeballs of the mean head. Head size is in
the pose's scale, not in the identity. Built by `python -m tools.build_face`; the licence of the source is in MODELS.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

import numpy as np

from realtime.face.asset import unpack
from realtime.face.camera import project
from realtime.face.coefficients import SLICES, Pose, pose
from realtime.face.landmarks import choose_contour

Resolution = Literal["live", "full"]
EYEBALL_MM = 17.5  # from the centre about which the model's eyes turn to their pupils
SHAPE = slice(SLICES["identity"].start, SLICES["expression"].stop)


@dataclass(frozen=True, eq=False)
class FaceModel:
    """One resolution of the morphable face. Both share their coefficients; live vertices come first in full.

    mean: (V, 3) float32 mm. shape: (144, 3V) float32, identity above expression; weights of identity are standard
    normal, of ARKit expressions 0..1. expression_names: (64,), ARKit's 52 first. albedo_mean: (V, 3) float32 0..1 RGB,
    albedo: (80, 3V) float32, weights standard normal; albedo times shade is a display value.
    triangles: (F, 3) int32, counter-clockwise from outside. uv: (V, 2) float32, u to the subject's left, v down.
    regions: (V,) uint8 `regions.FaceRegion`. landmarks: (68,) vertex numbers; contour: (17, C) sliding jaw points.
    eyes: (2,) vertex numbers of the left and the right pupil. For sampling, mean and a symmetric root of the covariance
    of expressions (64,), (64, 64) and lights (9,), (9, 9) fitted to photographs: mean + spread @ standard normal.
    """

    mean: np.ndarray
    shape: np.ndarray
    expression_names: tuple[str, ...]
    albedo_mean: np.ndarray
    albedo: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    regions: np.ndarray
    landmarks: np.ndarray
    contour: np.ndarray
    eyes: np.ndarray
    expression_mean: np.ndarray
    expression_spread: np.ndarray
    light_mean: np.ndarray
    light_spread: np.ndarray
    landmark_mean: np.ndarray  # (68 + 17 C, 3), the vertices that `landmarks_of` needs
    landmark_shape: np.ndarray  # (144, 3 (68 + 17 C))

    @property
    def identity(self) -> np.ndarray:
        """(80, 3V) float32 mm."""
        return self.shape[SLICES["identity"]]

    @property
    def expression(self) -> np.ndarray:
        """(64, 3V) float32 mm."""
        return self.shape[SLICES["expression"]]

    def vertices(self, coefficients: np.ndarray) -> np.ndarray:
        """(239,) -> (V, 3) float32 mm, before the pose."""
        return self.mean + (coefficients[SHAPE].astype(np.float32) @ self.shape).reshape(-1, 3)

    def albedo_of(self, coefficients: np.ndarray) -> np.ndarray:
        """(239,) -> (V, 3) float32 RGB 0..1."""
        offsets = (coefficients[SLICES["texture"]].astype(np.float32) @ self.albedo).reshape(-1, 3)
        return np.clip(self.albedo_mean + offsets, 0, 1)

    def eyeballs_of(self, coefficients: np.ndarray) -> np.ndarray:
        """(239,) -> (2, 3) float32 mm, before the pose: centres of the left and the right eyeball."""
        identity = coefficients[SLICES["identity"]].astype(np.float32)
        offsets = identity @ self.identity.reshape(80, -1, 3)[:, self.eyes].reshape(80, -1)
        return self.mean[self.eyes] + offsets.reshape(2, 3) - np.array([0, 0, EYEBALL_MM], np.float32)

    def landmarks_of(self, coefficients: np.ndarray) -> np.ndarray:
        """(239,) -> (68, 2) float32 pixels; the jaw's points slide to the outline of a turned head."""
        seen_at = pose(coefficients)
        offsets = (coefficients[SHAPE].astype(np.float32) @ self.landmark_shape).reshape(-1, 3)
        points, rows = self._split(project(self.landmark_mean + offsets, seen_at))
        points[:17] = np.take_along_axis(rows, self._outline(rows, seen_at)[:, None, None], axis=1)[:, 0]
        return points[:, :2]

    def landmark_vertices(self, coefficients: np.ndarray) -> np.ndarray:
        """(239,) -> (68,) vertex numbers that `landmarks_of` shows."""
        seen_at = pose(coefficients)
        offsets = (coefficients[SHAPE].astype(np.float32) @ self.landmark_shape).reshape(-1, 3)
        _, rows = self._split(project(self.landmark_mean + offsets, seen_at))
        chosen = np.take_along_axis(self.contour, self._outline(rows, seen_at)[:, None], axis=1)[:, 0]
        return np.r_[chosen, self.landmarks[17:]]

    def _split(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return points[:68].copy(), points[68:].reshape(17, -1, points.shape[-1])

    def _outline(self, rows: np.ndarray, seen_at: Pose) -> np.ndarray:
        return choose_contour(rows[..., 0], rows[..., 1], seen_at.yaw, seen_at.roll)


@lru_cache(maxsize=4)
def load_face_model(resolution: Resolution = "live", folder: Path | None = None) -> FaceModel:
    """The shipped face, or one built into `folder`. Raises FileNotFoundError when the asset is absent."""
    if folder is None:
        with as_file(files("realtime.face") / "assets") as shipped:
            return _read(resolution, shipped)
    return _read(resolution, folder)


def _read(resolution: Resolution, folder: Path) -> FaceModel:
    for name in ("face.npz", "albedo.npz"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"no {name} in {folder}: build it with `python -m tools.build_face --data DIR`")
    with np.load(folder / "face.npz") as face, np.load(folder / "albedo.npz") as skin:

        def basis(file: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
            parts = [file[f"{name}_live"]] + ([file[f"{name}_rest"]] if resolution == "full" else [])
            read = [unpack(planes, file[f"{name}_steps"]) for planes in parts]
            return np.concatenate(read, axis=1) if len(read) > 1 else read[0]

        count = len(face["mean"]) if resolution == "full" else face["identity_live"].shape[2]
        shape = np.concatenate([basis(face, "identity"), basis(face, "expression")])  # (144, V, 3)
        used = np.r_[face["landmarks"], face["contour"].ravel()].astype(np.int64)
        mean = face["mean"][:count]
        return FaceModel(
            mean=mean,
            shape=shape.reshape(len(shape), -1),
            expression_names=tuple(str(name) for name in face["expression_names"]),
            albedo_mean=skin["mean"][:count],
            albedo=basis(skin, "albedo").reshape(80, -1),
            triangles=face[f"triangles_{resolution}"].astype(np.int32),
            uv=face["uv"][:count],
            regions=face["regions"][:count],
            landmarks=face["landmarks"].astype(np.int64),
            contour=face["contour"].astype(np.int64),
            eyes=face["eyes"].astype(np.int64),
            expression_mean=skin["expression_mean"],
            expression_spread=skin["expression_spread"],
            light_mean=skin["light_mean"],
            light_spread=skin["light_spread"],
            landmark_mean=mean[used],
            landmark_shape=np.ascontiguousarray(shape[:, used]).reshape(len(shape), -1),
        )
