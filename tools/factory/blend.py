"""The two inner loops of `layers`: what a lens reflects and lets through, and how samples become pixels."""

from __future__ import annotations

import numpy as np
from numba import njit

BRIGHTEST = 1.6  # a lamp's image on a thin rim would otherwise flicker between samples


@njit(cache=True, nogil=True, fastmath=True)
def glaze(hit, normals, y_mm, top_mm, bottom_mm, top, bottom, reflectance, level, panorama):  # type: ignore[no-untyped-def]
    """Transmission and reflection (h, w, 3) float32 of lenses at samples: tint from top to bottom, Fresnel (Schlick).

    hit (h, w) bool, normals (h, w, 3), y_mm (h, w); top, bottom: (3,) transmission; reflectance (3,) facing the
    camera; level (3,) brightness of the surroundings; panorama (H, W, 3) as in `environment`.
    """
    height, width = hit.shape
    rows, columns = panorama.shape[0], panorama.shape[1]
    transmission = np.ones((height, width, 3), np.float32)
    reflection = np.zeros((height, width, 3), np.float32)
    span = top_mm - bottom_mm + np.float32(1e-6)
    for i in range(height):
        for j in range(width):
            if not hit[i, j]:
                continue
            x, y, z = normals[i, j, 0], normals[i, j, 1], normals[i, j, 2]
            length = np.sqrt(x * x + y * y + z * z) + np.float32(1e-9)
            if z < 0:
                length = -length
            x, y, z = x / length, y / length, z / length
            facing = max(z, np.float32(0.05))
            grazing = (1 - facing) ** 5
            mx, my, mz = 2 * z * x, 2 * z * y, 2 * z * z - 1
            u = (np.arctan2(mx, mz) / (2 * np.pi) + 0.5) * columns - 0.5
            v = (0.5 - np.arcsin(min(max(my, -1.0), 1.0)) / np.pi) * rows - 0.5
            u, v = min(max(u, 0.0), columns - 1.001), min(max(v, 0.0), rows - 1.001)
            left, up = int(u), int(v)
            fu, fv = u - left, v - up
            mix = min(max((top_mm - y_mm[i, j]) / span * 1.4 - 0.2, 0.0), 1.0)
            for c in range(3):
                light = (panorama[up, left, c] * (1 - fu) + panorama[up, left + 1, c] * fu) * (1 - fv)
                light += (panorama[up + 1, left, c] * (1 - fu) + panorama[up + 1, left + 1, c] * fu) * fv
                fresnel = reflectance[c] + (1 - reflectance[c]) * grazing
                tint = top[c] * (1 - mix) + bottom[c] * mix
                reflection[i, j, c] = light * fresnel * level[c]
                longer = max(1 + np.log(max(tint, 1e-3)) * (1 / facing - 1), 0.2)  # first order of tint ** (1 / facing)
                transmission[i, j, c] = tint * longer * (1 - fresnel) / (1 - reflectance[c])
    return transmission, reflection


@njit(cache=True, nogil=True, fastmath=True)
def blend(  # type: ignore[no-untyped-def]
    frame_hit, frame_depth, colour, opacity, lens_hit, lens_depth, transmission, reflection, side, blank, dark, samples
):
    """Samples (h s, w s) of frame and lens, the nearer before the other, averaged into pixels (h, w).

    Returns through and added (h, w, 3), and flags (h, w, 6): coverage by frame, lens, dark lens and glare, summed
    depth of the lens and share of the right one (`side`), both per sample. All float32.
    """
    height, width = frame_hit.shape[0] // samples, frame_hit.shape[1] // samples
    through = np.ones((height, width, 3), np.float32)
    added = np.zeros((height, width, 3), np.float32)
    flags = np.zeros((height, width, 6), np.float32)
    share = np.float32(1.0 / (samples * samples))
    for i in range(height):
        for j in range(width):
            for k in range(samples * samples):
                y, x = i * samples + k // samples, j * samples + k % samples
                frame, lens = frame_hit[y, x], lens_hit[y, x]
                if not frame and not lens:
                    continue
                before = frame and not (lens and lens_depth[y, x] > frame_depth[y, x])
                solid = opacity[y, x] if frame else np.float32(0)
                passed = np.float32(0)
                shine = np.float32(0)
                for c in range(3):
                    t = transmission[y, x, c]
                    r = reflection[y, x, c]
                    passed += t / 3
                    shine = max(shine, r)
                    if before:
                        extra = solid * colour[y, x, c] + (1 - solid) * r
                    else:
                        extra = r + t * solid * colour[y, x, c]
                    through[i, j, c] += (t * (1 - solid) - 1) * share
                    added[i, j, c] += min(extra, np.float32(BRIGHTEST)) * share
                if frame and (before or passed > dark):
                    flags[i, j, 0] += min(np.float32(1), solid * np.float32(2.5)) * share
                if lens:
                    flags[i, j, 1] += share
                    flags[i, j, 4] += lens_depth[y, x] * share
                    flags[i, j, 5] += share if side[y, x] else np.float32(0)
                    if not before and passed < dark:
                        flags[i, j, 2] += share
                    elif not before and shine > blank:
                        flags[i, j, 3] += share
    return through, added, flags
