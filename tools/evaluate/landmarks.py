"""Protocol `landmarks`: detector and N_L as the program runs them, on pictures whose 68 points are known.

Data: pictures beside `landmarks68.npz` (`names` without ending, `points` (N, 68, 2), pixel centres at integers), or
the photographs' folder (then Helen, `--split val`). JSON: nme (mean over faces, over the outer eye corners, a
fraction), nme_inner51, auc8 (area under the cumulative error curve to 8 %), failure10 (share above 10 %), misses,
faces, auc_confidence where faceless pictures are at hand; nme and nme_inner51 by skin tone and by what the face wears
as the deleter says it (`groups.py`). A face that the chain misses counts as a failure; its points
then come from the box of the true ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from realtime.align import (
    LANDMARK_CROP_SIZE,
    STRIP,
    aligned_crop,
    box_of,
    crop_from_landmarks,
    invert,
    landmark_crop_from_box,
    transform_points,
)
from realtime.frame import Frame, Glasses
from realtime.planes import planes
from realtime.stages.landmarks import Landmarks, warp_small
from realtime.stages.locate import DetectionSettings, Locate
from realtime.tracking import Tracker, overlap
from tools.drawn_glasses import draw_glasses
from tools.evaluate.chain import network
from tools.evaluate.groups import Groups, skin_tone_group
from tools.evaluate.measures import area_under_cumulative, area_under_roc, normalised_mean_error
from tools.evaluate.picture import curve
from tools.photos import Photographs, decode

ENDINGS = (".webp", ".png", ".jpg", ".jpeg", ".bmp")
SAME_FACE = 0.3  # overlap of the found and the true box
FACES = 64  # looked for in a picture; the labelled one need not be the largest


@dataclass(frozen=True, slots=True)
class Answer:
    """points (68, 2); confidence of N_L on the true box; missed: the chain did not find this face."""

    points: np.ndarray
    confidence: float
    missed: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", default="val", help="of the photographs' index, where there is one")
    parser.add_argument(
        "--detector-checkpoint", type=Path, help="measure with this detector instead of the shipped one"
    )
    parser.add_argument("--true-boxes", action="store_true", help="give N_L the box of the true points: no detector")
    parser.add_argument("--drawn-glasses", action="store_true", help="draw glasses on every face first, by --seed")
    parser.add_argument(
        "--shards", type=Path, help="measure on Helen's faces of these factory shards that wear glasses"
    )
    parser.add_argument("--background", type=Path, help="folder of faceless pictures, for auc_confidence")


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics and the cumulative error curve. Raises FileNotFoundError when there are no labels."""
    net = network("landmarks", options.quality, options.provider, options.checkpoint)
    detector = None
    if not options.true_boxes:
        detector = network("detector", options.quality, options.provider, options.detector_checkpoint)
    deleter = network("deleter", options.quality, options.provider)
    answers, truth, groups = [], [], []
    faces = rendered(options.shards) if options.shards else labelled_pictures(options.data, options.split)
    for i, (image, points) in enumerate(islice(faces, options.limit)):
        if options.drawn_glasses:
            image = draw_glasses(image, points, np.random.default_rng((options.seed, i)))
        answers.append(landmarks_of(image, points, net, detector))
        truth.append(points)
        groups.append({"skin_tone": skin_tone_group(image, points), "lens": worn_kind(deleter, image, points)})
    negatives = [
        points_in(net, image, box)[1] for image, box in faceless(options.data, options.background, options.split)
    ]
    if not answers:
        raise ValueError(f"{options.shards or options.data}: no labelled face to measure on")
    metrics, errors = measures(answers, np.stack(truth), negatives)
    by_group = Groups()
    for (every, inner), group in zip(errors, groups, strict=True):
        by_group.add("nme", float(every), **group)
        by_group.add("nme_inner51", float(inner), **group)
    metrics |= by_group.report()
    title = f"68 points, {len(errors)} faces: NME {100 * metrics['nme']:.2f} %"
    return metrics, curve({"all 68": errors[:, 0], "inner 51": errors[:, 1]}, 0.15, title)


def measures(answers: list[Answer], truth: np.ndarray, negatives: list[float]) -> tuple[dict[str, Any], np.ndarray]:
    """The JSON's figures, and each face's error over all and over the inner points, (N, 2)."""
    points, missed = np.stack([answer.points for answer in answers]), np.array([answer.missed for answer in answers])
    every, inner = normalised_mean_error(points, truth), normalised_mean_error(points, truth, inner=True)
    metrics: dict[str, Any] = {
        "nme": float(every.mean()), "nme_inner51": float(inner.mean()),
        "auc8": area_under_cumulative(np.where(missed, np.inf, every), 0.08),
        "failure10": float((missed | (every > 0.10)).mean()), "misses": int(missed.sum()), "faces": len(answers),
    }  # fmt: skip
    if negatives:
        confidence = np.array([answer.confidence for answer in answers])
        metrics["auc_confidence"] = area_under_roc(confidence, np.array(negatives))
    return metrics, np.stack([every, inner], 1)


