"""Eyeglasses from OBJ and GLB files: read, told apart into frame and lenses, turned upright and scaled to a face.

Lenses are what names or opacity mark, if that makes sense, else the two sheets that look like lenses.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.factory.glasses import Design, Part, Worn
from tools.factory.lens_guess import guess_lenses, plausible_lenses
from tools.factory.materials import Lens
from tools.factory.mesh_readers import read_glb, read_obj
from tools.factory.parts import Mesh
from tools.factory.seat import Seat

TOTAL_WIDTH_MM = 140.0
NO_LENS = Lens("clear", (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))  # of a model without lenses

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScannedGlasses:
    """name: file stem. frame, lenses: in mm, x to the subject's left, y up, z forward, the bridge at the origin."""

    name: str
    frame: Mesh
    lenses: Mesh

    @property
    def front(self) -> np.ndarray:
        """(N, 3) points of the front, for `seat.sit`."""
        points = self.frame.vertices if len(self.frame.vertices) else self.lenses.vertices
        return points[points[:, 2] > -12.0]

    def worn(self, seat: Seat, design: Design) -> Worn:
        """On a seat, with the materials and lens of a design (the file's own colours are not read)."""
        half = len(self.lenses.triangles) // 2
        placed = seat.place(self.lenses.vertices)
        sides = [self.lenses.triangles[:half], self.lenses.triangles[half:]]
        centres = [placed[s].reshape(-1, 3).mean(0) if len(s) else seat.origin for s in sides]
        frame = Mesh(self._spread(seat), self.frame.triangles, self.frame.part)
        lenses = Mesh(placed, self.lenses.triangles, self.lenses.part)
        lens = design.lens if len(lenses.triangles) else NO_LENS
        return Worn(frame, lenses, np.array(centres), design.materials, lens)

    def _spread(self, seat: Seat) -> np.ndarray:
        """The frame on its seat, its temples bent out so that they pass beside the head."""
        placed = seat.place(self.frame.vertices)
        widest = np.abs(seat.shape.ears[:, 0] - seat.shape.middle[0]).mean() + 1.5
        offset = placed - seat.origin
        behind = np.clip((-offset[:, 2] - 15) / 60, 0, 1)
        temple = np.abs(offset[:, 0]) > 0.35 * TOTAL_WIDTH_MM
        reach = np.abs(offset[temple & (behind > 0.8), 0]).max(initial=widest)
        spread = 1 + np.where(temple, behind, 0) * (max(widest, 1.0) / max(reach, 1.0) - 1)
        return np.stack([placed[:, 0] * 0 + seat.origin[0] + offset[:, 0] * spread, placed[:, 1], placed[:, 2]], 1)


def load_scanned(folder: Path) -> list[ScannedGlasses]:
    """All *.obj and *.glb of a folder and its subfolders; a file that cannot be read is logged and left out.

    Raises ValueError when there is none, or none that can be read (then it says why for each).
    """
    files = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in (".obj", ".glb"))
    if not files:
        raise ValueError(f"no eyeglasses: {folder} holds neither .obj nor .glb files")
    found, reasons = [], []
    for path in files:
        try:
            found.append(_scanned(path))
        except ValueError as why:
            logger.warning("left out: %s", why)
            reasons.append(f"  {why}")
    if not found:
        raise ValueError(f"no eyeglasses in {folder} can be read:\n" + "\n".join(reasons))
    return found


def _scanned(path: Path) -> ScannedGlasses:
    vertices, triangles, glass = (read_obj if path.suffix.lower() == ".obj" else read_glb)(path)
    if not len(triangles):
        raise ValueError(f"{path}: no triangles")
    vertices = _upright(vertices, triangles)
    if not plausible_lenses(vertices, triangles, glass):
        glass = guess_lenses(vertices, triangles)
    lens_triangles = triangles[glass]
    side = vertices[lens_triangles].mean(1)[:, 0] < 0 if len(lens_triangles) else np.zeros(0, bool)
    order = np.argsort(side, kind="stable")
    frame = _part(vertices, triangles[~glass], Part.RIM)
    behind = frame.vertices[frame.triangles].mean(1)[:, 2] < -14 if len(frame.triangles) else np.zeros(0, bool)
    frame = Mesh(frame.vertices, frame.triangles, np.where(behind, Part.TEMPLE, Part.RIM).astype(np.uint8))
    return ScannedGlasses(path.stem, frame, _part(vertices, lens_triangles[order], Part.LENS))


def _part(vertices: np.ndarray, triangles: np.ndarray, part: Part) -> Mesh:
    used, flat = np.unique(triangles, return_inverse=True)
    faces = flat.reshape(-1, 3).astype(np.int32)
    return Mesh(vertices[used], faces, np.full(len(faces), part, np.uint8))


def _upright(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Axes guessed from the extents: symmetric across x, front at +z, the bridge high up; 140 mm wide."""
    used = np.unique(triangles)
    points = vertices - (vertices[used].min(0) + vertices[used].max(0)) / 2
    areas = points[used]
    # Eyeglasses mirror onto themselves across x: the axis whose flip moves the histogram least.
    ordered = np.sort(areas, axis=0)
    asymmetry = np.abs(ordered + ordered[::-1]).mean(0) / np.ptp(areas, axis=0)
    extent = np.ptp(areas, axis=0)
    x_axis = int(np.argmin(asymmetry + (extent < 0.5 * extent.max())))
    others = [k for k in range(3) if k != x_axis]
    y_axis = min(others, key=lambda k: extent[k])
    z_axis = next(k for k in others if k != y_axis)
    points = points[:, [x_axis, y_axis, z_axis]] * (TOTAL_WIDTH_MM / extent[x_axis])
    front = points[used]
    half = np.ptp(front[:, 2]) / 2
    ends = [front[np.sign(s) * front[:, 2] > half - 8] for s in (1, -1)]
    middle = [np.sum(np.abs(e[:, 0]) < 0.3 * TOTAL_WIDTH_MM) for e in ends]  # the front has rims, the back does not
    if middle[1] > middle[0]:
        points = points * (-1, 1, -1)
    front = points[used][points[used][:, 2] > half - 15]
    bridge = front[np.abs(front[:, 0]) < 0.06 * TOTAL_WIDTH_MM]
    if len(bridge) and bridge[:, 1].mean() < (front[:, 1].min() + front[:, 1].max()) / 2:  # it sits in the upper half
        points = points * (-1, -1, 1)
    front = points[used][points[used][:, 2] > half - 15]
    centre = np.array([0, (front[:, 1].min() + front[:, 1].max()) / 2, half])
    return points - centre
