"""Protocol `remembered`: does skin that was seen behind the rim beat what is invented for it?

Films in eyeglasses go through the whole chain as a file does: heads turn to both sides, the eyeglasses slide down the
nose and return, and over the last 24 frames, which are judged, the head has shown what its rims hide. Half of the
films are synthetic heads, half photographs moved as their fitted faces would move (only with faces/ in `--data`).

JSON, for each sort and for all: share (of the hole that is at least half remembered), invented and remembered (PSNR in
dB against the same frame without eyeglasses, over the remembered pixels of all judged frames), gain_db, hole_invented
and hole_remembered (the same over the whole hole), worse (share of films whose remembered pixels lose); ms (CPU time
of the stage, a frame); each: film by film. Picture: worn, invented, remembered, true, share; a row a film.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from realtime.align import STRIP, aligned_crop
from realtime.face.model import FaceModel, load_face_model
from realtime.frame import Faces, Frame
from realtime.options import Options
from realtime.pipeline import Pipeline, open_pipeline
from tools.evaluate.turning import FRAMES, RATE, REST, Turn, photographed_film, synthetic_film
from tools.factory.subjects import Subjects

FILMS = 8
INSIDE, MOSTLY = 230, 128  # of a mask, of a share: 0..255
SETS = ("helen",)


@dataclass
class Tally:
    """Squared errors of a film's judged frames. hole, used: pixels; of the four sums: before and after, in either."""

    hole: int = 0
    used: int = 0
    errors: np.ndarray = field(default_factory=lambda: np.zeros(4))
    seconds: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Without remembered pixels only the whole hole has figures."""
        found = {"share": self.used / max(self.hole, 1)}
        if self.hole:
            found["hole_invented"] = _psnr(self.errors[0], self.hole)
            found["hole_remembered"] = _psnr(self.errors[1], self.hole)
        if self.used:
            found |= {"invented": _psnr(self.errors[2], self.used), "remembered": _psnr(self.errors[3], self.used)}
            found["gain_db"] = found["remembered"] - found["invented"]
        return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--synthetic-only", action="store_true", help="leave the moved photographs out")


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray]:
    """Metrics and a sheet. Raises ValueError when the chain finds eyeglasses in no film."""
    tallies: dict[str, Tally] = {}
    rows = []
    chosen = Options(verb="video", quality=options.quality, provider=options.provider, faces=1)
    for name, film in films(options):
        pipeline = open_pipeline(chosen)
        try:
            tallies[name], row = judge(film, pipeline)
        finally:
            pipeline.close()
        rows.append(row)
    if not any(tally.hole for tally in tallies.values()):
        raise ValueError("the chain found no eyeglasses in any of the films")
    metrics: dict[str, Any] = {"all": summary(list(tallies.values()))}
    for sort in ("synthetic", "photograph"):
        some = [tally for name, tally in tallies.items() if name.startswith(sort)]
        if some:
            metrics[sort] = summary(some)
    seconds = np.concatenate([tally.seconds for tally in tallies.values()])
    each = {name: tally.figures() for name, tally in tallies.items()}
    return metrics | {"ms": float(1000 * np.mean(seconds)), "films": len(rows), "each": each}, np.vstack(rows)


def films(options: argparse.Namespace) -> Iterator[tuple[str, Iterator[Turn]]]:
    """(name, film) in turn: a synthetic head, a photograph, and so on."""
    model = load_face_model("live")
    subjects = Subjects(options.data, "val", SETS) if (options.data / "faces").is_dir() else None
    for number in range(options.limit or FILMS):
        if number % 2 and subjects is not None and not options.synthetic_only:
            yield f"photograph-{number}", _photograph(model, subjects, number, options.seed)
        else:
            yield f"synthetic-{number}", synthetic_film(model, subjects, number, options.seed)


def _photograph(model: FaceModel, subjects: Subjects, number: int, seed: int) -> Iterator[Turn]:
    subject = subjects.draw(model, np.random.default_rng((seed, number, 5)))
    return photographed_film(model, subject, number, seed)


def judge(film: Iterator[Turn], pipeline: Pipeline) -> tuple[Tally, np.ndarray]:
    """One film's errors, and a row of the sheet from its last judged frame."""
    tally, row = Tally(), np.zeros((STRIP.stop - STRIP.start, 5 * 256, 3), np.uint8)
    for index, turn in enumerate(film):
        invented, faces, seconds = through(pipeline, Frame(turn.worn, index, index, Fraction(1, RATE)))
        tally.seconds.append(seconds)
        if index < FRAMES - REST or invented is None or not faces or faces[0].mask is None:
            continue
        face = faces[0]
        assert face.crop is not None and face.crop_from_frame is not None and face.mask is not None
        truth, worn = (aligned_crop(one, face.crop_from_frame)[STRIP] for one in (turn.clean, turn.worn))
        before, after = invented[STRIP], face.crop[STRIP]
        hole = face.mask[STRIP] > INSIDE
        share = np.zeros(hole.shape, np.uint8) if face.remembered is None else face.remembered
        used = hole & (share >= MOSTLY)
        tally.hole, tally.used = tally.hole + int(hole.sum()), tally.used + int(used.sum())
        tally.errors += [_squared(made, truth, where) for where in (hole, used) for made in (before, after)]
        row = np.hstack([worn, before, after, truth, np.repeat(share[..., None], 3, 2)])
    return tally, row


def through(pipeline: Pipeline, frame: Frame) -> tuple[np.ndarray | None, Faces, float]:
    """The crop before anything was remembered, the finished faces, and the seconds of CPU that remembering took."""
    faces: Faces = ()
    invented, seconds = None, 0.0
    for group in pipeline.groups:
        for stage in group.stages:
            start = time.thread_time()
            before = faces[0].crop if faces else None
            frame, faces = stage(frame, faces)
            if stage.name == "remember":
                invented, seconds = before, time.thread_time() - start
    return invented, faces, seconds


def summary(tallies: list[Tally]) -> dict[str, float]:
    """Figures over all pixels of some films, and the share of films that lost."""
    total = Tally(sum(t.hole for t in tallies), sum(t.used for t in tallies), np.sum([t.errors for t in tallies], 0))
    lost = [t.errors[3] > t.errors[2] for t in tallies if t.used]
    return total.figures() | {"worse": float(np.mean(lost)) if lost else 0.0}


def _squared(made: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    return float(((made[where].astype(np.float64) - truth[where]) ** 2).sum() / 3)


def _psnr(squared: float, count: int) -> float:
    return float(10 * np.log10(255**2 / max(squared / count, 1e-2)))
