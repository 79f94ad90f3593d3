"""Protocol `coefficients`: N_r's 68 projected points on photographs, and its vertices on synthetic heads.

JSON: nme, nme_inner51 (fractions of the outer eye corners' distance; the aligned crop comes from the true points; no
glasses are added), vertex_mm, vertex_mm_p90 (mean distance of the face's vertices, and its 90th percentile over heads,
after the best rotation, translation and scale; the heads wear glasses), vertex_mm_mean_face (the mean head's score).
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime.face.model import FaceModel, load_face_model
from realtime.face.regions import FACE_SKIN
from realtime.planes import planes
from tools.evaluate.chain import network
from tools.evaluate.faces import LabelledFace, add_face_arguments, crop_of, faces_of
from tools.evaluate.measures import normalised_mean_error
from tools.evaluate.picture import drawn_points, tiled
from tools.train.samples import Samples

INPUT_SIZE = 128
SHOWN = 48
Regress = Callable[[np.ndarray], np.ndarray]  # (256, 256, 3) uint8 crop -> (239,) coefficients, crop pixels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_face_arguments(parser, ("helen",))
    parser.add_argument(
        "--heads", type=Path, help="folder of the data factory's shards of synthetic heads, for vertex_mm"
    )


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics, and a sheet of faces with projected points green and true ones red."""
    net = network("coefficients", options.quality, options.provider, options.checkpoint)
    model = load_face_model("live")

    def regress(crop: np.ndarray) -> np.ndarray:
        return np.array(net.run({"crop": planes(shrunk(crop))})["coefficients"])[0]

    metrics, sheet = evaluate_points(itertools.islice(faces_of(options), options.limit), regress, model)
    if options.heads is not None:
        heads = ((one.picture("image"), one.value("coefficients")) for one in Samples(options.heads))
        metrics |= evaluate_vertices(itertools.islice(heads, options.limit), regress, model)
    return metrics, sheet


def shrunk(crop: np.ndarray) -> np.ndarray:
    """(256, 256, 3) crop -> (128, 128, 3), the network's input."""
    return cv2.resize(crop, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA)


def evaluate_points(
    faces: Iterable[LabelledFace], regress: Regress, model: FaceModel
) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics and sheet of pictures with their true points."""
    said, true, tiles = [], [], []
    for face in faces:
        crop, points = crop_of(face.image, face.landmarks)
        projected = model.landmarks_of(regress(crop))
        said.append(projected)
        true.append(points)
        if len(tiles) < SHOWN:
            tiles.append(drawn_points(crop, projected, points))
    predicted, truth = np.array(said), np.array(true)
    metrics = {
        "nme": float(normalised_mean_error(predicted, truth).mean()),
        "nme_inner51": float(normalised_mean_error(predicted, truth, inner=True).mean()), "pictures": len(truth),
    }  # fmt: skip
    return metrics, tiled(tiles, 8)


def evaluate_vertices(
    heads: Iterable[tuple[np.ndarray, np.ndarray]], regress: Regress, model: FaceModel
) -> dict[str, Any]:
    """heads: (256, 256, 3) crops with their exact (239,) coefficients."""
    face = np.isin(model.regions, FACE_SKIN)
    errors, of_mean = [], []
    for crop, coefficients in heads:
        truth = model.vertices(coefficients)[face]
        errors.append(aligned_error(model.vertices(regress(crop))[face], truth))
        of_mean.append(aligned_error(model.mean[face], truth))
    return {
        "vertex_mm": float(np.mean(errors)), "vertex_mm_p90": float(np.percentile(errors, 90)),
        "vertex_mm_mean_face": float(np.mean(of_mean)), "heads": len(errors),
    }  # fmt: skip


def aligned_error(points: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance of (V, 3) points to the truth after the best similarity (Umeyama 1991), in the truth's unit."""
    p, t = points - points.mean(0), truth - truth.mean(0)
    u, values, vt = np.linalg.svd(t.T @ p)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (values * sign).sum() / (p**2).sum()
    return float(np.linalg.norm(scale * p @ (u * sign @ vt).T - t, axis=1).mean())
