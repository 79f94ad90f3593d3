"""Eyeglasses seen by the camera, supersampled: what they add to the picture and what they let through.

Everything is linear light. Crop pixels, x right, y down, z near.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.face.mesh import vertex_normals
from shaders.software import interpolate, rasterise, scan
from tools.factory.blend import blend, glaze
from tools.factory.environment import Environment
from tools.factory.glasses import Worn
from tools.factory.head import PosedHead
from tools.factory.light import SceneLight
from tools.factory.materials import DARK_BELOW, Material
from tools.factory.parts import Mesh

SAMPLES = 3  # per pixel and axis


@dataclass(frozen=True)
class Layers:
    """Float32 maps of a region of the crop (rows, columns): picture = behind * through + added.

    through, added (h, w, 3); frame, lens, dark, glare (h, w) coverage 0..1; lens_depth (h, w) z of the lens, NaN
    beside; lens_side (h, w) int: 0 the subject's left lens, 1 the right one.
    """

    rows: slice
    columns: slice
    through: np.ndarray
    added: np.ndarray
    frame: np.ndarray
    lens: np.ndarray
    dark: np.ndarray
    glare: np.ndarray
    lens_depth: np.ndarray
    lens_side: np.ndarray


@dataclass(frozen=True)
class _Seen:
    """The nearest surface of a mesh at each sample that is not hidden by the head."""

    depth: np.ndarray
    hit: np.ndarray
    triangle: np.ndarray
    normals: np.ndarray
    places_mm: np.ndarray


def draw_layers(
    worn: Worn, head: PosedHead, light: SceneLight, environment: Environment, size: tuple[int, int],
    covered_by_hair: np.ndarray | None = None,
) -> Layers | None:  # fmt: skip
    """Layers of eyeglasses on a head over a crop of (h, w); None when nothing of them falls into it.

    covered_by_hair: (h, w) float 0..1, where temples are hidden by something that is not the head.
    """
    frame_px, lens_px = head.to_px(worn.frame.vertices), head.to_px(worn.lenses.vertices)
    rows, columns = _region(np.concatenate([frame_px, lens_px]), size)
    if rows.stop - rows.start < 4 or columns.stop - columns.start < 4:
        return None
    shape = ((rows.stop - rows.start) * SAMPLES, (columns.stop - columns.start) * SAMPLES)
    origin = (columns.start, rows.start)
    skull = np.full(shape, -np.inf, np.float32)
    scan(_fine(head.vertices_px, origin), np.ascontiguousarray(head.triangles, np.int32), skull,
         np.empty(shape, np.int32), False)  # fmt: skip
    rotation = head.pose.rotation
    frame = _see(worn.frame, frame_px, origin, shape, skull, rotation)
    lens = _see(worn.lenses, lens_px, origin, shape, skull, rotation)
    if covered_by_hair is not None:
        hidden = np.repeat(np.repeat(covered_by_hair[rows, columns], SAMPLES, 0), SAMPLES, 1) > 0.5
        frame.hit[hidden & (worn.frame.part[frame.triangle] == 2)] = False
    colour, opacity = _shade_frame(frame, worn, light, environment)
    transmission, reflection = _shade_lens(lens, worn, environment, light)
    side = lens.triangle >= worn.lenses.part.size // 2
    blank = max(0.16 * float(light.level.mean()), 0.05)  # a reflection this bright hides the skin behind it
    maps = blend(
        frame.hit, frame.depth, colour, opacity, lens.hit, lens.depth, transmission, reflection, side,
        np.float32(blank), np.float32(DARK_BELOW), SAMPLES,
    )  # fmt: skip
    through, added, flags = maps
    cover = flags[..., 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        depth = np.where(cover > 0, flags[..., 4] / cover, np.nan)
        right = flags[..., 5] > 0.5 * cover
    return Layers(
        rows, columns, through, added, flags[..., 0], cover, flags[..., 2], flags[..., 3], depth, right.astype(int)
    )


def _region(points_px: np.ndarray, size: tuple[int, int]) -> tuple[slice, slice]:
    low = np.floor(points_px[:, :2].min(0) - 2).astype(int).clip(0, None)
    high = np.ceil(points_px[:, :2].max(0) + 3).astype(int).clip(None, (size[1], size[0]))
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _fine(points_px: np.ndarray, origin: tuple[int, int]) -> np.ndarray:
    fine = np.array(points_px, np.float32)
    fine[:, :2] = (fine[:, :2] - origin + 0.5) * SAMPLES - 0.5
    return np.ascontiguousarray(fine)


def _see(
    mesh: Mesh, points_px: np.ndarray, origin: tuple[int, int], shape: tuple[int, int], skull: np.ndarray,
    rotation: np.ndarray,
) -> _Seen:  # fmt: skip
    depth, triangle, barycentric = rasterise(_fine(points_px, origin), mesh.triangles, shape)
    hit = (triangle >= 0) & (depth > skull)
    normals = vertex_normals(mesh.vertices.astype(np.float32), mesh.triangles) @ rotation.T.astype(np.float32)
    both = np.concatenate([normals, mesh.vertices.astype(np.float32)], 1)
    values = interpolate(both, mesh.triangles, triangle, barycentric)
    return _Seen(depth, hit, np.maximum(triangle, 0), values[..., :3], values[..., 3:])


def _shade_frame(
    seen: _Seen, worn: Worn, light: SceneLight, environment: Environment
) -> tuple[np.ndarray, np.ndarray]:
    """Colour (h, w, 3) and opacity (h, w) of the frame: Lambert under the photograph's light plus reflections."""
    colour = np.zeros((*seen.hit.shape, 3), np.float32)
    opacity = np.zeros(seen.hit.shape, np.float32)
    at = np.nonzero(seen.hit)
    if not len(at[0]):
        return colour, opacity
    normals = _unit(seen.normals[at])
    normals = np.where(normals[:, 2:] < 0, -normals, normals)  # seen from inside: a thin shell's back
    table = [worn.materials[k] for k in sorted(worn.materials)]
    part = np.minimum(worn.frame.part[seen.triangle[at]], len(table) - 1)
    metallic = np.array([m.metallic for m in table], np.float32)[part][:, None]
    rough = np.array([m.roughness for m in table], np.float32)[part]
    base = _patterned(table, part, seen.places_mm[at])
    diffuse = base * (1 - metallic) * light.irradiance(normals)[:, None] * light.level
    facing = np.clip(normals[:, 2:], 0, 1)
    mirror = np.concatenate([2 * normals[:, 2:] * normals[:, :2], 2 * normals[:, 2:] ** 2 - 1], 1)
    grazing = (1 - facing) ** 5 * (1 - rough[:, None] * 0.7)
    specular = 0.04 * (1 - metallic) + base * metallic
    specular = specular + (1 - specular) * grazing
    shine = environment.look(mirror, rough) * light.level * specular
    colour[at] = diffuse + shine
    opacity[at] = np.clip(np.array([m.opacity for m in table], np.float32)[part] + grazing[:, 0] * 0.5, 0, 1)
    return colour, opacity


