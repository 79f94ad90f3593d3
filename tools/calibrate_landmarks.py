"""Moves the landmark vertices to where people mark them: `python -m tools.calibrate_landmarks --data DIR`.

The source's lip and brow points lie a few millimetres off the iBUG habit, which every fit would then explain with
rolled lips or knitted brows. Run after tools.build_face; rewrites `landmarks` and `contour` in face.npz. Reads Helen's
hand-made points of split train. Eye and jaw points stay: they lie on the lids' rims and slide. Those of the inner lips
stay where the lips meet: most people in photographs smile, so that the mean difference is that of an open mouth.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from realtime.align import MIRROR
from realtime.face.coefficients import SLICES, pose
from realtime.face.landmarks import FRONTAL
from realtime.face.mesh import vertex_normals
from realtime.face.model import SHAPE, FaceModel, load_face_model
from realtime.face.regions import FACE_SKIN
from tools.build_face import ASSETS
from tools.fit import fit_landmarks
from tools.photos import Photographs, hand_annotations

# How much of the mean difference to follow: all of it for lips, less where people's faces may simply differ.
TRUST = {**dict.fromkeys(range(17, 27), 0.7), **dict.fromkeys(range(27, 36), 0.5), **dict.fromkeys(range(48, 60), 1.0)}
PHOTOGRAPHS = 250
FRONTAL_YAW = np.radians(12)
FARTHEST_MM = 6.0
# Shapes whose mean over many photographs should be next to nothing: what they explain everywhere is a misplaced point.
RARE = ("mouthRoll", "mouthPucker", "mouthFunnel", "mouthShrug", "mouthPress", "mouthStretch", "noseSneer",
        "browSqueeze", "browDown", "mouthFrown", "mouthDimple", "mouthUpperUp", "mouthLowerDown")  # fmt: skip


def bias_mm(model: FaceModel, points: list[np.ndarray]) -> np.ndarray:
    """(68, 2) x to the left, y up: how far people's points lie from the model's, on average and symmetrically."""
    found = []
    rare = np.array([name.startswith(RARE) for name in model.expression_names])
    basis = model.landmark_shape.reshape(len(model.landmark_shape), -1, 3)[:, :68]
    for marked in points:
        fitted = fit_landmarks(model, marked)
        at = pose(fitted)
        if abs(at.yaw) > FRONTAL_YAW:
            continue
        misplaced = fitted[SHAPE].copy()
        misplaced[SLICES["expression"]][~rare] = 0
        across = (marked - model.landmarks_of(fitted)) * [1, -1] / at.scale
        cos, sin = np.cos(at.roll), np.sin(at.roll)
        upright = across @ np.array([[cos, -sin], [sin, cos]])  # takes the roll off
        found.append(upright + np.tensordot(misplaced, basis, 1)[:, :2])
    mean = np.mean(found, axis=0)
    return (mean + mean[MIRROR] * [-1, 1]) / 2


def move(model: FaceModel, offsets: np.ndarray) -> np.ndarray:
    """(68,) vertices nearest to the landmarks shifted by (68, 2) mm, on the skin that faces the front."""
    normals = vertex_normals(model.mean, model.triangles)
    skin = np.isin(model.regions, FACE_SKIN) & (normals[:, 2] > 0)
    moved = model.landmarks.copy()
    for k, trust in TRUST.items():
        start = model.mean[model.landmarks[k]]
        goal = start[:2] + trust * offsets[k]
        near = np.flatnonzero(skin & (np.linalg.norm(model.mean - start, axis=1) < FARTHEST_MM))
        moved[k] = near[np.linalg.norm(model.mean[near, :2] - goal, axis=1).argmin()]
    return moved


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds faces/")
    parser.add_argument("--out", type=Path, default=ASSETS)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    labels = hand_annotations(options.data)
    names = [photo.name for photo in Photographs(options.data).of_set("helen", "train") if photo.name in labels]
    points = [labels[name].points for name in names[:PHOTOGRAPHS]]
    for _ in range(options.rounds):
        load_face_model.cache_clear()
        model = load_face_model("live", options.out)
        offsets = bias_mm(model, points)
        moved = move(model, offsets)
        print("misplaced by (mm)", np.linalg.norm(offsets, axis=1).round(1).tolist())
        with np.load(options.out / "face.npz") as file:
            stored = dict(file)
        stored["landmarks"] = moved.astype(stored["landmarks"].dtype)
        stored["contour"][:, FRONTAL] = moved[:17]
        np.savez_compressed(options.out / "face.npz", **stored)


if __name__ == "__main__":
    main()
