"""Protocol `scans`: how far the reconstructed face is from a scan of the person (paper 4.3).

Data: one folder a scan with `photo.jpg`, `points.npy` ((N, 3) mm, x to the subject's left, y up, z forward) and
`landmarks3d.csv` (`index68,x,y,z`). The photograph goes through the whole chain (`--glasses`: with rendered eyeglasses
on); its mesh is laid onto the scan by the landmarks and then by ICP, turned, shifted and scaled. Every point of the
scan within 95 mm of the nose tip counts with its distance to the mesh's surface. JSON: mean_mm, median_mm, p90_mm
(means over the scans), the same of the mean head (mean_mm_mean_face, ...), scans, misses, and under `each` every scan.
Picture: a row a scan, the photograph and the scan coloured by error (blue 0, red 5 mm and more).
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime.face.coefficients import COUNT, SLICES
from realtime.face.model import FaceModel, load_face_model
from realtime.face.regions import FACE_SKIN
from tools.evaluate.lfw import dressed
from tools.evaluate.surface import Surface, similarity3, transformed
from tools.evaluate.whole_chain import WholeChain

NOSE_TIP, WITHIN_MM = 30, 95.0
ROUNDS = 30  # of ICP
KEPT = 0.9  # share of the nearest points that ICP believes: hair and collars are no face
WORST_MM = 5.0  # the reddest colour of the heat map
TILE = 256
FIGURES = ("mean_mm", "median_mm", "p90_mm")


@dataclass(frozen=True, eq=False)
class Scan:
    """photo (H, W, 3) uint8 RGB; points (N, 3) mm; landmarks {index of the 68: (3,) mm}."""

    name: str
    photo: np.ndarray
    points: np.ndarray
    landmarks: dict[int, np.ndarray]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--glasses", action="store_true", help="render eyeglasses on every photograph first")


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics and heat maps. Raises FileNotFoundError without scans."""
    chain, model = WholeChain(options), load_face_model("full")
    results: dict[str, dict[str, float]] = {}
    rows, of_mean, misses = [], [], 0
    try:
        for number, scan in enumerate(scans_in(options.data)[: options.limit]):
            photo = scan.photo
            if options.glasses:
                photo = dressed(photo, chain, np.random.default_rng((options.seed, number)))
            face = chain(photo)
            if face is None or face.coefficients is None:
                misses += 1
                continue
            errors, visible = distances(scan, face.coefficients, model)
            results[scan.name] = figures(errors)
            of_mean.append(figures(distances(scan, mean_head(face.coefficients), model)[0]))
            rows.append(np.hstack([_fitted(photo), heat_map(scan, errors, visible)]))
    finally:
        chain.close()
    if not results:
        raise ValueError(f"{options.data}: no face was found in any of {misses} photographs")
    metrics: dict[str, Any] = {name: float(np.mean([r[name] for r in results.values()])) for name in FIGURES}
    metrics |= {f"{name}_mean_face": float(np.mean([r[name] for r in of_mean])) for name in FIGURES}
    return metrics | {"scans": len(results), "misses": misses, "each": results}, np.vstack(rows)


def scans_in(data: Path) -> list[Scan]:
    """Every folder of `data` that holds a scan, by name. Raises FileNotFoundError when there is none."""
    folders = sorted(path.parent for path in Path(data).rglob("points.npy"))
    if not folders:
        raise FileNotFoundError(f"no scans: {data} has no folder with points.npy, photo.jpg and landmarks3d.csv")
    return [read_scan(folder) for folder in folders]


def read_scan(folder: Path) -> Scan:
    """Raises ValueError naming the file that cannot be used."""
    photo = cv2.imread(str(folder / "photo.jpg"), cv2.IMREAD_COLOR)
    if photo is None:
        raise ValueError(f"{folder / 'photo.jpg'}: not a picture that can be decoded")
    points = np.load(folder / "points.npy").astype(np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"{folder / 'points.npy'}: {points.shape} is not (N, 3)")
    with (folder / "landmarks3d.csv").open(newline="") as lines:
        rows = [(int(r["index68"]), np.array([float(r[k]) for k in "xyz"])) for r in csv.DictReader(lines)]
    landmarks = dict(rows)
    if len(landmarks) < 4 or NOSE_TIP not in landmarks:
        raise ValueError(f"{folder / 'landmarks3d.csv'}: needs the nose tip ({NOSE_TIP}) and three more points")
    return Scan(folder.name, cv2.cvtColor(photo, cv2.COLOR_BGR2RGB), points, landmarks)


def mean_head(coefficients: np.ndarray) -> np.ndarray:
    """(239,) of the mean identity with this pose: what knowing nothing of the person would give."""
    plain = np.zeros(COUNT, np.float32)
    plain[SLICES["pose"]] = coefficients[SLICES["pose"]]
    return plain


def distances(scan: Scan, coefficients: np.ndarray, model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """Distance in mm of each scan point near the face to the mesh laid onto it, (M,), and which points (N,) bool."""
    vertices = model.vertices(coefficients).astype(np.float64)
    marked = sorted(scan.landmarks)
    truth = np.array([scan.landmarks[k] for k in marked])
    own = vertices[model.landmark_vertices(coefficients)[marked]]
    scan_from_mesh = similarity3(own, truth)
    near = np.linalg.norm(scan.points - scan.landmarks[NOSE_TIP], axis=1) < WITHIN_MM
    points = scan.points[near]
    skin = np.isin(model.regions, FACE_SKIN)
    surface = Surface(vertices, model.triangles[skin[model.triangles].all(1)])
    mesh_points = transformed(inverse3(scan_from_mesh), points)
    for _ in range(ROUNDS):
        closest, gap = surface.closest(mesh_points)
        kept = gap <= np.quantile(gap, KEPT)
        scan_from_mesh = similarity3(closest[kept], points[kept])
        mesh_points = transformed(inverse3(scan_from_mesh), points)
    closest, _ = surface.closest(mesh_points)
    return np.linalg.norm(transformed(scan_from_mesh, closest) - points, axis=1), near


def inverse3(target_from_source: np.ndarray) -> np.ndarray:
    """(3, 4) similarity -> its inverse."""
    linear = np.linalg.inv(target_from_source[:, :3])
    return np.hstack([linear, -linear @ target_from_source[:, 3:]])


def figures(errors: np.ndarray) -> dict[str, float]:
    """Mean, median and 90th percentile."""
    values = (errors.mean(), np.median(errors), np.percentile(errors, 90))
    return {name: float(value) for name, value in zip(FIGURES, values, strict=True)}


def heat_map(scan: Scan, errors: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(256, 256, 3) uint8: the scan from the front, its points coloured by their error."""
    points = scan.points[near] - scan.landmarks[NOSE_TIP]
    pixels = np.round(TILE / 2 + points[:, :2] * (1, -1) * (TILE / 2 - 4) / WITHIN_MM).astype(int).clip(0, TILE - 1)
    level = np.round(255 * np.clip(errors / WORST_MM, 0, 1)).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(level[:, None], cv2.COLORMAP_JET), cv2.COLOR_BGR2RGB)[:, 0]
    picture = np.zeros((TILE, TILE, 3), np.uint8)
    for k in np.argsort(points[:, 2]):  # far points first
        cv2.circle(picture, (int(pixels[k, 0]), int(pixels[k, 1])), 1, colours[k].tolist(), -1)
    return picture


def _fitted(photo: np.ndarray) -> np.ndarray:
    scale = TILE / max(photo.shape[:2])
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:TILE, :TILE]
    tile = np.zeros((TILE, TILE, 3), np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    return tile
