"""Makes the avatar that ships: `python -m tools.make_avatar [--out FILE.glb]`; the same file every time.

Our own mean face in cartoon proportions, with large eyes on nodes of their own, brows, lashes, a woollen hat and a
scarf: one head node, ARKit's 52 shapes, vertex colours, no textures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.face.glb import Buffer
from realtime.face.model import FaceModel, load_face_model
from realtime.face.regions import FaceRegion
from tools.avatar_build.clothes import hat, locks, scarf
from tools.avatar_build.colours import HAIR, paint
from tools.avatar_build.eyes import EYE_FACTOR, eyeball
from tools.avatar_build.quantised import UNIT_M, mesh_of, write
from tools.avatar_build.solids import Solid, joined
from tools.avatar_build.strips import strip
from tools.avatar_build.warp import Warp, carried, smoothed, stylised

OUT = Path(__file__).parents[1] / "realtime" / "avatar" / "assets" / "default.glb"
LEAST_MM = 0.25  # what shapes move less than that stays still: a third of the file
NECK_MM = -138.0  # where the neck is cut off, in the scarf
NOSE_MM = np.array([0.0, -34.0, 34.0])
SHUT = 1.1  # of a blink: large eyes shut a little harder, or a white line would show
LOWER_TEETH_MM = np.array([0.0, 4.0, 3.0])  # how far down and back they are put: a friendly mouth shows the upper ones
PIVOT_MM = np.array([0.0, -70.0, -60.0])  # the head's node
RESTING = {"eyeWideLeft": 0.5, "eyeWideRight": 0.5, "mouthSmileLeft": 0.16, "mouthSmileRight": 0.16}
# What keeps every detail while the skin is smoothed: lips, the mouth's inside, ears and lids.
KEPT = (FaceRegion.U_LIP, FaceRegion.L_LIP, FaceRegion.MOUTH, FaceRegion.TEETH, FaceRegion.TONGUE, FaceRegion.EAR,
        FaceRegion.EYE_SOCKET)  # fmt: skip
LIDS = tuple(ARKIT_NAMES.index(f"eyeBlink{side}") for side in ("Left", "Right"))
DARK = (0.20, 0.13, 0.11)  # lashes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    path = parser.parse_args().out
    build(path)
    print(f"{path} ({path.stat().st_size / 1024:.0f} KiB)")


def build(path: Path) -> None:
    """Writes the avatar."""
    model = load_face_model("live")
    centres = eye_centres(model)
    warp = stylised(centres, EYE_FACTOR)
    skin = bare_head(model, warp)
    face = joined([skin, *brows(model, skin, warp), *lashes(model, skin, warp)])
    buffer = Buffer()
    meshes = [
        mesh_of(buffer, "face", face, ARKIT_NAMES, LEAST_MM),
        mesh_of(buffer, "clothes", joined([hat(skin), *locks(skin), scarf(skin)]), (), 0.0),
        mesh_of(buffer, "eye", eyeball(), (), 0.0),
    ]
    scale, back = [UNIT_M] * 3, (-PIVOT_MM / 1000).tolist()
    nodes = [
        {"name": "Head", "translation": (PIVOT_MM / 1000).tolist(), "children": [1, 2, 3, 4]},
        {"name": "Face", "mesh": 0, "translation": back, "scale": scale},
        {"name": "Clothes", "mesh": 1, "translation": back, "scale": scale},
    ]
    for name, centre in zip(("LeftEye", "RightEye"), centres, strict=True):
        place = np.round((warp(centre) - PIVOT_MM) / 1000, 6)
        nodes.append({"name": name, "mesh": 2, "translation": place.tolist(), "scale": scale})
    write(path, buffer, meshes, nodes)


def eye_centres(model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """(3,) mm of the left and the right eyeball: the spheres that fit best."""
    centres = []
    for region in (FaceRegion.L_EYE, FaceRegion.R_EYE):
        points = model.mean[model.regions == region].astype(np.float64)
        known = np.c_[2 * points, np.ones(len(points))]
        centres.append(np.linalg.lstsq(known, (points**2).sum(1), rcond=None)[0][:3])
    return centres[0], centres[1]


def bare_head(model: FaceModel, warp: Warp) -> Solid:
    """Skin, mouth and teeth, without eyeballs and without what the scarf hides, painted."""
    kept = ~np.isin(model.regions, (FaceRegion.L_EYE, FaceRegion.R_EYE)) & (model.mean[:, 1] > NECK_MM)
    triangles = model.triangles[kept[model.triangles].all(1)]
    used = np.unique(triangles)
    number = np.full(len(kept), -1)
    number[used] = np.arange(len(used))
    offsets = model.expression[: len(ARKIT_NAMES)].reshape(len(ARKIT_NAMES), -1, 3)[:, used].astype(np.float64)
    points, offsets = friendly(model.mean[used].astype(np.float64), offsets)
    regions, own = model.regions[used], number[triangles]
    still = np.isin(regions, KEPT) | (np.abs(offsets[list(LIDS)]).max((0, 2)) > 1.0)
    vertices = smoothed(warp(points), own, still, times=24)
    vertices = smoothed(vertices, own, regions != FaceRegion.NOSE, times=60)
    vertices = vertices + nose_tip(vertices)
    lower = (regions == FaceRegion.TEETH) & (offsets[ARKIT_NAMES.index("jawOpen"), :, 1] < -5)
    vertices[lower] -= LOWER_TEETH_MM
    shapes = carried(warp, points, offsets)
    shapes = np.stack([smoothed(shape, own, still, times=10) for shape in shapes])  # no deep folds of age
    return Solid(vertices, own, paint(points, regions, own), shapes)


def nose_tip(vertices: np.ndarray) -> np.ndarray:
    """(V, 3) mm: a button in the middle of the face, where smoothing has left a ridge."""
    away = (vertices - NOSE_MM) / np.array([11.0, 9.5, 26.0])
    rise = 9.0 * np.exp(-((away**2).sum(1) ** 1.5))
    return rise[:, None] * np.array([0.0, 0.1, 1.0])


def friendly(points: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A rested, awake and slightly smiling face as the new neutral one; (V, 3), (52, V, 3) mm. Blinks still close."""
    closed = {name: points + SHUT * offsets[ARKIT_NAMES.index(name)] for name in ("eyeBlinkLeft", "eyeBlinkRight")}
    awake = {name: RESTING[name] * offsets[ARKIT_NAMES.index(name)] for name in RESTING}
    rested = points + sum(awake.values())
    offsets = offsets.copy()
    for name, side in (("eyeBlinkLeft", "Left"), ("eyeBlinkRight", "Right")):
        offsets[ARKIT_NAMES.index(name)] = closed[name] - points - awake[f"eyeWide{side}"]
    return rested, offsets


