"""What the avatar wears: a woollen hat with a rolled brim and a bobble, locks of hair under it, and a scarf."""

from __future__ import annotations

import numpy as np

from tools.avatar_build.colours import HAIR, HAT, HAT_BRIM, SCARF
from tools.avatar_build.solids import Solid, ball, joined, plain, turned_profile
from tools.avatar_build.strips import strip

AXIS = np.array([0.0, np.cos(np.radians(27)), -np.sin(np.radians(27))])  # the hat sits towards the back
CENTRE = np.array([0.0, 42.0, -58.0])
SEGMENTS = 48
CLEARANCE_MM = 4.0
BRIM_MM, BRIM_HIGH_MM = 9.0, 24.0  # thickness and height of the roll


def hat(skin: Solid) -> Solid:
    """A dome over all of the head that lies above the brim, the brim around it, the bobble on top."""
    centre, (side, front, top) = _room(skin)
    lift = np.linspace(0, np.pi / 2, 14)
    dome = np.stack([np.cos(lift) ** 0.7, np.sin(lift) * top], axis=1)
    dome[-1, 0] = 0.0
    crown = turned_profile(centre, AXIS, dome, plain(len(dome), HAT), SEGMENTS, (side, front))
    spin = np.linspace(-0.5 * np.pi, 1.5 * np.pi, 13)
    roll = np.stack([1 + BRIM_MM / side * (0.1 + np.cos(spin)), BRIM_HIGH_MM / 2 * np.sin(spin) + 4.0], axis=1)
    brim = turned_profile(centre, AXIS, roll, plain(len(roll), HAT_BRIM), SEGMENTS, (side, front))
    bobble_at = centre + AXIS * (top + 12)
    angles = np.linspace(0, np.pi, 12)
    bobble = ball(bobble_at, np.full(3, 21.0), AXIS, angles, plain(len(angles), HAT_BRIM), 20)
    return joined([crown, brim, bobble])


def _room(skin: Solid) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Centre (3,) and half axes (mm) of the dome, to the side, to the front, upwards: the head above the brim fits."""
    front_axis = np.cross([1.0, 0.0, 0.0], AXIS)
    around = skin.vertices - CENTRE
    above = around[around @ AXIS > 0]
    forward = above @ front_axis
    middle = (forward.max() + forward.min()) / 2
    shape = np.array([np.abs(above[:, 0]).max(), np.ptp(forward) / 2, (above @ AXIS).max()])
    parts = np.stack([above[:, 0], forward - middle, above @ AXIS], axis=1) / shape
    bulge = np.linalg.norm(parts[:, :2], axis=1).max()  # the dome is steep: its walls are what must clear
    grown = shape * [bulge, bulge, 1.06] + CLEARANCE_MM
    return CENTRE + middle * front_axis, (float(grown[0]), float(grown[1]), float(grown[2] + 6))


def locks(skin: Solid) -> list[Solid]:
    """A fringe that shows under the brim, swept to the subject's left."""
    still = Solid(skin.vertices, skin.triangles, skin.colours, np.zeros((0, len(skin.vertices), 3)))
    found = []
    for x, reach, drop in ((-50, -12, 26), (-30, -24, 30), (-14, 34, 28), (10, 36, 29), (36, 26, 30), (52, 10, 26)):
        curve = np.array([[x, 86.0], [x + 0.2 * reach, 86.0 - 0.5 * drop], [x + reach, 86.0 - drop]])
        found.append(strip(still, curve, np.array([26.0, 27.0, 5.0]), 7.0, HAIR, steps=10))
    return found


def scarf(skin: Solid) -> Solid:
    """A thick ring around the cut of the neck, closed below."""
    low = skin.vertices[:, 1].min()
    cut = skin.vertices[skin.vertices[:, 1] < low + 12]
    centre = np.array([0.0, low + 6, (cut[:, 2].max() + cut[:, 2].min()) / 2])
    radius = np.abs(cut[:, 0]).max() + 2
    depth = float(np.ptp(cut[:, 2])) / 2 + 2
    spin = np.linspace(-0.5 * np.pi, np.pi, 12)
    profile = np.stack([1 + 0.32 * np.cos(spin), 19 * np.sin(spin)], axis=1)
    profile = np.concatenate([[[0.0, -19.0]], profile])
    return turned_profile(centre, np.array([0.0, 1.0, 0.12]), profile, plain(len(profile), SCARF), SEGMENTS,
                          (float(radius), depth))  # fmt: skip
