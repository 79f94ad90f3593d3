"""What was seen of a turning head comes back behind a rim, better than what inpainting makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from realtime.align import STRIP
from realtime.face.coefficients import SLICES
from realtime.face.light import directional
from realtime.face.model import load_face_model
from realtime.skin_memory import SkinMemory
from realtime.skin_patch import skin_patch
from realtime.stages.remember import bare_skin
from tools.factory.paint import paint
from tools.factory.synthetic import render

SKIN = np.ones((128, 256), np.uint8)  # labels
FRAMES = 24


def rim(yaw: float, slid_px: float) -> np.ndarray:
    """(128, 256) uint8 mask of two rings before the eyes, which a turn moves against the skin."""
    mask = np.zeros((128, 256), np.uint8)
    for x in (90, 165):
        centre = round(16 * (x + 26 * np.sin(yaw))), round(16 * (66 + slid_px))
        cv2.ellipse(mask, centre, (16 * 30, 16 * 24), 0, 0, 360, 255, 9, cv2.LINE_AA, 4)
    return mask


def turning_head(slip_px: float) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(clean strip, rim, coefficients as tracked), the tracked mesh up to `slip_px` beside the skin."""
    model, rng = load_face_model("live"), np.random.default_rng(4)
    head = np.zeros(239, np.float32)
    head[SLICES["identity"]], head[SLICES["texture"]] = 0.6 * rng.standard_normal((2, 80))
    head[SLICES["light"]] = directional(np.array([-0.4, 0.4, 0.8]), 0.5, 0.6)
    skin = paint(model, None, head, rng)
    for frame in range(FRAMES):
        share = frame / (FRAMES - 8)
        yaw = np.radians(20) * np.sin(2 * np.pi * share) if share < 1 else 0.0
        head[SLICES["pose"]] = [0.05, yaw, 0, 1.15, 127.5, 104]
        clean = render(model, head, skin, np.full((256, 256, 3), 120, np.uint8))
        tracked = head.copy()
        tracked[SLICES["pose"]][4:] += slip_px * np.array([np.sin(frame), np.cos(frame)]) * 0.7
        slid = 9.0 if FRAMES - 8 <= frame < FRAMES - 4 else 0.0
        yield clean[STRIP], rim(yaw, slid), tracked


def psnr(made: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / ((made[where].astype(float) - truth[where]) ** 2).mean()))


@pytest.mark.parametrize("slip_px", [0.0, 1.5])
def test_remembered_skin_beats_inpainting_by_three_decibels(slip_px: float) -> None:
    memory = SkinMemory(skin_patch(load_face_model("live")))
    for clean, mask, coefficients in turning_head(slip_px):
        strip = cv2.inpaint(clean, cv2.dilate(mask, np.ones((3, 3), np.uint8)), 3, cv2.INPAINT_TELEA)
        recalled = memory.look(strip, bare_skin(SKIN, mask), mask, memory.patch.view(coefficients))
    assert recalled is not None
    filled, share = recalled
    known = (share > 0.5) & (mask == 255)
    assert 0.1 < known.sum() / (mask == 255).sum() < 1
    assert psnr(filled, clean, known) > psnr(strip, clean, known) + 3
    np.testing.assert_array_equal(filled[mask == 0], strip[mask == 0])


def test_nothing_is_known_of_what_was_never_seen() -> None:
    memory = SkinMemory(skin_patch(load_face_model("live")))
    clean, mask, coefficients = next(turning_head(0.0))
    view = memory.patch.view(coefficients)
    assert memory.look(clean, bare_skin(SKIN, mask), mask, view) is None
    for _ in range(4):
        recalled = memory.look(clean, bare_skin(SKIN, mask), mask, view)
    assert recalled is not None and recalled[1][mask > 200].max() < 0.2


def test_another_face_is_not_believed() -> None:
    memory = SkinMemory(skin_patch(load_face_model("live")))
    clean, mask, coefficients = next(turning_head(0.0))
    view, nothing = memory.patch.view(coefficients), np.zeros_like(mask)
    for _ in range(4):
        memory.look(clean, bare_skin(SKIN, nothing), nothing, view)
    same = memory.look(clean, bare_skin(SKIN, mask), mask, view)
    memory.trust[:] = 0
    noise = np.random.default_rng(0).integers(0, 255, clean.shape, np.uint8)
    other = memory.look(noise, bare_skin(SKIN, mask), mask, view)
    assert same is not None and other is not None
    assert other[1][mask > 200].mean() < 0.1 * same[1][mask > 200].mean()


def test_bare_skin_keeps_its_distance() -> None:
    mask = np.zeros((128, 256), np.uint8)
    mask[:, 100:110] = 40
    labels = SKIN.copy()
    labels[:20] = 0
    bare = bare_skin(labels, mask)
    assert bare[60, 100:110].max() == 0 and bare[:20].max() == 0 and bare[60, 114] == 255 > bare[60, 112] > 0
    labels[60:, 200:] = 12  # a clear lens
    assert bare_skin(labels, None)[70, 200:].max() == 0 and bare_skin(labels, None)[40, 100] == 255
