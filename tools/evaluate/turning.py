"""Films of people in eyeglasses who turn their heads and whose eyeglasses slide, with the same frames without them.

Two sorts: synthetic heads, exact in three dimensions, and photographs moved as their fitted face would move.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from realtime.face.camera import project
from realtime.face.coefficients import SLICES, pose
from realtime.face.model import FaceModel
from realtime.frame import Glasses
from shaders.software import interpolate, rasterise
from tools.factory.paint import paint
from tools.factory.subjects import Subject, Subjects
from tools.factory.synthetic import render, sample_coefficients
from tools.factory.wear import wear

SIZE, RATE = 384, 25
TURN, SLIDE, REST = 44, 16, 24  # frames: the head turns to both sides, the eyeglasses slide and return, it rests
FRAMES = TURN + SLIDE + REST
SLID_MM = 8.0
HEAD_YAW_DEG, PHOTOGRAPH_YAW_DEG, PITCH_DEG = 25.0, 12.0, 6.0
FAMILIES = ("square", "round", "browline", "aviator", "cat_eye", "rectangle")


@dataclass(frozen=True)
class Turn:
    """One frame of a film: worn and clean (h, w, 3) uint8, with and without eyeglasses."""

    worn: np.ndarray
    clean: np.ndarray


def motion(frame: int, yaw_deg: float) -> tuple[np.ndarray, float]:
    """(yaw, pitch, roll) in radians that are added to a pose, and how far the eyeglasses have slid, mm."""
    share = min(frame / TURN, 1.0)
    turned = np.radians([yaw_deg, PITCH_DEG, 0]) * np.sin([2 * np.pi * share, 4 * np.pi * share, 0])
    sway = 0.02 * np.sin(np.array([frame / 7, frame / 11, frame / 9]))
    slid = np.clip(1.5 * np.sin(np.pi * np.clip((frame - TURN) / SLIDE, 0, 1)), 0, 1)
    return sway + turned, SLID_MM * float(slid)


def synthetic_film(model: FaceModel, subjects: Subjects | None, number: int, seed: int) -> Iterator[Turn]:
    """A synthetic head in (384, 384, 3) pictures; its skin is a photograph's now and then, where there are subjects."""
    rng = np.random.default_rng((seed, number))
    head = sample_coefficients(model, rng)
    head[SLICES["expression"]] = 0
    skin = paint(model, subjects, head, rng)
    background = np.full((SIZE, SIZE, 3), rng.integers(60, 200, 3), np.uint8)
    pair = int(rng.integers(1 << 30))
    for frame in range(FRAMES):
        (yaw, pitch, roll), slid = motion(frame, HEAD_YAW_DEG)
        place = SIZE / 2 + 2 * np.sin(frame / 5), SIZE * 0.45 + 2 * np.sin(frame / 8)
        head[SLICES["pose"]] = [0.03 + pitch, yaw, roll, 1.5, *place]
        clean = render(model, head, skin, background)
        yield Turn(_worn(clean, head, pair, number, slid, model, skin.hairy), clean)


def photographed_film(model: FaceModel, subject: Subject, number: int, seed: int) -> Iterator[Turn]:
    """A photograph's aligned crop, moved as its fitted face moves, in (256, 256, 3) pictures."""
    pair = int(np.random.default_rng((seed, number, 1)).integers(1 << 30))
    for frame in range(FRAMES):
        turn, slid = motion(frame, PHOTOGRAPH_YAW_DEG)
        moved = np.array(subject.coefficients, copy=True)
        moved[SLICES["pose"]] += [turn[1], turn[0], turn[2], 0, 2 * np.sin(frame / 5), 2 * np.sin(frame / 8)]
        clean = moved_photograph(model, subject.crop, subject.coefficients, moved)
        yield Turn(_worn(clean, moved, pair, number, slid, model, None), clean)


def moved_photograph(model: FaceModel, photo: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8: a photograph of a face with (239,) coefficients `before`, as if the face were at `after`.

    Beside the mesh the picture follows the nearest of it.
    """
    source, target = (project(model.vertices(one), pose(one)) for one in (before, after))
    _, triangle, inside = rasterise(target, model.triangles, photo.shape[:2], cull=True)
    shift = interpolate(np.ascontiguousarray(source[:, :2] - target[:, :2]), model.triangles, triangle, inside)
    known = (triangle >= 0).astype(np.float32)
    smooth = np.zeros_like(shift)
    missing = np.ones(known.shape, np.float32)
    for sigma in (1.5, 6.0, 25.0, 100.0):
        weight = cv2.GaussianBlur(known, (0, 0), sigma)
        near = cv2.GaussianBlur(shift * known[..., None], (0, 0), sigma) / np.maximum(weight, 1e-4)[..., None]
        share = missing * np.clip(weight * 4, 0, 1)
        smooth += near * share[..., None]
        missing -= share
    columns, rows = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in photo.shape[1::-1]))
    return cv2.remap(photo, columns + smooth[..., 0], rows + smooth[..., 1], cv2.INTER_CUBIC,
                     borderMode=cv2.BORDER_REFLECT_101)  # fmt: skip


def _worn(
    clean: np.ndarray, head: np.ndarray, pair: int, number: int, slid_mm: float, model: FaceModel,
    hairy: np.ndarray | None,
) -> np.ndarray:  # fmt: skip
    rng = np.random.default_rng(pair)
    family = FAMILIES[number % len(FAMILIES)]
    return wear(clean, head, rng, kind=Glasses.CLEAR, family=family, model=model, unusual=0, hairy=hairy,
                slid_mm=slid_mm).image  # fmt: skip
