"""Procedural eyeglasses: a random design (continuous parameters and materials) and its mesh on a seat on a head.

Millimetres in model axes: x to the subject's left, y up, z towards the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from tools.factory import parts
from tools.factory.materials import Lens, Material, sample_lens, sample_materials
from tools.factory.outlines import FAMILIES, Outline, curve, sample_outline
from tools.factory.seat import Seat


class Part(IntEnum):
    """What a triangle of a `parts.Mesh` belongs to; `materials.Material` is chosen per part."""

    RIM = 0
    BROW = 1
    TEMPLE = 2
    METAL = 3  # bridges of metal frames, hinges, wires of the nose pads
    PAD = 4
    EDGE = 5  # bare edge of a lens
    LENS = 6


@dataclass(frozen=True)
class Design:
    """One pair of eyeglasses, all in mm. `rim_mm` is in the plane of the lens, `depth_mm` along the view.

    full: the rim goes all the way round; False leaves the lower part to a nylon wire (half-rim) or bare (rimless).
    """

    family: str
    outline: Outline
    bridge_mm: float
    rim_mm: float
    depth_mm: float
    brow_mm: float
    temple_height_mm: float
    temple_thickness_mm: float
    bridge_rise: float
    double_bridge: bool
    pads: bool
    hinge_height: float
    wrap_mm: float
    base_mm: float
    materials: dict[int, Material]
    lens: Lens


@dataclass(frozen=True)
class Worn:
    """Eyeglasses on a head, in model millimetres: opaque parts, the two lenses, and the lens centres (2, 3)."""

    frame: parts.Mesh
    lenses: parts.Mesh
    lens_centres: np.ndarray
    materials: dict[int, Material]
    lens: Lens


def sample_design(rng: np.random.Generator, family: str | None = None, lens_kind: str | None = None) -> Design:
    """A random design; `family` of `outlines.FAMILIES`, `lens_kind` of `materials.LENS_KINDS`, random if None."""
    names = list(FAMILIES)
    weights = np.array([1.2, 0.8, 2.1, 2.2, 1.1, 0.9, 0.8, 0.9, 0.75, 0.5, 0.9, 0.3])
    family = family or str(rng.choice(names, p=weights / weights.sum()))
    outline = sample_outline(family, rng)
    metal = family in ("half_rim", "rimless") or rng.random() < METAL_SHARE.get(family, 0.35)
    thick = family in ("square", "oversized", "cat_eye", "sport")
    if metal:
        rim, depth = rng.uniform(0.9, 1.9), rng.uniform(1.2, 2.6)
    else:
        rim = rng.uniform(2.2, 6.0 if thick else 4.5)
        depth = rng.uniform(2.5, 5.0)
    sport = family == "sport"
    return Design(
        family=family,
        outline=outline,
        bridge_mm=rng.uniform(15, 22) if not sport else rng.uniform(10, 15),
        rim_mm=rim,
        depth_mm=depth,
        brow_mm=rng.uniform(4.5, 8.5) if family == "browline" else 0.0,
        temple_height_mm=rng.uniform(1.4, 4.5) if metal else rng.uniform(3.0, 13.0 if thick else 8.0),
        temple_thickness_mm=rng.uniform(0.9, 1.6) if metal else rng.uniform(2.4, 4.5),
        bridge_rise=rng.uniform(0.15, 0.75),
        double_bridge=family == "aviator" and rng.random() < 0.65,
        pads=metal or family == "browline" or rng.random() < 0.2,
        hinge_height=rng.uniform(0.25, 0.85),
        wrap_mm=rng.uniform(85, 130) if sport else rng.uniform(190, 600),
        base_mm=rng.uniform(75, 100) if sport else rng.uniform(95, 260),
        materials=sample_materials(rng, metal),
        lens=sample_lens(rng, lens_kind, family),
    )


METAL_SHARE = {"aviator": 0.85, "round": 0.5, "oval": 0.55, "geometric": 0.7, "rectangle": 0.32, "square": 0.1,
               "cat_eye": 0.15, "oversized": 0.25, "sport": 0.05, "browline": 0.0}  # fmt: skip


def wear_design(design: Design, seat: Seat) -> Worn:
    """The mesh of a design on its seat."""
    outline = curve(design.outline)
    centre_x = (design.bridge_mm + design.outline.width_mm) / 2 + design.rim_mm * 0.5
    surface = _Surface(design, centre_x)
    side = [*_rim(design, outline, surface)]
    lens = parts.fan(outline, np.zeros(2), 5, Part.LENS)
    lens = parts.Mesh(surface.lift(lens.vertices), lens.triangles, lens.part)
    front = parts.join([*side, *map(parts.mirrored, side), *_bridges(design, outline, surface)])
    lenses = parts.join([lens, parts.mirrored(lens)])
    place = seat.place
    hinge = _hinge(design, outline, surface)
    wings = _wings(design, hinge, seat)
    pads = _pads(design, outline, surface, seat) if design.pads else []
    frame = parts.join([parts.Mesh(place(front.vertices), front.triangles, front.part), *wings, *pads])
    centre = surface.lift(np.zeros((1, 3)))
    return Worn(
        frame,
        parts.Mesh(place(lenses.vertices), lenses.triangles, lenses.part),
        place(np.concatenate([centre, centre * (-1, 1, 1)])),
        design.materials,
        design.lens,
    )


class _Surface:
    """Bends flat lens coordinates (x from the lens's centre) onto the wrapped, curved front: (N, 3) -> (N, 3)."""

    def __init__(self, design: Design, centre_x: float):
        self.centre_x, self.wrap, self.base = centre_x, design.wrap_mm, design.base_mm

    def lift(self, points: np.ndarray) -> np.ndarray:
        x, y, z = points.T
        across = x + self.centre_x
        bent = z - across**2 / (2 * self.wrap) - (x**2 + y**2) / (2 * self.base)
        return np.stack([across, y, bent + 12.0**2 / (2 * self.wrap)], 1)


def _rim(design: Design, outline: np.ndarray, surface: _Surface) -> list[parts.Mesh]:
    """The rim of the subject's left lens: all round, or brow and wire, or only a polished edge."""
    flat = np.c_[outline, np.zeros(len(outline))]
    ahead = np.roll(outline, -1, 0) - np.roll(outline, 1, 0)
    outward = np.stack([ahead[:, 1], -ahead[:, 0]], 1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    outward = np.c_[outward, np.zeros(len(outline))]
    forward = np.tile([0.0, 0, 1], (len(outline), 1))
    height = np.clip((outline[:, 1] / design.outline.height_mm * 2 + 0.15) / 0.3, 0, 1)  # 1 in the upper half
    radial = np.full(len(outline), design.rim_mm / 2)
    deep = np.full(len(outline), design.depth_mm / 2)

    def ring(half_radial: np.ndarray, half_deep: np.ndarray, part: int, corner: float = 3.0) -> parts.Mesh:
        path = flat + outward * (half_radial[:, None] * 0.8)
        half = np.stack([half_radial, half_deep], 1)
        mesh = parts.sweep(path, outward, forward, half, parts.rounded_section(8, corner), part, closed=True)
        return parts.Mesh(surface.lift(mesh.vertices), mesh.triangles, mesh.part)

    thin = np.full(len(outline), 0.35)
    if design.family == "rimless":
        return [ring(thin * 1.4, thin * 2.5, Part.EDGE)]
    if design.family == "half_rim":
        upper = 0.2 + (radial - 0.2) * height
        return [ring(upper, np.maximum(deep * height, 0.3), Part.RIM), ring(thin, thin * 2, Part.EDGE)]
    if design.family == "browline":
        brow = np.clip((outline[:, 1] / design.outline.height_mm * 2 - 0.1) / 0.5, 0, 1)
        upper = 0.3 + (design.brow_mm / 2 - 0.3) * brow
        return [ring(np.full(len(outline), 0.8), thin * 3, Part.METAL), ring(upper, 0.4 + deep * brow, Part.BROW)]
    radial = radial * (0.85 + 0.3 * height)
    return [ring(radial, deep, Part.RIM, 2.0 if design.rim_mm < 2 else 3.5)]


def _bridges(design: Design, outline: np.ndarray, surface: _Surface) -> list[parts.Mesh]:
    """One or two bars over the nose, in the coordinates of the front."""
    metal = design.rim_mm < 2 or design.family in ("browline", "rimless")
    part = Part.METAL if metal else Part.RIM
    heights = [design.bridge_rise, 0.93] if design.double_bridge else [design.bridge_rise]
    meshes = []
    for rank, height in enumerate(heights):
        start = _attach(design, outline, surface, height, inner=True)
        half_height = max(0.7, design.rim_mm * 0.55) if metal else design.rim_mm * 0.55 + 0.8
        along = np.linspace(1, -1, 11)
        arch = (1 - along**2) * (0.1 if rank else 0.18) * design.bridge_mm
        path = np.stack([along * start[0], start[1] + arch, start[2] + (1 - along**2) * 1.2], 1)
        half = np.tile([max(0.6, design.depth_mm * 0.42), half_height], (len(path), 1))
        meshes.append(parts.tube(path, half, parts.rounded_section(8), part, np.array([0.0, 1, 0])))
    return meshes


def _attach(design: Design, outline: np.ndarray, surface: _Surface, height: float, inner: bool) -> np.ndarray:
    """(3,) where something joins the rim at `height` (-1 bottom .. 1 top of the lens), at its inner or outer side."""
    side = outline[outline[:, 0] < 0] if inner else outline[outline[:, 0] > 0]
    at = side[np.argmin(np.abs(side[:, 1] - height * design.outline.height_mm / 2))]
    reach = design.rim_mm * 0.4 * (-1 if inner else 1)
    return surface.lift(np.array([[at[0] + reach, at[1], 0.0]]))[0]


def _hinge(design: Design, outline: np.ndarray, surface: _Surface) -> np.ndarray:
    return _attach(design, outline, surface, design.hinge_height, inner=False)


def _wings(design: Design, hinge: np.ndarray, seat: Seat) -> list[parts.Mesh]:
    """End pieces and temples of both sides, in model coordinates, from the rim to behind the ears."""
    section = parts.rounded_section(8, 3.0)
    wings = []
    part = Part.TEMPLE
    for side in (1, -1):
        start = seat.place(hinge[None] * (side, 1, 1))[0]
        path = seat.temple(start, side, design.temple_thickness_mm)
        count = len(path)
        taper = np.interp(np.arange(count), [0, 3, count * 0.6, count - 1], [1.0, 1.0, 0.8, 0.55])
        height = max(design.temple_height_mm, 1.2) / 2 * taper
        thick = np.full(count, design.temple_thickness_mm / 2)
        wings.append(parts.tube(path, np.stack([thick, height], 1), section, part, np.array([0.0, 1, 0])))
    return wings


def _pads(design: Design, outline: np.ndarray, surface: _Surface, seat: Seat) -> list[parts.Mesh]:
    """Nose pads resting on the flanks of the nose, each on a thin wire."""
    meshes = []
    anchor = _attach(design, outline, surface, -0.1, inner=True)
    for side in (1, -1):
        rim = seat.place(anchor[None] * (side, 1, 1))[0]
        pad = seat.on_nose(rim, side)
        out = np.array([side * 0.75, 0.15, 0.6])
        axes = np.stack([np.array([0.25 * side, 3.6, -0.9]), 1.9 * np.cross(out, (0, 1, 0)), 0.7 * out])
        meshes.append(parts.ellipsoid(pad, axes, Part.PAD))
        along = np.linspace(0, 1, 6)[:, None]
        path = rim + (pad - rim) * along + np.array([0, 0, -2.0]) * np.sin(np.pi * along)
        half = np.full((6, 2), 0.45)
        meshes.append(parts.tube(path, half, parts.rounded_section(6, 2), Part.METAL, np.array([0.0, 1, 0.1])))
    return meshes


def front_points(design: Design) -> np.ndarray:
    """(N, 3) points at the back of the rims and the bridge around the front's origin, for `seat.sit`."""
    outline = curve(design.outline)
    surface = _Surface(design, (design.bridge_mm + design.outline.width_mm) / 2 + design.rim_mm * 0.5)
    back = np.c_[outline * (1 + design.rim_mm / design.outline.width_mm), np.full(len(outline), -design.depth_mm / 2)]
    left = surface.lift(back)
    bridge = _attach(design, outline, surface, design.bridge_rise, inner=True)
    across = np.linspace(-1, 1, 9)[:, None] * (bridge[0], 0, 0) + (0, bridge[1], bridge[2] - design.depth_mm / 2)
    return np.concatenate([left, left * (-1, 1, 1), across])
