"""Protocol `removal`: glasses are rendered onto clean photographs by seed, removed again, and compared with the truth.

Each photograph wears clear and dark glasses in turn. Every method gets the same input: the rendered picture, its cast
shadow undone by the deleter as at run time, and the true mask grown by two pixels. JSON: psnr_frame, ssim_frame (clear
glasses, inside the mask: frame and glare), psnr_dark_lens, ssim_dark_lens (dark glasses, inside the lenses), the same
with _telea and _ns for `cv2.inpaint`, with _chain for what the whole chain makes of the hole it found itself, and with
_bare, _bare_telea and _bare_ns for the same hole cut into the clean photograph (no shadow or lens around it); iou_* of
the parsing; shadow_dice (ratio below 0.95, skin beside the glasses). Of the whole chain's result, with `_worn` for the
picture with its glasses on: psnr_shadow, psnr_eyes, psnr_tint, psnr_glare (`tools/evaluate/light.py`), gaze_change,
eyelid_change (`eyes_kept.py`), identity, identity_cosine, identity_jitter_cosine (`identity.py`; absent where G's
weights are). by_kind (rim family or model file), by_lens, by_skin_tone, worst_group, worst_group_ratio: see
`groups.py`; pictures. Photographs whose face wears glasses already (the deleter says so) are left out.
"""

from __future__ import annotations

import argparse
import itertools
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engines.base import EngineError
from engines.networks.classes import Region
from realtime.align import STRIP, box_of
from realtime.face.model import FaceModel, load_face_model
from realtime.frame import Glasses
from realtime.lenses import BRIDGE, Lens, lenses_of, unbend_strip
from realtime.paste import blend, divide
from realtime.planes import picture, planes
from realtime.regressor import shrunk
from realtime.stages.delete import DeleteSettings, colours_last, feather, glasses_probability, hole_of, shadow_on_skin
from realtime.stages.generate import generator_input
from realtime.stages.unbend import log_scale
from tools.evaluate.chain import network
from tools.evaluate.eyes_kept import EyesKept
from tools.evaluate.faces import LabelledFace, add_face_arguments, crop_of, faces_of
from tools.evaluate.groups import skin_tone_group
from tools.evaluate.identity import IdentityKept
from tools.evaluate.inpainting import masked_scores, navier_stokes, telea
from tools.evaluate.landmarks import points_in
from tools.evaluate.light import judge_light, shaded_skin
from tools.evaluate.parsing_scores import ParsingScores, painted
from tools.evaluate.picture import tiled
from tools.evaluate.removed import Found, Judge, Removed
from tools.evaluate.tally import Scores
from tools.factory.scanned import ScannedGlasses, load_scanned
from tools.factory.wear import Sample, wear
from tools.fit import fit_landmarks
from tools.train.masks import deleted_mask, grown

__all__ = ["Fill", "Found", "Parse", "evaluate", "evaluate_removal", "remove"]
log = logging.getLogger(__name__)
GROWN_PX = 2
SHOWN = 48
Parse = Callable[[np.ndarray], Found]  # (128, 256, 3) uint8 -> its outputs
Fill = Callable[[np.ndarray], np.ndarray]  # (1, 5, 128, 256) -> (128, 256, 3) uint8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_face_arguments(parser, ("helen", "celeba"))
    parser.add_argument(
        "--glasses-models", type=Path, help="folder of OBJ or GLB eyeglasses to wear, instead of our own"
    )
    parser.add_argument("--deleter-checkpoint", type=Path, help="measure with this deleter instead of the shipped one")
    parser.add_argument("--lenses-checkpoint", type=Path, help="the same for the network that undoes the lenses' power")


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics, and a sheet: before, with glasses, parsing, the whole chain, true mask, Telea."""
    parse, fill = deleter_and_generator(options)
    scanned = tuple(load_scanned(options.glasses_models)) if options.glasses_models else ()
    faces = itertools.islice(faces_of(options), options.limit)
    model = load_face_model("live")
    return evaluate_removal(faces, parse, fill, model, options.seed, scanned, judges_of(options))


def deleter_and_generator(options: argparse.Namespace) -> tuple[Parse, Fill]:
    """Both networks as functions; the generator is that of `--checkpoint`, if one is given."""
    deleter = network("deleter", options.quality, options.provider, options.deleter_checkpoint)
    generator = network("generator", options.quality, options.provider, options.checkpoint)

    lenses = network("lenses", options.quality, options.provider, options.lenses_checkpoint)

    def parse(strip: np.ndarray) -> Found:
        found = {name: np.array(values)[0] for name, values in deleter.run({"strip": planes(strip)}).items()}
        return {**found, "scale": np.exp(log_scale(lenses, strip))}

    def fill(channels: np.ndarray) -> np.ndarray:
        return picture(np.array(generator.run({"strip": channels})["strip_filled"])[0])

    return parse, fill


def judges_of(options: argparse.Namespace) -> list[Judge]:
    """Who looks at each result: light and eyes, and identity where the recogniser's weights are."""
    landmarks = network("landmarks", options.quality, options.provider)
    judges: list[Judge] = [
        judge_light,
        EyesKept(lambda crop, near: points_in(landmarks, crop, box_of(near))[0], options.seed),
    ]
    try:
        recogniser = network("recogniser", options.quality, options.provider)
    except EngineError as why:
        log.warning("identity is not measured, for want of a recogniser: %s", why)
        return judges

    def recognise(crop: np.ndarray) -> np.ndarray:
        return np.array(recogniser.run({"crop": planes(shrunk(crop))})["features"])[0]

    return [*judges, IdentityKept(recognise, options.seed)]


