"""Protocol `texture`: how near T_final comes to what a photograph shows, where it was seen and where it was hidden.

Of every photograph without glasses the far side of a head turned by 46 degrees is hidden; what then fills it is
compared with the photograph. JSON, mean absolute differences of display values 0..1, weighted by how well the camera
saw the place: hidden_3dmm (the 3DMM's texture alone), hidden_unrefined (the live texture without T_final: mirror image,
3DMM in the seen tone), hidden (with T_final), hidden_final (T_final alone); seen_3dmm, seen_final (nothing hidden);
identity_3dmm, identity_final (cosine of the face recogniser's features between photograph and drawn face, nothing
hidden; where one ships); `tones` (`hidden` by skin tone); run_ms (median, one thread); pictures. The sheet: photograph,
what was left, then drawn: 3DMM, unrefined fill, T_final; 3DMM and T_final turned by 30 degrees.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime.align import STRIP
from realtime.anchor import anchor
from realtime.face.model import FaceModel, load_face_model
from realtime.face.regions import FACE_SKIN
from realtime.face.uv import paint_atlas
from realtime.planes import planes
from realtime.regressor import Regressor
from realtime.texture import LiveTexture
from tools.evaluate.chain import network
from tools.evaluate.faces import add_face_arguments, crop_of, faces_of
from tools.evaluate.groups import group_means, skin_tone_group
from tools.evaluate.picture import tiled
from tools.train.looks import ATLAS, Look, hidden_from, look_at, shown, turned

YAW = 0.8  # radians
BARE = 0.7  # least probability of "no glasses", by the deleter
SHOWN = 24
Refine = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # texture, seen, crop -> T_final, without the batch


@dataclass(frozen=True, eq=False)
class Case:
    """One photograph: aligned crop (256, 256, 3) uint8, points (68, 2) and coefficients (239,) in its pixels."""

    crop: np.ndarray
    points: np.ndarray
    coefficients: np.ndarray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_face_arguments(parser, ("helen", "celeba"))


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics and sheet. Raises ValueError when no photograph without glasses shows a face."""
    model, taken = load_face_model("live"), []
    refiner = network("refiner", options.quality, options.provider, options.checkpoint)
    coefficients, recogniser, deleter = (
        network(name, options.quality, options.provider) for name in ("coefficients", "recogniser", "deleter")
    )
    regressor = Regressor(coefficients, recogniser)

    def refine(texture: np.ndarray, seen: np.ndarray, crop: np.ndarray) -> np.ndarray:
        start = time.perf_counter()
        said = refiner.run({"texture": texture[None], "seen": seen[None], "crop": planes(crop)})["texture_final"]
        taken.append(1000 * (time.perf_counter() - start))
        return np.array(said)[0]

    def cases() -> Any:
        for face in faces_of(options):
            crop, points = crop_of(face.image, face.landmarks)
            if deleter.run({"strip": planes(crop[STRIP])})["kind"][0, 0] >= BARE:
                yield Case(crop, points, anchor(model, regressor(crop), points))

    def embed(picture: np.ndarray) -> np.ndarray:
        return np.array(recogniser.run({"crop": planes(picture)})["features"])[0]

    metrics, sheet = evaluate_texture(itertools.islice(cases(), options.limit), refine, model, embed)
    return {**metrics, "run_ms": float(np.median(taken))}, sheet


def evaluate_texture(
    cases: Any, refine: Refine, model: FaceModel, embed: Callable[[np.ndarray], np.ndarray] | None = None
) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics without the time, and the sheet."""
    scores: dict[str, list[float]] = {}
    tones: list[tuple[str, float]] = []
    tiles: list[np.ndarray] = []
    for number, case in enumerate(cases):
        look = look_at(model, case.crop, case.coefficients, case.points)
        stays = turned(model, YAW if number % 2 else -YAW)
        found, row = _judge(case, look, stays, refine, model)
        if embed is not None:
            of_photo = embed(look.photo)
            whole = refine(look.texture, look.seen, look.photo)
            for name, colours in (("identity_3dmm", look.texture), ("identity_final", whole)):
                found[name] = float(of_photo @ embed(shown(model, colours, look, case.coefficients)))
        for name, value in found.items():
            scores.setdefault(name, []).append(value)
        tones.append((skin_tone_group(case.crop, case.points), found["hidden"]))
        tiles += row if number < SHOWN else []
    if not tones:
        raise ValueError("no photograph without glasses shows a face: nothing to judge")
    metrics: dict[str, Any] = {name: float(np.mean(values)) for name, values in scores.items()}
    return {**metrics, "tones": group_means({"hidden": tones})["hidden"], "pictures": len(tones)}, tiled(tiles, 7)


def _judge(
    case: Case, look: Look, stays: np.ndarray, refine: Refine, model: FaceModel
) -> tuple[dict[str, float], list[np.ndarray]]:
    """The errors of one photograph, and its row of the sheet."""
    seen, blank, _ = hidden_from(look, model, stays)
    final, whole = refine(look.texture, seen, blank), refine(look.texture, look.seen, look.photo)
    truth, live = LiveTexture(model, ATLAS), LiveTexture(model, ATLAS)
    for texture in (truth, live):
        texture.look(case.crop, case.coefficients, case.points)
    left = in_atlas(model, stays)
    live.seen *= left
    weight = truth.seen * (1 - left) * in_atlas(model, np.isin(model.regions, FACE_SKIN))
    shade = (in_atlas(model, look.shade / look.shade.max()) * look.shade.max())[..., None]
    true = np.minimum(truth.albedo / truth.expose(), 1)
    fills = {
        "hidden_3dmm": paint_atlas(model, look.texture, ATLAS), "hidden_unrefined": live.picture(look.texture)[..., :3],
        "hidden": live.picture(look.texture, final)[..., :3], "hidden_final": paint_atlas(model, final, ATLAS),
    }  # fmt: skip
    found = {}
    for name, fill in fills.items():
        gap = np.abs((fill / np.float32(255) - true) * shade).mean(2)
        found[name] = float((gap * weight).sum() / max(float(weight.sum()), 1e-6))
    for name, colours in (("seen_3dmm", look.texture), ("seen_final", whole)):
        gap = np.abs((colours - look.seen[:, :3]) * look.shade[:, None]).mean(1) * look.seen[:, 3]
        found[name] = float(gap.sum() / max(float(look.seen[:, 3].sum()), 1e-6))
    row = [look.photo, blank]
    unrefined = live.picture(look.texture)
    texel = np.clip(model.uv * ATLAS, 0, ATLAS - 1).astype(int)
    old = np.where(unrefined[..., 3:] > 0, unrefined[..., :3], paint_atlas(model, look.texture, ATLAS))
    old_colours = old[texel[:, 1], texel[:, 0]].astype(np.float32) / 255
    row += [shown(model, colours, look, case.coefficients) for colours in (look.texture, old_colours, final)]
    row += [shown(model, colours, look, case.coefficients, np.radians(30)) for colours in (look.texture, final)]
    return found, row


def in_atlas(model: FaceModel, values: np.ndarray) -> np.ndarray:
    """(V,) values 0..1 of the vertices -> (ATLAS, ATLAS) float32."""
    return paint_atlas(model, np.repeat(np.float32(values)[:, None], 3, axis=1), ATLAS)[..., 0] / np.float32(255)