def _patterned(table: list[Material], part: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Base colour (N, 3) at places (N, 3) mm: plain, tortoise blotches, or a fade from top to bottom."""
    base = np.array([m.colour for m in table], np.float32)[part]
    for number, material in enumerate(table):
        if material.pattern == "plain":
            continue
        where = part == number
        x, y, z = places[where].T
        if material.pattern == "tortoise":
            wave = np.sin(0.3 * x + 1.7 * np.sin(0.22 * y + 0.12 * z))
            wave = wave + np.sin(0.42 * y - 0.27 * z + 1.5 * np.sin(0.23 * x))
            wave = wave + 0.6 * np.sin(0.75 * x + 0.5 * y + 0.6 * z)
            mix = np.clip(0.6 + 0.45 * wave, 0, 1)
        else:
            mix = np.clip((y.max(initial=0.0) - y) / 25, 0, 1) if len(y) else y
        base[where] = base[where] * (1 - mix[:, None]) + np.array(material.second, np.float32) * mix[:, None]
    return base


def _shade_lens(
    seen: _Seen, worn: Worn, environment: Environment, light: SceneLight
) -> tuple[np.ndarray, np.ndarray]:
    """Transmission and reflected light (h, w, 3) of the lenses: tint from top to bottom, Fresnel after Schlick."""
    lens = worn.lens
    top, bottom = worn.lenses.vertices[:, 1].max(initial=-1e3), worn.lenses.vertices[:, 1].min(initial=1e3)
    panorama = environment.levels[0]
    upper, lower, mirror = (np.array(t, np.float32) for t in (lens.top, lens.bottom, lens.reflectance))
    return glaze(
        seen.hit, seen.normals, seen.places_mm[..., 1], np.float32(top), np.float32(bottom), upper, lower, mirror,
        light.level.astype(np.float32), panorama,
    )  # fmt: skip


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9)
