"""Light and colour per vertex, on the CPU: what every renderer then only interpolates.

Per vertex is nearly twice as fast as per fragment on software GL, and a face mesh is far finer than its shading.
"""

from __future__ import annotations

import cv2
import numpy as np

from shaders.base import Draw, Mode

# Real spherical harmonics to order 2: 1, y, z, x, xy, yz, 3z^2-1, xz, x^2-y^2, with Lambert's cosine folded in, as in
# `realtime.face.light` (a test holds the two together): a surface shows albedo times light.
HARMONICS = (0.282095, 0.488603, 0.488603, 0.488603, 1.092548, 1.092548, 0.315392, 1.092548, 0.546274)
SH_CONSTANTS = (np.array(HARMONICS) * np.array([1, *[2 / 3] * 3, *[1 / 4] * 5])).astype(np.float32)
STUDIO_LIGHT = (np.array([0.55, 0.16, 0.40, 0.10, 0, 0, 0, 0, 0]) / SH_CONSTANTS).astype(np.float32)  # for SHADED
CLAY = 0.8  # grey of SHADED, and of a draw without colours
LINE_COLOUR = (0.45, 0.95, 1.0)  # of WIREFRAME
FAR_GREY = 0.15  # of DEPTH, so that the farthest point still stands out from black
TURBO_BGR = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_TURBO)  # (256, 1, 3)
HEAT_COLOURS = TURBO_BGR[:, 0, ::-1].astype(np.float32) / 255


def lit_colours(draw: Draw, mode: Mode, depth_range: tuple[float, float]) -> np.ndarray:
    """(V, 4) float32: colour times light, and the light alone (for the texture), of each vertex in a mode.

    depth_range: farthest and nearest z of the picture, for DEPTH. Raises ValueError when HEATMAP has no scalar.
    """
    light = None
    if mode is Mode.TEXTURED:
        base, light = draw.colours, draw.light
    elif mode is Mode.SHADED:
        base, light = None, STUDIO_LIGHT if draw.light is None else draw.light
    elif mode is Mode.WIREFRAME:
        base, light = np.full((len(draw.vertices), 3), LINE_COLOUR, np.float32), STUDIO_LIGHT
    elif mode is Mode.DEPTH:
        farthest, nearest = depth_range
        nearness = (draw.vertices[:, 2] - farthest) / max(nearest - farthest, 1e-6)
        base = np.repeat(FAR_GREY + (1 - FAR_GREY) * np.clip(nearness, 0, 1)[:, None], 3, 1)
    elif draw.scalar is None:
        raise ValueError("a heat map needs Draw.scalar")
    else:
        base = HEAT_COLOURS[np.clip(np.nan_to_num(draw.scalar) * 255 + 0.5, 0, 255).astype(np.uint8)]
    if base is None:
        base = np.full((len(draw.vertices), 3), CLAY, np.float32)
    lit = np.empty((len(draw.vertices), 4), np.float32)
    lit[:, 3] = 1.0 if light is None else shade(draw.normals, light)
    np.multiply(base, lit[:, 3:], out=lit[:, :3])
    return lit


def shade(normals: np.ndarray, light: np.ndarray) -> np.ndarray:
    """(V,) float32 light that falls on (V, 3) unit normals from (9,) coefficients, never negative."""
    x, y, z = np.ascontiguousarray(normals.T, np.float32)
    w = np.asarray(light, np.float32) * SH_CONSTANTS
    # Horner-like in x, y and z: a fifth of the passes over memory that nine products would take.
    value = (w[3] + w[4] * y + w[7] * z + w[8] * x) * x
    value += (w[1] + w[5] * z - w[8] * y) * y
    value += (w[2] + 3 * w[6] * z) * z
    value += w[0] - w[6]
    return np.maximum(value, 0, out=value)