def worn_kind(deleter: Any, image: np.ndarray, points: np.ndarray) -> str:
    """none, clear or dark: what a face wears, as the deleter says it."""
    crop = aligned_crop(image, crop_from_landmarks(points))
    return Glasses(int(np.argmax(deleter.run({"strip": planes(crop[STRIP])})["kind"]))).name.lower()


def landmarks_of(image: np.ndarray, truth: np.ndarray, net: Any, detector: Any | None) -> Answer:
    """The chain's answer for the face whose true (68, 2) points are known; `detector` None: its true box is given."""
    true_box = box_of(truth)
    points, confidence = points_in(net, image, true_box)
    if detector is None:
        return Answer(points, confidence, False)
    tracker = Tracker(limit=FACES)
    frame, faces = Locate(detector, tracker, DetectionSettings(stills=True))(Frame(image, 0), ())
    faces = Landmarks(net, tracker, careful=True)(frame, faces)[1]
    shared = [float(overlap(face.box, true_box).max()) for face in faces]
    if not shared or max(shared) < SAME_FACE:
        return Answer(points, confidence, True)
    return Answer(faces[int(np.argmax(shared))].landmarks, confidence, False)


def points_in(net: Any, image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, float]:
    """N_L on the upright crop around a (4,) box: (68, 2) picture pixels and the confidence."""
    crop_from_frame = landmark_crop_from_box(box)
    found = net.run({"crop": planes(warp_small(image, crop_from_frame, LANDMARK_CROP_SIZE))})
    points = np.array(found["points"], np.float32).reshape(68, 2)
    return transform_points(invert(crop_from_frame), points), float(np.reshape(found["confidence"], -1)[0])


def labelled_pictures(data: Path, split: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(picture, (68, 2) points) of every labelled picture. Raises FileNotFoundError where labels or pictures lack."""
    labels = data / "landmarks68.npz"
    if labels.exists():
        listed = np.load(labels)
        for name, points in zip(listed["names"], listed["points"], strict=True):
            paths = [path for ending in ENDINGS if (path := data / f"{name}{ending}").exists()]
            if not paths:
                raise FileNotFoundError(f"{labels} lists {name}, but there is no such picture beside it")
            yield decode(paths[0].read_bytes(), str(paths[0])), points.astype(np.float32)
        return
    helen = data / "faces" / "helen_landmarks68.npz"
    if not helen.exists():
        raise FileNotFoundError(f"no labels: {data} holds neither landmarks68.npz nor faces/helen_landmarks68.npz")
    listed = np.load(helen)
    known = {f"{name}.webp": points for name, points in zip(listed["names"], listed["points"], strict=True)}
    photos = Photographs(data)
    for photo in photos.of_set("helen", split):
        yield photos.read(photo), known[photo.file].astype(np.float32)


def rendered(shards: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(aligned 256x256 crop, (68, 2) points) of Helen's faces with rendered glasses; their points are hand-made."""
    for path in sorted(shards.glob("*.npz")):
        with np.load(path) as shard:
            if "image_offsets" not in shard.files:  # worn.npz, removed.npz
                continue
            helen = np.char.startswith(shard["source"].astype(str), "helen/")
            encoded, ends, points = shard["image"], shard["image_offsets"], shard["points"]
            for i in np.flatnonzero(helen & (shard["kind"] > 0)):
                yield decode(encoded[ends[i] : ends[i + 1]], f"{path} picture {i}"), points[i].astype(np.float32)


def faceless(data: Path, folder: Path | None, split: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(picture, box) crops without a face: four squares of each faceless picture, always the same."""
    if folder is not None:
        images = (
            decode(path.read_bytes(), str(path)) for path in sorted(folder.iterdir()) if path.suffix.lower() in ENDINGS
        )
    elif (data / "faces").is_dir():
        photos = Photographs(data)
        images = (photos.read(photo) for photo in photos.of_set("background", split))
    else:
        return
    rng = np.random.default_rng(0)
    for image in images:
        height, width = image.shape[:2]
        for _ in range(4):
            half = rng.uniform(0.12, 0.35) * min(height, width)
            centre = rng.uniform([half, half], [width - half, height - half])
            yield image, np.concatenate([centre - half, centre + half])
