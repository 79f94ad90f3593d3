"""The demo's actor: a synthetic head with eyeglasses from the factory, before a soft room, as a function of time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from realtime.face.blendshapes import expression_from
from realtime.face.coefficients import COUNT, SLICES
from realtime.face.light import directional
from realtime.face.model import FaceModel
from realtime.face.regions import FaceRegion
from realtime.frame import Glasses
from tools.demo.speech import Syllable, mouth_at
from tools.factory.paint import Skin, paint
from tools.factory.sensor import Sensor
from tools.factory.synthetic import render
from tools.factory.wear import wear

SIZE = (640, 480)
STAGE_X = 80  # the head stays in the square 480x480 from here: nothing else needs the factory
SPREAD = 0.6  # of identity and skin, in standard deviations
BLINKS_S, BLINK_HALF_S = (0.75, 2.3, 3.55), 0.11
SHIRT_RGB, COLLAR_RGB, COLLAR_MM = (66, 88, 112), (50, 68, 90), 10.0
BROW_PASSES = 1
MOUTH_DEPTH_MM = 20.0  # behind the front teeth light falls to 1 / e


@dataclass(frozen=True)
class Actor:
    """One person. family: rim family of the eyeglasses (`tools.factory.outlines`); glasses: seed of the pair."""

    model: FaceModel
    identity: np.ndarray
    texture: np.ndarray
    skin: Skin
    room: np.ndarray
    speech: tuple[Syllable, ...]
    family: str
    kind: Glasses
    glasses: int

    def coefficients(self, time_s: float) -> np.ndarray:
        """(239,) float32 in pixels of the frame."""
        coefficients = np.zeros(COUNT, np.float32)
        coefficients[SLICES["identity"]] = self.identity
        coefficients[SLICES["expression"]] = expression_from(mouth_at(self.speech, time_s) | _eyes_at(time_s))
        coefficients[SLICES["texture"]] = self.texture
        coefficients[SLICES["light"]] = directional(np.array([-0.55, 0.5, 0.75]), 0.72, 0.52)
        coefficients[SLICES["pose"]] = _pose_at(time_s)
        return coefficients

    def frame(self, index: int, rate: float) -> tuple[np.ndarray, np.ndarray]:
        """(480, 640, 3) uint8 RGB with eyeglasses, and the same without them."""
        coefficients = self.coefficients(index / rate)
        here = coefficients.copy()
        here[SLICES["pose"].start + 4] -= STAGE_X
        stage = self.room[:, STAGE_X : STAGE_X + SIZE[1]]
        bare = render(self.model, here, self.skin, stage)
        pair = np.random.default_rng(self.glasses)
        worn = wear(bare, here, pair, kind=self.kind, family=self.family, model=self.model, unusual=0.0,
                    hairy=self.skin.hairy)  # fmt: skip
        camera = _camera(index)
        return camera(self._scene(worn.image, here)), camera(self._scene(bare, here))

    def _scene(self, stage: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        picture = self.room.copy()
        picture[:, STAGE_X : STAGE_X + SIZE[1]] = stage
        scale, x, y = (float(v) for v in coefficients[SLICES["pose"]][3:])
        return _dress(picture, x + STAGE_X, y, scale)


def cast(
    model: FaceModel, speech: tuple[Syllable, ...], seed: int, family: str, glasses: int, kind: Glasses = Glasses.CLEAR
) -> Actor:
    """The person of a seed, in the eyeglasses of another."""
    rng = np.random.default_rng(seed)
    person = np.zeros(COUNT, np.float32)
    person[SLICES["identity"]] = SPREAD * rng.standard_normal(80)
    person[SLICES["texture"]] = SPREAD * rng.standard_normal(80)
    skin = _soften(model, paint(model, None, person, rng))
    identity, texture = person[SLICES["identity"]], person[SLICES["texture"]]
    return Actor(model, identity, texture, skin, _room(rng), speech, family, kind, glasses)


def _soften(model: FaceModel, skin: Skin) -> Skin:
    """Brows that end in single hairs, not in the mesh's vertices, and a mouth that is dark inside."""
    attributes = skin.attributes.copy()
    colours, regions = attributes[:, :3], model.regions
    face = np.isin(regions, (FaceRegion.SKIN, FaceRegion.L_BROW, FaceRegion.R_BROW, FaceRegion.NOSE)) & ~skin.hairy
    inside = face[model.triangles].all(1)
    corners = model.triangles[inside]
    for _ in range(BROW_PASSES):
        total = np.zeros((len(colours), 4), np.float32)
        mean = np.c_[colours[corners].mean(1), np.ones(len(corners))].astype(np.float32)
        for corner in corners.T:
            np.add.at(total, corner, mean)
        known = total[:, 3] > 0
        colours[known] = total[known, :3] / total[known, 3:]
    within = np.isin(regions, (FaceRegion.TEETH, FaceRegion.TONGUE, FaceRegion.MOUTH))
    depth = model.mean[regions == FaceRegion.TEETH, 2].max() - model.mean[within, 2]
    colours[within] *= np.exp(-np.clip(depth, 0, None) / MOUTH_DEPTH_MM)[:, None]
    return replace(skin, attributes=attributes)