@dataclass
class Tally:
    """What is counted over all pictures, and the sheet's tiles."""

    scores: Scores = field(default_factory=Scores)
    parsing: ParsingScores = field(default_factory=ParsingScores)
    shadow: list[int] = field(default_factory=lambda: [0, 0])  # pixels said plus true, pixels in both
    tiles: list[np.ndarray] = field(default_factory=list)
    pictures: int = 0

    def metrics(self) -> dict[str, Any]:
        dice = {"shadow_dice": 2 * self.shadow[1] / self.shadow[0]} if self.shadow[0] else {}
        return {**self.scores.report(), **dice, **self.parsing.iou(), "pictures": self.pictures}


def evaluate_removal(
    faces: Iterable[LabelledFace], parse: Parse, fill: Fill, model: FaceModel, seed: int = 0,
    scanned: tuple[ScannedGlasses, ...] = (), judges: Sequence[Judge] = (judge_light,),
) -> tuple[dict[str, Any], np.ndarray]:  # fmt: skip
    """Metrics and sheet; each face wears clear and dark glasses of its own seed. judges: see `removed.Judge`."""
    tally = Tally()
    for number, face in enumerate(faces):
        crop, points = crop_of(face.image, face.landmarks)
        if parse(crop[STRIP])["kind"].argmax() != 0:
            continue
        coefficients = fit_landmarks(model, points, np.ones(68, np.float32))
        tally.pictures += 1
        for kind in (Glasses.CLEAR, Glasses.DARK):
            rng = np.random.default_rng((seed, number, int(kind)))
            sample = wear(crop, coefficients, rng, kind=kind, model=model, scanned=scanned)
            removed = remove(sample, points, parse, fill, number)
            if judge_fill(removed, fill, tally):
                for judge in judges:
                    judge(removed, tally.scores)
    return tally.metrics(), tiled(tally.tiles, 1) if tally.tiles else np.zeros((128, 256, 3), np.uint8)


def remove(sample: Sample, points: np.ndarray, parse: Parse, fill: Fill, number: int = 0) -> Removed:
    """The chain's stages delete and generate on one crop, whose kind of glasses is known."""
    settings = DeleteSettings()
    found = parse(sample.image[STRIP])
    hole = hole_of(glasses_probability(found["glasses"], sample.kind), points, settings)
    lifted = sample.image[STRIP].copy()
    divide(lifted, shadow_on_skin(colours_last(found["shadow"]), found["labels"], hole), settings.shadow_floor)
    lenses: tuple[Lens, ...] = ()
    if sample.kind is Glasses.CLEAR and "scale" in found:
        lenses = lenses_of(found["labels"], float(points[BRIDGE, 0].mean()), float(found["scale"]))
        lifted, hole = unbend_strip(lifted, lenses), unbend_strip(hole, lenses)
    mask = feather(hole, settings.feather_px)
    result, strip = sample.image.copy(), lifted.copy()
    blend(strip, fill(generator_input(lifted, mask, points)), mask)
    result[STRIP] = strip
    tone = skin_tone_group(sample.clean, points)
    return Removed(number, sample, points, found, hole, lifted, result, tone, lenses)


def judge_fill(removed: Removed, fill: Fill, tally: Tally) -> bool:
    """Every method's scores in the holes of one picture; False when its glasses hide nothing."""
    truth, worn, result = removed.strips()
    sample, found, labels = removed.sample, removed.found, removed.sample.labels[STRIP]
    tally.parsing.add(labels, found["labels"])
    mask = grown(deleted_mask(labels), GROWN_PX)
    if not mask.any():
        return False
    said = shaded_skin(labels, found["shadow"].mean(0))
    true = shaded_skin(labels, sample.shadow[STRIP])
    tally.shadow[0] += int(said.sum() + true.sum())
    tally.shadow[1] += int((said & true).sum())
    lifted = worn.copy()
    divide(lifted, shadow_on_skin(colours_last(found["shadow"]), found["labels"], mask), DeleteSettings().shadow_floor)
    straight, moved = unbend_strip(lifted, removed.lenses), unbend_strip(mask, removed.lenses)
    dark = sample.kind is Glasses.DARK
    inside = mask * (labels == Region.DARK_LENS) if dark else mask
    points = removed.points
    made = {
        "": composed(fill, straight, moved, points), "_telea": telea(lifted, mask), "_ns": navier_stokes(lifted, mask),
        "_chain": result,
        # the hole cut into the clean photograph itself: the generator alone, no shadow, no lens, no reflection
        "_bare": composed(fill, truth, mask, points),
        "_bare_telea": telea(truth, mask), "_bare_ns": navier_stokes(truth, mask),
    }  # fmt: skip
    part = "dark_lens" if dark else "frame"
    for method, one in made.items():
        groups = removed.groups if method in ("", "_chain") else {}
        for name, value in zip(("psnr", "ssim"), masked_scores(truth, one, inside), strict=True):
            tally.scores.note(f"{name}_{part}{method}", value, **groups)
    if len(tally.tiles) < SHOWN:
        tally.tiles.append(np.hstack([truth, worn, painted(worn, found["labels"]), result, made[""], made["_telea"]]))
    return True


def composed(fill: Fill, strip: np.ndarray, mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The strip with its masked pixels synthesised, as the live loop does."""
    made = fill(generator_input(strip, mask, points))
    return np.where(mask[..., None] > 0, made, strip)
