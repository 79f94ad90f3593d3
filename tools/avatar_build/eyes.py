"""The avatar's eyeball: rings of colour around the optical axis, and a glint."""

from __future__ import annotations

import numpy as np

from tools.avatar_build.solids import Solid, ball, joined

EYE_FACTOR = 1.5
RADIUS_MM = 15.07 * EYE_FACTOR  # as `warp.Swelling` grows the model's
SEGMENTS = 40
# Degrees from the axis, colour: two rings at one angle are a clean edge.
RINGS = (
    (0, (0.06, 0.05, 0.07)), (11, (0.06, 0.05, 0.07)), (11, (0.42, 0.26, 0.13)), (17, (0.62, 0.40, 0.18)),
    (24, (0.40, 0.24, 0.12)), (24, (0.14, 0.08, 0.06)), (27, (0.14, 0.08, 0.06)), (27, (0.97, 0.97, 0.97)),
    (38, (0.97, 0.97, 0.97)), (52, (0.94, 0.93, 0.93)), (68, (0.88, 0.86, 0.86)), (86, (0.80, 0.76, 0.76)),
    (105, (0.70, 0.66, 0.66)),
)  # fmt: skip
GLINTS = ((16.0, 40.0, 5.0), (14.0, 215.0, 2.4))  # degrees from the axis, degrees around it, degrees wide


def eyeball() -> Solid:
    """Centred on the origin, looking along z."""
    angles = np.radians([angle for angle, _ in RINGS])
    white = np.ones((3, 3))
    whole = ball(np.zeros(3), np.full(3, RADIUS_MM), np.array([0, 0, 1.0]), angles,
                 np.array([colour for _, colour in RINGS]), SEGMENTS)  # fmt: skip
    glints = []
    for away, around, wide in GLINTS:
        a, r = np.radians(away), np.radians(around)
        axis = np.array([np.sin(a) * np.cos(r), np.sin(a) * np.sin(r), np.cos(a)])
        rings = np.radians([0, wide / 2, wide])
        glints.append(ball(np.zeros(3), np.full(3, RADIUS_MM * 1.012), axis, rings, white, 16))
    return joined([whole, *glints])
