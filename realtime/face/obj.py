"""Wavefront OBJ with its material and texture beside it. Millimetres, y up."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def write_obj(path: Path, vertices: np.ndarray, triangles: np.ndarray, uv: np.ndarray, texture: np.ndarray) -> None:
    """NAME.obj, NAME.mtl and NAME.png. texture: (T, T, 3) uint8 RGB; uv: (V, 2), v down as everywhere here."""
    material, picture = path.with_suffix(".mtl"), path.with_suffix(".png")
    lines = [f"mtllib {material.name}", "o face"]
    lines += [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in vertices]
    lines += [f"vt {u:.6f} {1 - v:.6f}" for u, v in uv]  # OBJ counts v upwards
    lines += ["usemtl face", "s 1"]
    lines += [f"f {a}/{a} {b}/{b} {c}/{c}" for a, b, c in triangles + 1]
    path.write_text("\n".join(lines) + "\n")
    material.write_text(f"newmtl face\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {picture.name}\n")
    picture.write_bytes(png(texture))


def png(picture: np.ndarray) -> bytes:
    """(H, W, 3) uint8 RGB -> an encoded PNG."""
    return cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))[1].tobytes()