def _wave(time_s: float, period_s: float, shift: float = 0.0) -> float:
    return float(np.sin(2 * np.pi * (time_s / period_s + shift)))


def _pose_at(time_s: float) -> np.ndarray:
    """(6,): turns to both sides and back within four seconds, nods, sways."""
    angles = 0.05 + 0.06 * _wave(time_s, 2.1), 0.30 * _wave(time_s, 4.0), 0.06 * _wave(time_s, 3.1, 0.2)
    place = SIZE[0] / 2 + 12 * _wave(time_s, 4.0), 0.46 * SIZE[1] + 5 * _wave(time_s, 2.1)
    return np.array([*angles, 1.36 + 0.04 * _wave(time_s, 4.0, 0.3), *place], np.float32)


def _eyes_at(time_s: float) -> dict[str, float]:
    """Blinks; the gaze stays on the camera while the head turns, and now and then leaves it."""
    closed = max(max(0.0, 1 - abs(time_s - blink) / BLINK_HALF_S) for blink in BLINKS_S)
    across = -0.45 * _wave(time_s, 4.0) + 0.35 * float(1.35 < time_s < 1.75)  # to the subject's left
    out, inward = max(across, 0.0), max(-across, 0.0)
    return {
        "eyeBlinkLeft": closed, "eyeBlinkRight": closed, "eyeLookOutLeft": out, "eyeLookInLeft": inward,
        "eyeLookInRight": out, "eyeLookOutRight": inward, "browInnerUp": 0.35 * max(_wave(time_s, 2.6, 0.1), 0.0),
    }  # fmt: skip


def _room(rng: np.random.Generator) -> np.ndarray:
    """(480, 640, 3) uint8: a wall, a window, a shelf and a plant, far out of focus."""
    width, height = SIZE
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    room = np.array([186.0, 178.0, 166.0]) * (1.05 - 0.4 * x - 0.18 * y)[..., None]
    cv2.rectangle(room, (18, 40), (150, 270), (236, 240, 244), -1)
    cv2.rectangle(room, (80, 40), (88, 270), (150, 146, 140), -1)
    for row in range(3):
        top = 90 + 95 * row
        cv2.rectangle(room, (470, top + 70), (640, top + 80), (104, 80, 60), -1)
        at = 478
        while at < 628:
            thick, tall = (int(v) for v in (rng.integers(9, 20), rng.integers(40, 66)))
            tone = tuple(float(v) for v in rng.uniform(60, 170) * np.exp(rng.normal(0, 0.1, 3)))
            cv2.rectangle(room, (at, top + 70 - tall), (at + thick, top + 69), tone, -1)
            at += thick + int(rng.integers(0, 9))
    for _ in range(26):
        centre = tuple(int(v) for v in (rng.normal(60, 34), rng.normal(370, 40)))
        axes = (int(rng.integers(14, 34)), int(rng.integers(4, 9)))
        tone = tuple(float(v) for v in np.array([62, 104, 58]) * rng.uniform(0.7, 1.3))
        cv2.ellipse(room, centre, axes, float(rng.uniform(0, 180)), 0, 360, tone, -1)
    return np.clip(cv2.GaussianBlur(room, (0, 0), 9), 0, 255).astype(np.uint8)


def _dress(picture: np.ndarray, x: float, y: float, scale: float) -> np.ndarray:
    """Shoulders in a shirt with a ribbed collar, lit from the window's side, in front of where the neck ends."""
    height, width = picture.shape[:2]
    rows = (np.arange(height, dtype=np.float32)[:, None] - y) / scale  # mm under the middle of the head
    across = ((np.arange(width, dtype=np.float32) - x) / scale)[None]
    top = _shoulders(np.abs(across))
    alpha = np.clip((rows - top) * scale + 0.5, 0, 1)[..., None]
    rib = np.clip((COLLAR_MM - (rows - top)) * scale + 0.5, 0, 1)[..., None] * (np.abs(across) < 84)[..., None]
    folds = 1 + 0.05 * np.sin(across / 11 + rows / 60) + 0.03 * np.sin(across / 4.1 - rows / 33)
    round_mm = np.clip((rows - top) / 40, 0, 1)
    lit = np.clip(0.92 - across / 500, 0.3, 1.3) * folds * (0.72 + 0.28 * round_mm)
    cloth = (np.array(COLLAR_RGB) * rib + np.array(SHIRT_RGB) * (1 - rib)) * lit[..., None]
    return np.clip(picture * (1 - alpha) + cloth * alpha + 0.5, 0, 255).astype(np.uint8)


def _shoulders(across_mm: np.ndarray) -> np.ndarray:
    """Where the shirt begins, mm under the middle of the head, at these distances (mm) from its axis."""
    hole = 132 + 24 * np.sqrt(np.clip(1 - (across_mm / 66) ** 2, 0, 1))
    slope = np.clip(across_mm - 66, 0, None)
    return hole + 0.33 * slope + 0.004 * np.clip(slope - 110, 0, None) ** 2


def _camera(seed: int) -> Sensor:
    """A webcam in good light."""
    return Sensor((1.0, 1.0, 1.0), 1.0, 1.0, 0.45, 0.0, 0.0, 0.9, 1.1, 0, seed)
