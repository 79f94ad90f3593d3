"""Protocol `parsing`: the deleter's class map on photographs that wear rendered glasses.

Each photograph wears clear and dark glasses in turn, by seed. JSON: iou_frame, iou_lens (clear, dark and glare
together), iou_clear_lens, iou_dark_lens, iou_glare, iou_glasses, each over all pixels of all pictures; kind_f1_macro of
the rendered kinds and of the bare photograph; shadow_mae, mean absolute error of the shadow ratio inside shadows.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from engines.networks.classes import Region
from realtime.align import STRIP
from realtime.face.model import FaceModel, load_face_model
from realtime.frame import Glasses
from realtime.planes import planes
from tools.evaluate.chain import network
from tools.evaluate.faces import LabelledFace, add_face_arguments, crop_of, faces_of
from tools.evaluate.parsing_scores import ParsingScores, f1_macro, painted
from tools.evaluate.picture import tiled
from tools.evaluate.removal import Found, Parse
from tools.factory.scanned import ScannedGlasses, load_scanned
from tools.factory.wear import wear
from tools.fit import fit_landmarks

SHOWN = 60
SHADED = 0.97  # a ratio below this is a shadow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_face_arguments(parser, ("helen", "celeba"))
    parser.add_argument(
        "--glasses-models", type=Path, help="folder of OBJ or GLB eyeglasses to wear, instead of our own"
    )


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics, and a sheet: picture, what the deleter said, the truth."""
    net = network("deleter", options.quality, options.provider, options.checkpoint)
    scanned = tuple(load_scanned(options.glasses_models)) if options.glasses_models else ()

    def parse(strip: np.ndarray) -> Found:
        return {name: np.array(values)[0] for name, values in net.run({"strip": planes(strip)}).items()}

    faces = itertools.islice(faces_of(options), options.limit)
    return evaluate_parsing(faces, parse, load_face_model("live"), options.seed, scanned)


def evaluate_parsing(
    faces: Iterable[LabelledFace],
    parse: Parse,
    model: FaceModel,
    seed: int = 0,
    scanned: tuple[ScannedGlasses, ...] = (),
) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics and sheet. Faces that seem to wear glasses already are left out of all but the count `worn`."""
    scores, kinds, shadows, tiles, worn, pictures = ParsingScores(), [], [], [], 0, 0
    for number, face in enumerate(faces):
        crop, points = crop_of(face.image, face.landmarks)
        bare = parse(crop[STRIP])
        if bare["kind"].argmax() != 0:
            worn += 1
            continue
        pictures += 1
        kinds.append((0, 0))
        coefficients = fit_landmarks(model, points, np.ones(68, np.float32))
        for kind in (Glasses.CLEAR, Glasses.DARK):
            rng = np.random.default_rng((seed, number, int(kind)))
            sample = wear(crop, coefficients, rng, kind=kind, model=model, scanned=scanned)
            picture, labels, ratio = sample.image[STRIP], sample.labels[STRIP], sample.shadow[STRIP]
            found = parse(picture)
            scores.add(labels, found["labels"])
            kinds.append((int(sample.kind), int(found["kind"].argmax())))
            shaded = (ratio < SHADED) & (labels < Region.FRAME)
            if shaded.any():
                shadows.append(float(np.abs(found["shadow"].mean(0) - ratio)[shaded].mean()))
            if len(tiles) < SHOWN:
                tiles.append(np.hstack([picture, painted(picture, found["labels"]), painted(picture, labels)]))
    true, said = np.array(kinds or [(0, 0)]).T
    metrics = {
        **scores.iou(), "kind_f1_macro": f1_macro(true, said, 3), "shadow_mae": float(np.mean(shadows or [0.0])),
        "pictures": pictures, "worn": worn,
    }  # fmt: skip
    return metrics, tiled(tiles or [np.zeros((128, 768, 3), np.uint8)], 2)
