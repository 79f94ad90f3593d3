"""A small photographs' folder for tests: drawn faces in zips with indexes and labels, as `tools.photos` reads them."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import cv2
import numpy as np

from tools.photos import POINTS_49


def drawn_face(size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A (size, size, 3) uint8 picture of a plain oval face, and its (68, 2) points."""
    points = mean_face() * size * rng.uniform(0.4, 0.6) + size / 2 + rng.normal(0, 0.03 * size, 2)
    image = np.full((size, size, 3), rng.integers(0, 90, 3), np.uint8)
    centre, half = points.mean(0), np.ptp(points, axis=0) / 2
    axes = (int(half[0] * 1.1), int(half[1] * 1.3))
    cv2.ellipse(image, (int(centre[0]), int(centre[1])), axes, 0, 0, 360, (215, 170, 140), -1)
    for eye in (points[36:42], points[42:48], points[48:60]):
        cv2.fillPoly(image, [np.round(eye).astype(np.int32)], (60, 30, 30))
    return image, points.astype(np.float32)


def mean_face() -> np.ndarray:
    """(68, 2) points of a frontal face about the origin, one unit wide."""
    jaw_angle = np.linspace(np.pi, 0, 17)
    jaw = np.stack([0.5 * np.cos(jaw_angle), -0.1 + 0.6 * np.sin(jaw_angle)], 1)
    brow = np.stack([np.linspace(-0.42, -0.1, 5), -0.22 - 0.04 * np.sin(np.linspace(0, np.pi, 5))], 1)
    ridge = np.stack([np.zeros(4), np.linspace(-0.1, 0.12, 4)], 1)
    base = np.stack([np.linspace(-0.1, 0.1, 5), 0.17 + 0.02 * np.sin(np.linspace(0, np.pi, 5))], 1)
    eye = np.array([[-0.34, -0.1], [-0.27, -0.14], [-0.19, -0.14], [-0.12, -0.1], [-0.19, -0.07], [-0.27, -0.07]])
    other = np.stack([-eye[[3, 2, 1, 0, 5, 4], 0], eye[[3, 2, 1, 0, 5, 4], 1]], 1)
    turn = np.linspace(np.pi, -np.pi, 12, endpoint=False)
    lips = np.stack([0.2 * np.cos(turn), 0.32 - 0.07 * np.sin(turn)], 1)
    turn = np.linspace(np.pi, -np.pi, 8, endpoint=False)
    inner = np.stack([0.15 * np.cos(turn), 0.32 - 0.02 * np.sin(turn)], 1)
    return np.concatenate([jaw, brow, brow[::-1] * [-1, 1], ridge, base, eye, other, lips, inner])


def write_photographs(data: Path, count: int = 6, size: int = 160) -> None:
    """`data`/faces with sets helen, aaf and background: `count` pictures each, the last two of them val."""
    folder = data / "faces"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    labels: dict[str, list[np.ndarray]] = {"helen": [], "aaf": []}
    for name in ("helen", "aaf", "background"):
        rows = []
        with zipfile.ZipFile(folder / f"{name}-00.zip", "w") as shard:
            for i in range(count):
                image, points = drawn_face(size, rng)
                if name == "background":
                    image = rng.integers(0, 256, (size // 8, size // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
                else:
                    labels[name].append(points if name == "helen" else points[POINTS_49])
                encoded = cv2.imencode(".webp", image[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 101])[1]
                shard.writestr(f"{i}.webp", encoded.tobytes())
                rows.append((f"{name}-00.zip", f"{i}.webp", "train" if i < count - 2 else "val", size, size))
        with (folder / f"{name}.csv").open("w", newline="") as table:
            csv.writer(table).writerows([("shard", "file", "split", "width", "height"), *rows])
    names = np.array([str(i) for i in range(count)])
    np.savez(folder / "helen_landmarks68.npz", names=names, points=np.stack(labels["helen"]))
    np.savez(folder / "aaf_landmarks49.npz", names=names, points=np.stack(labels["aaf"]))
