"""Reads the scan statistics of heads (ICT FaceKit Light): millimetres, x to the subject's left, y up, z forward."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

MM_PER_CM = 10.0
# Vertex ranges of the source's parts.
FACE, NARROW_FACE = slice(0, 9409), slice(0, 6706)
HEAD, MOUTH_SOCKET, EYE_SOCKETS = slice(9409, 11248), slice(11248, 13294), slice(13294, 14062)
SKIN = slice(0, 14062)  # one connected surface: face, head, mouth socket, eye sockets
GUMS, TEETH = slice(14062, 17039), slice(17039, 21451)
NAPE_Y = -255.0  # mm, at z = 0
SCLERA_LEFT, SCLERA_RIGHT = slice(21451, 22221), slice(23021, 23791)


@dataclass(frozen=True)
class SourceHead:
    """mean (V, 3) mm from between the eyeballs; identity (100, V, 3) mm; expression {name: (V, 3) mm};
    triangles (F, 3); landmarks (68,) vertex numbers; eyes: centres of the left and the right eyeball (2, 3) mm."""

    mean: np.ndarray
    identity: np.ndarray
    expression: dict[str, np.ndarray]
    triangles: np.ndarray
    landmarks: np.ndarray
    eyes: np.ndarray


def read_source(path: Path) -> SourceHead:
    """Raises FileNotFoundError when `path` is absent."""
    if not path.is_file():
        raise FileNotFoundError(f"no scan statistics at {path}: pass the data folder with --data")
    with np.load(path) as file:
        mean = file["mean"].astype(np.float64) * MM_PER_CM
        identity = file["identity"].astype(np.float32) * (file["identity_scale"] * MM_PER_CM)[:, None, None]
        names = [str(n) for n in file["expression_names"]]
        scales = file["expression_scale"] * MM_PER_CM
        expression = {n: o.astype(np.float32) * s for n, o, s in zip(names, file["expression"], scales, strict=True)}
        quads, landmarks = file["quads"], file["landmarks68"].astype(np.int64)
    eyes = np.stack([eyeball_centre(mean[SCLERA_LEFT]), eyeball_centre(mean[SCLERA_RIGHT])])
    origin = eyes.mean(0)
    expression = {name: without_strays(name, offsets) for name, offsets in expression.items()}
    mean = mean - origin
    triangles = triangulate(quads, mean)
    nape = (mean[:, 1] < NAPE_Y - mean[:, 2]) & (np.arange(len(mean)) < SKIN.stop)  # an oblique cut, never seen
    return SourceHead(mean, identity, expression, triangles[~nape[triangles].any(1)], landmarks, eyes - origin)


def triangulate(quads: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """(Q, 4) faces, -1 in the fourth place for a triangle -> (F, 3) int64, cut along the shorter diagonal."""
    single, four = quads[quads[:, 3] < 0, :3], quads[quads[:, 3] >= 0]
    p = positions[four]
    other = np.linalg.norm(p[:, 1] - p[:, 3], axis=1) < np.linalg.norm(p[:, 0] - p[:, 2], axis=1) - 1e-3
    four = np.where(other[:, None], np.roll(four, -1, axis=1), four)
    return np.concatenate([single, four[:, :3], four[:, [0, 2, 3]]]).astype(np.int64)


def eyeball_centre(sclera_mm: np.ndarray) -> np.ndarray:
    """Centre of the sphere through the back of the eyeball (the cornea bulges in front of it)."""
    back = sclera_mm[sclera_mm[:, 2] < np.quantile(sclera_mm[:, 2], 0.5)]
    system = np.c_[2 * back, np.ones(len(back))]
    return np.linalg.lstsq(system, (back**2).sum(1), rcond=None)[0][:3]


def without_strays(name: str, offsets: np.ndarray) -> np.ndarray:
    """Zero what is below 0.02 mm, and gums and teeth of shapes that do not move the jaw (noise in the source)."""
    kept = np.where(np.abs(offsets).max(1, keepdims=True) < 0.02, 0, offsets)
    if not name.startswith("jaw"):
        kept[GUMS.start : TEETH.stop] = 0
    return kept.astype(np.float32)
