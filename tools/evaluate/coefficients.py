"""Protocol `coefficients`: N_r's 68 projected points on photographs, and its vertices on synthetic heads.

JSON: nme, nme_inner51 (fractions of the outer eye corners' distance; the aligned crop comes from the true points; no
glasses are added), vertex_mm, vertex_mm_p90 (mean distance of the face's vertices, and its 90th percentile over heads,
after the best rotation, translation and scale; the heads wear glasses), vertex_mm_mean_face (the mean head's score);
nme, nme_inner51 by skin tone, vertex_mm by skin tone, lens and rim family (`groups.py`).
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from realtime.face.model import FaceModel, load_face_model
from realtime.face.regions import FACE_SKIN
from realtime.frame import Glasses
from realtime.regressor import Regressor
from tools.evaluate.chain import network
from tools.evaluate.faces import LabelledFace, add_face_arguments, crop_of, faces_of
from tools.evaluate.groups import Groups, skin_tone_group
from tools.evaluate.measures import normalised_mean_error
from tools.evaluate.picture import drawn_points, tiled
from tools.evaluate.tally import Scores
from tools.train.samples import Samples

SHOWN = 48
Head = tuple[np.ndarray, np.ndarray, dict[str, str]]  # (256, 256, 3) crop, its exact (239,) coefficients, its groups
Regress = Callable[[np.ndarray], np.ndarray]  # (256, 256, 3) uint8 crop -> (239,) coefficients, crop pixels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_face_arguments(parser, ("helen",))
    parser.add_argument(
        "--heads", type=Path, help="folder of the data factory's shards of synthetic heads, for vertex_mm"
    )


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics, and a sheet of faces with projected points green and true ones red."""
    regress = regressor(options)
    model = load_face_model("live")
    metrics, sheet = evaluate_points(itertools.islice(faces_of(options), options.limit), regress, model)
    if options.heads is not None:
        groups = Groups()
        metrics |= evaluate_vertices(itertools.islice(heads_of(options.heads), options.limit), regress, model, groups)
        metrics["heads_by_group"] = groups.report()
    return metrics, sheet


def regressor(options: argparse.Namespace) -> Regressor:
    """N_r, of --checkpoint where it is given, with the G that ships."""
    net = network("coefficients", options.quality, options.provider, options.checkpoint)
    return Regressor(net, network("recogniser", options.quality, options.provider))


def heads_of(folder: Path) -> Iterator[Head]:
    """The heads of a folder of shards, with what they are grouped by."""
    for one in Samples(folder):
        kind, family = Glasses(int(one.value("kind"))).name.lower(), str(one.value("source")).partition("+")[2]
        tone = skin_tone_group(one.picture("clean"), one.value("points"))
        groups = {"skin_tone": tone, "lens": kind, "kind": family or "none"}
        yield one.picture("image"), one.value("coefficients"), groups


def evaluate_points(
    faces: Iterable[LabelledFace], regress: Regress, model: FaceModel
) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics and sheet of pictures with their true points."""
    said, true, tones, tiles = [], [], [], []
    for face in faces:
        crop, points = crop_of(face.image, face.landmarks)
        projected = model.landmarks_of(regress(crop))
        said.append(projected)
        true.append(points)
        tones.append(skin_tone_group(crop, points))
        if len(tiles) < SHOWN:
            tiles.append(drawn_points(crop, projected, points))
    predicted, truth, scores = np.array(said), np.array(true), Scores()
    for name, inner in (("nme", False), ("nme_inner51", True)):
        for error, tone in zip(normalised_mean_error(predicted, truth, inner=inner), tones, strict=True):
            scores.note(name, float(error), skin_tone=tone)
    return {**scores.report(), "pictures": len(truth)}, tiled(tiles, 8)


def evaluate_vertices(
    heads: Iterable[Head], regress: Regress, model: FaceModel, by_group: Groups | None = None
) -> dict[str, Any]:
    """heads: see `Head`. by_group: takes in the errors of every group, where it is given."""
    face = np.isin(model.regions, FACE_SKIN)
    errors, of_mean = [], []
    for crop, coefficients, groups in heads:
        truth = model.vertices(coefficients)[face]
        errors.append(aligned_error(model.vertices(regress(crop))[face], truth))
        if by_group is not None:
            by_group.add("vertex_mm", errors[-1], **groups)
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
