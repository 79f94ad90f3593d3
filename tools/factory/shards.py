"""Shards of training data: `.npz` files of at most 20 MB with encoded pictures (layout: docs/architecture.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

PER_SHARD = 100
PICTURES = ("image", "clean", "labels", "shadow")


@dataclass(frozen=True)
class Record:
    """One picture of a shard: (256, 256, 3) uint8 image and clean, (256, 256) uint8 labels, float32 shadow ratio.

    points (68, 2) crop pixels with weights (68,); coefficients (239,), NaN where unknown. lens_scale: as `wear.Sample`.
    """

    image: np.ndarray
    clean: np.ndarray
    labels: np.ndarray
    shadow: np.ndarray
    kind: int
    points: np.ndarray
    points_weight: np.ndarray
    coefficients: np.ndarray
    source: str
    synthetic: bool
    lens_scale: float = 1.0


def write_shard(path: Path, records: Sequence[Record]) -> None:
    """Write under a temporary name, then rename: a shard that exists is complete."""
    arrays: dict[str, np.ndarray] = {}
    for name in PICTURES:
        codes = [_encode(name, getattr(record, name)) for record in records]
        arrays[name] = np.concatenate(codes)
        arrays[f"{name}_offsets"] = np.cumsum([0] + [len(code) for code in codes]).astype(np.int64)
    arrays["kind"] = np.array([record.kind for record in records], np.uint8)
    arrays["points"] = np.array([record.points for record in records], np.float32)
    arrays["points_weight"] = np.array([record.points_weight for record in records], np.float32)
    arrays["coefficients"] = np.array([record.coefficients for record in records], np.float32)
    arrays["source"] = np.array([record.source for record in records])
    arrays["synthetic"] = np.array([record.synthetic for record in records], bool)
    arrays["lens_scale"] = np.array([record.lens_scale for record in records], np.float32)
    partial = path.with_name(f".{path.name}.{os.getpid()}.npz")
    np.savez(partial, **arrays)  # type: ignore[arg-type]
    os.replace(partial, path)


def read_shard(path: Path) -> Iterator[Record]:
    """The records of a shard in order. Raises ValueError naming the file when it is not a shard."""
    with np.load(path) as shard:
        missing = {*PICTURES, "kind", "points", "coefficients"} - set(shard)
        if missing:
            raise ValueError(f"{path}: not a shard, {', '.join(sorted(missing))} missing")
        arrays = {name: shard[name] for name in shard}
    for i in range(len(arrays["kind"])):
        image, clean, labels, shadow = (_decode(name, arrays, i) for name in PICTURES)
        yield Record(
            image, clean, labels, shadow.astype(np.float32) / 255, int(arrays["kind"][i]),
            arrays["points"][i], arrays["points_weight"][i], arrays["coefficients"][i],
            str(arrays["source"][i]), bool(arrays["synthetic"][i]),
            float(arrays["lens_scale"][i]) if "lens_scale" in arrays else 1.0,
        )  # fmt: skip


def _encode(name: str, picture: np.ndarray) -> np.ndarray:
    if name in ("image", "clean"):
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].ravel()
    if name == "shadow":
        picture = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    return cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].ravel()


def _decode(name: str, arrays: dict[str, np.ndarray], i: int) -> np.ndarray:
    start, stop = arrays[f"{name}_offsets"][i : i + 2]
    code = arrays[name][start:stop]
    if name in ("image", "clean"):
        return cv2.cvtColor(cv2.imdecode(code, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return cv2.imdecode(code, cv2.IMREAD_GRAYSCALE)
