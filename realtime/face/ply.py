"""PLY, binary little-endian, with normals and vertex colours. Millimetres, y up."""

from __future__ import annotations

from pathlib import Path

import numpy as np

PROPERTIES = [f"float {name}" for name in ("x", "y", "z", "nx", "ny", "nz")]
PROPERTIES += [f"uchar {name}" for name in ("red", "green", "blue")]


def write_ply(
    path: Path, vertices: np.ndarray, triangles: np.ndarray, normals: np.ndarray, colours: np.ndarray
) -> None:
    """colours: (V, 3) 0..1 RGB."""
    rows = np.zeros(len(vertices), [("place", "<f4", 3), ("normal", "<f4", 3), ("colour", "u1", 3)])
    rows["place"], rows["normal"] = vertices, normals
    rows["colour"] = np.round(np.clip(colours, 0, 1) * 255)
    faces = np.zeros(len(triangles), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, triangles
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(rows)}"]
    header += [f"property {one}" for one in PROPERTIES]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    path.write_bytes(("\n".join(header) + "\n").encode() + rows.tobytes() + faces.tobytes())
