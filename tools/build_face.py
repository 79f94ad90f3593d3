"""Builds the morphable face from scan statistics: `python -m tools.build_face --data DIR`.

Reads DIR/face_model/ict_facekit_light.npz, writes realtime/face/assets/face.npz (shape, atlas, landmarks) and, where
none has been learnt yet, a plain albedo.npz. Live and full resolution share one list of vertices, live ones first.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime.face.asset import pack
from realtime.face.blendshapes import EXPRESSION_NAMES
from realtime.face.mesh import vertex_normals
from realtime.face.regions import FaceRegion
from tools.face_build.atlas import ISLAND, island, skin_atlas
from tools.face_build.decimate import decimate
from tools.face_build.expressions import BODY, expression_basis
from tools.face_build.eyeballs import Eyeball, build_eyeball, follow
from tools.face_build.identity import principal_components, vertex_areas, without_similarity
from tools.face_build.plain_albedo import plain_albedo
from tools.face_build.regions import label_regions, sliding_contour
from tools.face_build.source import (
    EYE_SOCKETS,
    FACE,
    GUMS,
    HEAD,
    MOUTH_SOCKET,
    NARROW_FACE,
    SCLERA_LEFT,
    SCLERA_RIGHT,
    SKIN,
    TEETH,
    SourceHead,
    read_source,
)  # fmt: skip

ASSETS = Path(__file__).parents[1] / "realtime" / "face" / "assets"
IDENTITIES = 80
LIPS_APART_MM = 0.1
STEP_MM = 0.02  # of the stored shapes; 80 components rounded so differ by 0.03 mm in all
FULL = {"head": 900, "mouth": 500, "sockets": 300, "gums": 1300, "teeth": 1700}
LIVE = {"face": 4700, "head": 420, "mouth": 170, "sockets": 150, "gums": 520, "teeth": 700}
BENDING = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "mouthPucker", "eyeBlinkLeft", "eyeBlinkRight")


@dataclass(frozen=True)
class Assembled:
    """The source's skin, gums and teeth, then our eyeballs. Shapes (..., V, 3) mm, triangles (F, 3), uv (V, 2)."""

    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    regions: np.ndarray
    eyeball_angle: np.ndarray  # (V,) radians from the optical axis, -1 elsewhere


def assemble(head: SourceHead) -> Assembled:
    scleras = (head.mean[SCLERA_LEFT], head.mean[SCLERA_RIGHT])
    eyes = tuple(build_eyeball(centre, sclera) for centre, sclera in zip(head.eyes, scleras, strict=True))
    left, right = eyes
    mean = np.concatenate([head.mean[:BODY], *[eye.centre + eye.offsets for eye in eyes]])
    balls = np.concatenate([BODY + left.triangles, BODY + len(left.offsets) + right.triangles])
    triangles = np.concatenate([head.triangles[(head.triangles < BODY).all(1)], balls])
    weights = vertex_areas(head.mean, head.triangles)
    weights[NARROW_FACE.stop : FACE.stop] *= 0.25
    weights[FACE.stop :] = 0
    identity = without_similarity(head.identity, head.mean, weights)
    places = tuple(zip(eyes, (SCLERA_LEFT, SCLERA_RIGHT), scleras, strict=True))
    moved = [np.stack([follow(eye, k[part], at) for k in identity]) for eye, part, at in places]
    source = np.concatenate([identity[:, :BODY], *moved], axis=1)
    pad = np.r_[weights[:BODY], np.zeros(len(mean) - BODY)]
    components, share = principal_components(source, pad, IDENTITIES)
    print(f"identity: {IDENTITIES} components keep {share.sum():.4f} of the variance, ten {share[:10].sum():.3f}")
    angle = np.full(len(mean), -1.0)
    angle[BODY:] = np.r_[left.angle, right.angle]
    regions = label_regions(head, len(left.offsets))
    uv = np.concatenate([skin_atlas(head)[:BODY], np.zeros((len(mean) - BODY, 2))])
    place_islands(uv, mean, regions, left)
    return Assembled(mean, components, expression_basis(head, (left, right)), triangles, uv, regions, angle)


def place_islands(uv: np.ndarray, mean: np.ndarray, regions: np.ndarray, eye: Eyeball) -> None:
    """Eyeballs into the upper corners, gums and tongue and teeth into the lower ones, in place."""
    spread = eye.offsets[:, :2] / np.maximum(np.linalg.norm(eye.offsets[:, :2], axis=1, keepdims=True), 1e-9)
    flat = spread * eye.angle[:, None] * [1, -1]
    count = len(eye.offsets)
    side = ISLAND - 0.01
    uv[BODY : BODY + count] = island(flat, (1 - ISLAND, 0.01), (side, side))
    uv[BODY + count :] = island(flat, (0.01, 0.01), (side, side))
    front = mean[:, :2] * [1, -1]
    teeth = np.flatnonzero(regions == FaceRegion.TEETH)
    gums = np.r_[GUMS]
    uv[teeth] = island(front[teeth], (0.01, 1 - ISLAND), (side, side))
    uv[gums] = island(mean[gums][:, [0, 2]], (1 - ISLAND, 1 - ISLAND), (side, side))


