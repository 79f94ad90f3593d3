"""Protocol `removal`: glasses are rendered onto clean photographs by seed, removed again, and compared with the truth.

Each photograph wears clear and dark glasses in turn. Every method gets the same input: the rendered picture, its cast
shadow undone by the deleter as at run time, and the true mask grown by two pixels. JSON: psnr_frame, ssim_frame (clear
glasses, inside the mask: frame and glare), psnr_dark_lens, ssim_dark_lens (dark glasses, inside the lenses), the same
with _telea and _ns for `cv2.inpaint`, with _chain for the mask that the deleter itself found, and with _bare,
_bare_telea and _bare_ns for the same hole cut into the clean photograph (no shadow or lens around it); iou_* of the
parsing; psnr_eyes (the whole chain, both eyes behind clear lenses, what was not repainted) and psnr_eyes_worn before;
shadow_dice (ratio below 0.95, skin beside the glasses), psnr_shadow in true shadows after the division and
psnr_shadow_worn before; by_kind and by_skin_tone: the first four figures by rim family (or model file) and by the
cheeks' colour; pictures. Photographs whose face wears glasses already (the deleter says so) are left out.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engines.networks.classes import Region
from realtime.align import STRIP, STRIP_TOP
from realtime.face.model import FaceModel, load_face_model
from realtime.frame import Glasses
from realtime.paste import divide
from realtime.planes import picture, planes
from realtime.stages.delete import DeleteSettings, glasses_probability, grow, shadow_on_skin
from realtime.stages.generate import generator_input, match_colours
from tools.evaluate.chain import network
from tools.evaluate.faces import LabelledFace, add_face_arguments, crop_of, faces_of
from tools.evaluate.groups import eye_region, group_means, skin_tone_group
from tools.evaluate.inpainting import masked_scores, navier_stokes, telea
from tools.evaluate.parsing_scores import ParsingScores, painted
from tools.evaluate.picture import tiled
from tools.factory.scanned import ScannedGlasses, load_scanned
from tools.factory.wear import Sample, wear
from tools.fit import fit_landmarks
from tools.train.masks import deleted_mask, grown

GROWN_PX = 2
SHADED = 0.05  # shadow counts from this loss of light on
SHOWN = 48
Found = dict[str, np.ndarray]  # the deleter's outputs for one strip
Parse = Callable[[np.ndarray], Found]  # (128, 256, 3) uint8 -> its outputs
Fill = Callable[[np.ndarray], np.ndarray]  # (1, 5, 128, 256) -> (128, 256, 3) uint8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_face_arguments(parser, ("helen", "celeba"))
    parser.add_argument(
        "--glasses-models", type=Path, help="folder of OBJ or GLB eyeglasses to wear, instead of our own"
    )
    parser.add_argument("--deleter-checkpoint", type=Path, help="measure with this deleter instead of the shipped one")


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics, and a sheet: before, with glasses, parsing, the whole chain, true mask, Telea."""
    deleter = network("deleter", options.quality, options.provider, options.deleter_checkpoint)
    generator = network("generator", options.quality, options.provider, options.checkpoint)
    scanned = tuple(load_scanned(options.glasses_models)) if options.glasses_models else ()

    def parse(strip: np.ndarray) -> Found:
        return {name: np.array(values)[0] for name, values in deleter.run({"strip": planes(strip)}).items()}

    def fill(channels: np.ndarray) -> np.ndarray:
        return picture(np.array(generator.run({"strip": channels})["strip_filled"])[0])

    faces = itertools.islice(faces_of(options), options.limit)
    return evaluate_removal(faces, parse, fill, load_face_model("live"), options.seed, scanned)


@dataclass
class Tally:
    """Scores by key and the sheet's tiles, while pictures come in."""

    scores: dict[str, list[float]] = field(default_factory=dict)
    by_kind: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    by_skin_tone: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    shadow: list[int] = field(default_factory=lambda: [0, 0])  # pixels said and true together, and of both
    parsing: ParsingScores = field(default_factory=ParsingScores)
    tiles: list[np.ndarray] = field(default_factory=list)
    pictures: int = 0

    def add(
        self, part: str, method: str, truth: np.ndarray, made: np.ndarray, inside: np.ndarray, kind: str, tone: str
    ) -> None:
        psnr, ssim = masked_scores(truth, made, inside)
        if not np.isfinite(psnr):
            return
        for name, value in (("psnr", psnr), ("ssim", ssim)):
            self.scores.setdefault(f"{name}_{part}{method}", []).append(value)
            if not method:
                self.by_kind.setdefault(f"{name}_{part}", []).append((kind, value))
                self.by_skin_tone.setdefault(f"{name}_{part}", []).append((tone, value))

    def note(self, name: str, truth: np.ndarray, made: np.ndarray, inside: np.ndarray) -> None:
        """PSNR alone, of a region that is not a hole."""
        psnr, _ = masked_scores(truth, made, inside.astype(np.uint8))
        if np.isfinite(psnr):
            self.scores.setdefault(name, []).append(psnr)

    def metrics(self) -> dict[str, Any]:
        means: dict[str, Any] = {key: float(np.mean(values)) for key, values in sorted(self.scores.items())}
        if self.shadow[0]:
            means["shadow_dice"] = 2 * self.shadow[1] / self.shadow[0]
        groups = {"by_kind": group_means(self.by_kind), "by_skin_tone": group_means(self.by_skin_tone)}
        return {**means, **self.parsing.iou(), **groups, "pictures": self.pictures}