def brows(model: FaceModel, skin: Solid, warp: Warp) -> list[Solid]:
    """One along each row of brow landmarks, from the nose outwards, a little higher than people's."""
    points = warp(model.mean[model.landmarks])[:, :2]
    found = []
    for rows in ((21, 20, 19, 18, 17), (22, 23, 24, 25, 26)):
        curve = points[list(rows)]
        curve[:, 0] *= 0.92
        curve[:, 1] = 6.5 + curve[:, 1].mean() + 0.9 * (curve[:, 1] - curve[:, 1].mean())
        found.append(strip(skin, curve, np.array([5.0, 7.0, 7.5, 6.5, 3.0]), 2.4, HAIR))
    return found


def lashes(model: FaceModel, skin: Solid, warp: Warp) -> list[Solid]:
    """A dark line on the edge of each upper lid, thicker towards the temple."""
    points = warp(model.mean[model.landmarks])[:, :2]
    found = []
    for rows, side in (((39, 38, 37, 36), -1), ((42, 43, 44, 45), 1)):
        curve = points[list(rows)] + np.array([[0, 0.3], [0, 1.4], [0, 1.4], [1.0 * side, 0.8]])
        found.append(strip(skin, curve, np.array([0.8, 2.2, 2.8, 2.4]), 0.8, DARK, steps=12))
    return found


if __name__ == "__main__":
    main()
