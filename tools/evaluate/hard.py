"""Protocol `hard`: removal where it is hard, case by case, beside plain glasses on the same photographs.

Cases: plain, plain_dark; mirrored sunglasses, strong lenses, rimless, thick rims over the brows, low_light, a face_mask
under the glasses, hair over them, each on `--limit` clean photographs (default 24); children, plain glasses on
photographs of 8 to 12 year olds (UTKFace's ages); turned_30_45 and turned_45_60, synthetic heads turned so many degrees
to either side. JSON: for every case the figures of protocol `removal`, kind_right (share whose kind of glasses the
deleter says rightly) and nme (the landmark network on the worn picture, true box); worst_case and worst_case_ratio: the
figure that is how many times as bad as with plain glasses.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from realtime.align import STRIP, box_of
from realtime.face.model import FaceModel, load_face_model
from tools.evaluate.chain import network
from tools.evaluate.faces import FaceFinder, add_face_arguments, crop_of, faces_of
from tools.evaluate.groups import times_as_bad
from tools.evaluate.hard_cases import CASES, Bare, plain
from tools.evaluate.landmarks import points_in
from tools.evaluate.measures import normalised_mean_error
from tools.evaluate.picture import tiled
from tools.evaluate.removal import Fill, Parse, Tally, deleter_and_generator, judge_fill, judges_of, remove
from tools.evaluate.removed import Judge, Removed
from tools.evaluate.tally import Scores
from tools.factory.subjects import Subjects
from tools.factory.synthetic import synthetic_head
from tools.factory.wear import Sample
from tools.fit import fit_landmarks
from tools.photos import Photographs

EACH = 24  # pictures of a case
CHILDREN = (8, 12)  # years
TURNS_DEG = ((30, 45), (45, 60))
COMPARED = ("psnr_frame_chain", "psnr_dark_lens_chain", "psnr_eyes", "identity", "kind_right", "nme", "gaze_change")
SHOWN = 4  # tiles of a case
Pictures = Iterator[tuple[Sample, np.ndarray]]  # with the true (68, 2) points


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_face_arguments(parser, ("helen",))
    parser.add_argument("--deleter-checkpoint", type=Path, help="measure with this deleter instead of the shipped one")
    parser.add_argument("--lenses-checkpoint", type=Path, help="the same for the network that undoes the lenses' power")
    parser.add_argument("--cases", nargs="+", help="only these (default: all)")


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics, and a sheet with SHOWN tiles of every case. Raises ValueError for an unknown case."""
    model = load_face_model("live")
    parse, fill = deleter_and_generator(options)
    landmarks = network("landmarks", options.quality, options.provider)

    def judge_points(removed: Removed, scores: Scores) -> None:
        found = points_in(landmarks, removed.sample.image, box_of(removed.points))[0]
        scores.note("nme", float(normalised_mean_error(found[None], removed.points[None])[0]))

    judges = [*judges_of(options), judge_points]
    known = pictures_by_case(options, parse, model)
    unknown = set(options.cases or []) - known.keys()
    if unknown:
        raise ValueError(f"no case {', '.join(sorted(unknown))}; there is {', '.join(known)}")
    chosen = options.cases or list(known)
    return evaluate_cases({name: known[name] for name in chosen}, parse, fill, judges)


def evaluate_cases(
    cases: dict[str, Pictures], parse: Parse, fill: Fill, judges: list[Judge]
) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics by case and the sheet; a case without pictures is left out."""
    metrics, tiles = {}, []
    for name, pictures in cases.items():
        tally = Tally()
        for sample, points in tqdm(pictures, desc=name, unit="picture"):
            removed = remove(sample, points, parse, fill, tally.pictures)
            tally.pictures += 1
            right = int(np.argmax(removed.found["kind"])) == int(sample.kind)
            tally.scores.note("kind_right", float(right))
            if judge_fill(removed, fill, tally):
                for judge in judges:
                    judge(removed, tally.scores)
        if tally.pictures:
            metrics[name] = tally.metrics()
            tiles += tally.tiles[:SHOWN]
    if not metrics:
        raise ValueError("no clean photograph with a face: nothing to measure")
    return {**metrics, **worst_case(metrics)}, tiled(tiles or [np.zeros((128, 256, 3), np.uint8)], 2)


def worst_case(metrics: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is how many times as bad as with plain glasses (dark ones, for figures of dark lenses)."""
    ratios = {}
    for case, figures in metrics.items():
        for figure in COMPARED:
            base = metrics.get("plain_dark" if figure.startswith("psnr_dark") else "plain", {})
            if not case.startswith("plain") and figure in figures and figure in base:
                ratios[f"{case} {figure}"] = times_as_bad(figure, figures[figure], base[figure])
    if not ratios:
        return {}
    worst = max(ratios, key=lambda name: ratios[name])
    return {"worst_case": worst, "worst_case_ratio": ratios[worst], "times_as_bad_as_plain": ratios}


def pictures_by_case(options: argparse.Namespace, parse: Parse, model: FaceModel) -> dict[str, Pictures]:
    """Generators of every case's pictures; nothing is made before it is asked for."""
    each = options.limit or EACH
    found: dict[str, Pictures] = {}
    for number, (name, case) in enumerate(CASES.items()):
        bare = itertools.islice(bare_faces(faces_as_crops(options), parse, model), each)
        found[name] = _worn(bare, case, model, (options.seed, number))
    children = itertools.islice(bare_faces(children_crops(options), parse, model), each)
    found["children"] = _worn(children, plain, model, (options.seed, 0))
    for low, high in TURNS_DEG:
        found[f"turned_{low}_{high}"] = _worn(
            turned(options, model, (low, high), each), plain, model, (options.seed, low)
        )
    return found


def _worn(bare: Iterable[Bare], case: Any, model: FaceModel, seed: tuple[int, ...]) -> Pictures:
    for number, one in enumerate(bare):
        yield case(one, np.random.default_rng((*seed, number)), model), one.points


def faces_as_crops(options: argparse.Namespace) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for face in faces_of(options):
        yield crop_of(face.image, face.landmarks)


def children_crops(options: argparse.Namespace) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Crops and points of UTKFace's children; the age is the first number of a file's name."""
    photos = Photographs(options.data)
    finder: FaceFinder | None = None
    for photo in photos.of_set("utkface", options.split):
        if CHILDREN[0] <= int(photo.file.split("_")[0]) <= CHILDREN[1]:
            finder = finder or FaceFinder(options.quality, options.provider)
            image = photos.read(photo)
            points = finder(image)
            if points is not None:
                yield crop_of(image, points)


def bare_faces(crops: Iterable[tuple[np.ndarray, np.ndarray]], parse: Parse, model: FaceModel) -> Iterator[Bare]:
    """Those on which the deleter sees no glasses, fitted."""
    for crop, points in crops:
        if parse(crop[STRIP])["kind"].argmax() == 0:
            yield Bare(crop, points, fit_landmarks(model, points, np.ones(68, np.float32)))


def turned(options: argparse.Namespace, model: FaceModel, degrees: tuple[int, int], count: int) -> Iterator[Bare]:
    """Synthetic heads turned by that many degrees, to either side in turn."""
    subjects = Subjects(options.data, options.split, ("helen",))
    for number in range(count):
        rng = np.random.default_rng((options.seed, degrees[0], number))
        yaw = float(rng.uniform(*degrees)) * (1 if number % 2 else -1)
        head = synthetic_head(model, subjects, rng, yaw)
        yield Bare(head.image, head.points, head.coefficients, head.hairy)