def evaluate_removal(
    faces: Iterable[LabelledFace], parse: Parse, fill: Fill, model: FaceModel, seed: int = 0,
    scanned: tuple[ScannedGlasses, ...] = (),
) -> tuple[dict[str, Any], np.ndarray]:  # fmt: skip
    """Metrics and sheet; each face wears clear and dark glasses of its own seed."""
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
            _judge(sample, points, parse, fill, tally)
    return tally.metrics(), tiled(tally.tiles, 1) if tally.tiles else np.zeros((128, 256, 3), np.uint8)


def _judge(sample: Sample, points: np.ndarray, parse: Parse, fill: Fill, tally: Tally) -> None:
    """Remove one picture's glasses by every method, and keep the scores."""
    truth, worn, labels = sample.clean[STRIP], sample.image[STRIP], sample.labels[STRIP]
    found = parse(worn)
    tally.parsing.add(labels, found["labels"])
    mask = grown(deleted_mask(labels), GROWN_PX)
    if not mask.any():
        return
    chain_mask = grow(glasses_probability(found["glasses"], sample.kind) > 0.5, DeleteSettings().grow_px)
    lifted, chain = worn.copy(), worn.copy()
    divide(lifted, shadow_on_skin(found["shadow"][0], found["labels"], mask), DeleteSettings().shadow_floor)
    divide(chain, shadow_on_skin(found["shadow"][0], found["labels"], chain_mask), DeleteSettings().shadow_floor)
    _judge_light(sample, points, found, lifted, (chain, chain_mask), tally)
    dark = sample.kind is Glasses.DARK
    inside = mask * (labels == Region.DARK_LENS) if dark else mask
    part = "dark_lens" if dark else "frame"
    made = {
        "": composed(fill, lifted, mask, points), "_telea": telea(lifted, mask), "_ns": navier_stokes(lifted, mask),
        "_chain": composed(fill, chain, chain_mask, points),
    }  # fmt: skip
    bare = {  # the hole cut into the clean photograph itself: the generator alone, no shadow, no lens, no reflection
        "_bare": composed(fill, truth, mask, points),
        "_bare_telea": telea(truth, mask),
        "_bare_ns": navier_stokes(truth, mask),
    }
    tone = skin_tone_group(sample.clean, points)
    for method, result in (made | bare).items():
        tally.add(part, method, truth, result, inside, sample.family, tone)
    if len(tally.tiles) < SHOWN:
        tally.tiles.append(
            np.hstack([truth, worn, painted(worn, found["labels"]), made["_chain"], made[""], made["_telea"]])
        )


def _judge_light(
    sample: Sample, points: np.ndarray, found: Found, lifted: np.ndarray, chain: tuple[np.ndarray, np.ndarray],
    tally: Tally,
) -> None:  # fmt: skip
    """What the glasses did to the light of pixels that stay: cast shadow on the skin, tint and glare over the eyes."""
    truth, worn, labels, ratio = (whole[STRIP] for whole in (sample.clean, sample.image, sample.labels, sample.shadow))
    skin = (labels < Region.FRAME) & (labels != Region.BACKGROUND)
    said, true = (found["shadow"][0] < 1 - SHADED) & skin, (ratio < 1 - SHADED) & skin
    tally.shadow[0] += int(said.sum() + true.sum())
    tally.shadow[1] += int((said & true).sum())
    if true.any():
        tally.note("psnr_shadow", truth, lifted, true)
        tally.note("psnr_shadow_worn", truth, worn, true)
    if sample.kind is Glasses.CLEAR:
        kept = eye_region(points - (0, STRIP_TOP), truth.shape) & (labels == Region.CLEAR_LENS) & (chain[1] == 0)
        tally.note("psnr_eyes", truth, chain[0], kept)
        tally.note("psnr_eyes_worn", truth, worn, kept)


def composed(fill: Fill, strip: np.ndarray, mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The strip with its masked pixels synthesised, colours matched around the hole, as the live loop does."""
    made = match_colours(fill(generator_input(strip, mask, points)), strip, mask)
    return np.where(mask[..., None] > 0, made, strip)