def simplify(model: Assembled, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (in assembled numbers) of the full and of the live mesh. keep: vertices that stay in both."""
    protected = np.zeros(len(model.mean), bool)
    protected[keep] = True
    shapes = np.stack([model.mean, *[model.mean + model.expression[EXPRESSION_NAMES.index(n)] for n in BENDING]])
    face = np.zeros(len(model.mean), bool)
    face[FACE] = True
    eyes = model.triangles[(model.triangles >= BODY).all(1)]
    importance = importance_of(model)
    full, live = [eyes], [eyes]
    parts = {"skin": SKIN, "gums": GUMS, "teeth": TEETH}
    for name, part in parts.items():
        triangles = model.triangles[((model.triangles >= part.start) & (model.triangles < part.stop)).all(1)]
        uv = model.uv if name == "skin" else None
        many = FULL[name] if name != "skin" else FACE.stop + FULL["head"] + FULL["mouth"] + FULL["sockets"]
        few = LIVE[name] if name != "skin" else sum(LIVE[n] for n in ("face", "head", "mouth", "sockets"))
        fine = decimate(shapes, triangles, many, importance, protected | (face & (name == "skin")), uv)
        full.append(fine)
        live.append(decimate(shapes, fine, few, importance, protected, uv))
    return np.concatenate(full), np.concatenate(live)


def importance_of(model: Assembled) -> np.ndarray:
    """(V,) weight of the simplification error: eyes, lips and nose first, the back of the head and gums last."""
    importance = np.full(len(model.mean), 0.3)
    importance[NARROW_FACE] = 1.0
    importance[HEAD], importance[MOUTH_SOCKET], importance[EYE_SOCKETS] = 0.02, 0.03, 0.05
    importance[GUMS], importance[TEETH] = 0.1, 0.2
    importance[np.isin(model.regions, (FaceRegion.U_LIP, FaceRegion.L_LIP))] = 5.0
    importance[model.regions == FaceRegion.NOSE] = 2.0
    for eye in (model.mean[BODY], model.mean[BODY] * [-1, 1, 1]):
        near = np.linalg.norm((model.mean[NARROW_FACE] - eye) * [1, 1.3, 0.6], axis=1) < 24
        importance[NARROW_FACE][near] = 5.0
    importance[model.regions == FaceRegion.EAR] = 0.15
    return importance


def write(model: Assembled, full: np.ndarray, live: np.ndarray, landmarks: np.ndarray, folder: Path) -> None:
    """Renumber (live vertices first) and save face.npz, and a plain albedo.npz where there is none that fits."""
    first = np.unique(live)
    order = np.r_[first, np.setdiff1d(np.unique(full), first)]
    number = np.full(len(model.mean), -1)
    number[order] = np.arange(len(order))
    closed = closed_mouth(model, landmarks)
    front = np.flatnonzero(np.isin(np.arange(len(model.mean)), first) & (np.arange(len(model.mean)) < FACE.stop))
    contour = sliding_contour(model.mean, vertex_normals(model.mean, model.triangles), landmarks, front)
    eyes = number[[BODY, BODY + (len(model.mean) - BODY) // 2]]
    stored: dict[str, np.ndarray] = {
        "mean": closed[order].astype(np.float32), "uv": model.uv[order].astype(np.float32),
        "regions": model.regions[order], "expression_names": np.array(EXPRESSION_NAMES),
        "triangles_full": number[full].astype(np.uint16), "triangles_live": number[live].astype(np.uint16),
        "landmarks": number[landmarks].astype(np.uint16), "contour": number[contour].astype(np.uint16),
        "source_vertices": order.astype(np.uint16), "eyes": eyes.astype(np.uint16),
        "eyeball_angle": model.eyeball_angle[order].astype(np.float32),
    }  # fmt: skip
    for name, basis in (("identity", model.identity), ("expression", model.expression)):
        planes, stored[f"{name}_steps"] = pack(basis[:, order], STEP_MM)
        stored[f"{name}_live"], stored[f"{name}_rest"] = planes[:, :, : len(first)], planes[:, :, len(first) :]
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "face.npz", **stored)  # type: ignore[arg-type]
    old = folder / "albedo.npz"
    if not fits(old, stored["source_vertices"]):
        plain = plain_albedo(stored["regions"], stored["eyeball_angle"], len(first))
        np.savez_compressed(old, source_vertices=stored["source_vertices"], **plain)  # type: ignore[arg-type]
        print("albedo: plain colours, now learn one with python -m tools.build_albedo")
    print(f"live {len(first)} vertices, {len(live)} triangles; full {len(order)} vertices, {len(full)} triangles; "
          f"{(folder / 'face.npz').stat().st_size / 2**20:.2f} + {old.stat().st_size / 2**20:.2f} MiB")  # fmt: skip


def closed_mouth(model: Assembled, landmarks: np.ndarray) -> np.ndarray:
    """(V, 3) the mean with its lips, which the source leaves 0.8 mm apart, brought together."""
    upper, lower = landmarks[[61, 62, 63]], landmarks[[67, 66, 65]]
    closing = model.expression[EXPRESSION_NAMES.index("mouthClose")]
    gap = (model.mean[upper, 1] - model.mean[lower, 1]).mean()
    per_weight = (closing[lower, 1] - closing[upper, 1]).mean()
    return model.mean + closing * ((gap - LIPS_APART_MM) / per_weight)


def fits(albedo: Path, source_vertices: np.ndarray) -> bool:
    """Whether an albedo.npz exists and is for just these vertices."""
    if not albedo.is_file():
        return False
    with np.load(albedo) as file:
        return "source_vertices" in file and np.array_equal(file["source_vertices"], source_vertices)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds face_model/")
    parser.add_argument("--out", type=Path, default=ASSETS)
    options = parser.parse_args()
    head = read_source(options.data / "face_model" / "ict_facekit_light.npz")
    model = assemble(head)
    full, live = simplify(model, head.landmarks)
    write(model, full, live, head.landmarks, options.out)


if __name__ == "__main__":
    main()
