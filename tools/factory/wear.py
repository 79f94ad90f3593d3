"""Put eyeglasses on a photograph: draw them on the fitted head, cast their shadow, refract, composite, label.

A crop is (256, 256, 3) uint8 RGB; compositing is in linear light, sRGB taken as a power of 2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engines.networks.classes import Region
from realtime.face.model import FaceModel, load_face_model
from realtime.frame import Glasses
from tools.factory.environment import sample_environment
from tools.factory.glasses import Design, Worn, front_points, sample_design, wear_design
from tools.factory.head import HeadMaps, PosedHead, head_maps, pose_head
from tools.factory.labels import label_map
from tools.factory.layers import Layers, draw_layers
from tools.factory.light import GAMMA, SceneLight, estimate_light
from tools.factory.parts import Mesh
from tools.factory.scanned import ScannedGlasses
from tools.factory.seat import sit
from tools.factory.shadow import occlusion
from tools.factory.skin import SkinTone, skin_likeness, skin_tone

SHADOW_FLOOR = 0.12  # light that always gets under a frame
SHADOW_REACH_PX = 60  # below the frame


@dataclass(frozen=True)
class Sample:
    """One picture with all its layers as labels.

    image, clean: (h, w, 3) uint8 with and without eyeglasses. labels: (h, w) uint8 class map M.
    shadow: (h, w) float32 ratio in sRGB values, 1 unshaded. coefficients: (239,) crop pixels.
    family: rim family, "" without glasses. lens_scale: how much smaller than it is a thing looks through the lenses,
    true over seen distance from a lens's centre; above 1 for the short-sighted, 1 without power or lenses.
    """

    image: np.ndarray
    clean: np.ndarray
    labels: np.ndarray
    shadow: np.ndarray
    kind: Glasses
    coefficients: np.ndarray
    family: str = ""
    lens_scale: float = 1.0


def wear(
    photo_crop: np.ndarray, coefficients: np.ndarray, rng: np.random.Generator, *, kind: Glasses | None = None,
    family: str | None = None, model: FaceModel | None = None, surroundings: np.ndarray | None = None,
    scanned: Sequence[ScannedGlasses] = (), unusual: float = 0.05, hairy: np.ndarray | None = None,
    designs: range | None = None, adjust: Callable[[Design], Design] | None = None, slid_mm: float = 0.0,
) -> Sample:  # fmt: skip
    """Render random eyeglasses onto a crop whose face has these coefficients (crop pixels).

    kind: NONE leaves the picture alone, CLEAR or DARK force that lens, None draws. family: of
    `outlines.FAMILIES`, or drawn. surroundings: a picture that lenses reflect, or None for a procedural one.
    scanned: 3D models to wear instead of procedural glasses. unusual: share of odd placements.
    hairy: (V,) bool, given when the crop shows the model itself: its labels hold everywhere, no fringe hides temples.
    designs: numbers of the designs to choose from; each number is one pair of eyeglasses. None: any.
    adjust: changes the drawn design before it is worn.
    slid_mm: further down the nose than the same `rng` would place them.
    """
    model = model or load_face_model("live")
    head = pose_head(model, coefficients)
    maps = head_maps(head, photo_crop.shape[:2])
    tone = skin_tone(photo_crop, maps)
    likeness = skin_likeness(photo_crop, tone)
    face = label_map(model, maps, likeness if hairy is None else None, hairy)
    if kind is Glasses.NONE:
        return _bare(photo_crop, face, coefficients)
    light = _light(photo_crop, maps, tone, rng)
    environment = sample_environment(rng, light.key, surroundings)
    change = adjust or (lambda design: design)
    worn, label = _put_on(head, rng, kind, family, scanned, unusual, designs, change, slid_mm)
    hair = cv2.GaussianBlur(1 - likeness, (0, 0), 2.0) if rng.random() < 0.7 and hairy is None else None
    layers = draw_layers(worn, head, light, environment, photo_crop.shape[:2], hair)
    if layers is None:
        return _bare(photo_crop, face, coefficients)
    shadow = cast_shadow(worn, head, maps, light, rng)
    scale = lens_scales(layers, worn, head, maps)
    image = composite(photo_crop, shadow, layers, worn, head, scale)
    return Sample(
        image=image,
        clean=photo_crop,
        labels=_glasses_over(face, layers),
        shadow=shadow,
        kind=Glasses.DARK if worn.lens.dark else Glasses.CLEAR,
        coefficients=coefficients,
        family=label,
        lens_scale=mean_scale(scale, layers),
    )


def cast_shadow(
    worn: Worn, head: PosedHead, maps: HeadMaps, light: SceneLight, rng: np.random.Generator
) -> np.ndarray:
    """(h, w) float32 ratio of sRGB values: the key light's shadow, and the softer one of everything else."""
    frame, lenses = _in_camera(worn.frame, head), _in_camera(worn.lenses, head)
    opacity = 1 - float(np.mean([worn.lens.top, worn.lens.bottom]))
    reach = slice(max(0, int(-frame.vertices[:, 1].max()) - 20), int(-frame.vertices[:, 1].min()) + SHADOW_REACH_PX)
    positions = maps.positions[reach]
    facing = np.clip(maps.normals[reach] @ light.key.astype(np.float32), 0, 1)
    share = light.share * facing / (light.share * facing + (1 - light.share) * 0.85 + 1e-6)
    key = occlusion(frame, lenses, opacity, positions, light.key, light.softness)
    above = np.array([0.0, 0.6, 0.8]) + rng.normal(0, 0.1, 3)
    ambient = occlusion(frame, lenses, opacity, positions, above / np.linalg.norm(above), rng.uniform(0.4, 0.7), 1)
    strength = rng.uniform(0.6, 1.0)
    linear = 1 - share * key * strength - (1 - share) * rng.uniform(0.3, 0.7) * ambient
    inside = cv2.GaussianBlur((maps.triangle[reach] >= 0).astype(np.float32), (0, 0), 2.0)
    edge = np.clip(inside * 2 - 1, 0, 1)  # no hard step where the mesh of the head ends
    ratio = np.ones(maps.triangle.shape, np.float32)
    ratio[reach] = 1 - (1 - np.clip(linear, SHADOW_FLOOR, 1) ** (1 / GAMMA)) * edge
    return ratio


def composite(
    photo: np.ndarray, shadow: np.ndarray, layers: Layers, worn: Worn, head: PosedHead, scale: np.ndarray
) -> np.ndarray:
    """The photograph under its shadow, refracted by the lenses (`lens_scales`), behind the layers: (h, w, 3) uint8."""
    shaded = photo * shadow[..., None]
    image = np.clip(shaded + 0.5, 0, 255).astype(np.uint8)
    region = (layers.rows, layers.columns)
    behind = shaded[region].astype(np.float32)
    if abs(worn.lens.power_d) > 0.2:
        behind = _refract(shaded.astype(np.float32), layers, worn, head, scale)
    linear = (behind / 255) ** GAMMA * layers.through + layers.added
    drawn = np.clip(linear, 0, 1) ** (1 / GAMMA) * 255
    touched = (layers.frame + layers.lens > 0) | (layers.added.max(2) > 0) | (layers.through.min(2) < 1)
    image[region] = np.where(touched[..., None], np.clip(drawn + 0.5, 0, 255).astype(np.uint8), image[region])
    return image


def lens_scales(layers: Layers, worn: Worn, head: PosedHead, maps: HeadMaps) -> np.ndarray:
    """(h, w) float32 of the layers' region: true over seen distance from the lens's centre, 1 - d P for a thin lens, d
    the distance behind it in metres, P its power in dioptres.
    """
    skin = maps.positions[layers.rows, layers.columns, 2]
    behind_mm = np.clip(np.nan_to_num(layers.lens_depth - skin, nan=15.0) / head.pose.scale, 4, 40)
    behind_mm = cv2.GaussianBlur(behind_mm.astype(np.float32), (0, 0), 2.0)
    return 1 - behind_mm / 1000 * np.float32(worn.lens.power_d)


def mean_scale(scale: np.ndarray, layers: Layers) -> float:
    """Of `lens_scales`, over the lenses; 1 where none shows."""
    through = layers.lens > 0.5
    return float(scale[through].mean()) if through.any() else 1.0


def _refract(
    picture: np.ndarray, layers: Layers, worn: Worn, head: PosedHead, scale: np.ndarray
) -> np.ndarray:
    """What is seen through lenses of some power: shrunk or grown about a lens's centre, the more the further behind."""
    rows, columns = np.mgrid[layers.rows, layers.columns].astype(np.float32)
    centres = head.to_px(worn.lens_centres)[:, :2][layers.lens_side]
    map_x = np.where(layers.lens > 0, centres[..., 0] + (columns - centres[..., 0]) * scale, columns)
    map_y = np.where(layers.lens > 0, centres[..., 1] + (rows - centres[..., 1]) * scale, rows)
    bent = cv2.remap(picture, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_CUBIC,
                     borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    mix = layers.lens[..., None]
    return np.clip(bent * mix + picture[layers.rows, layers.columns] * (1 - mix), 0, 255)


def _put_on(
    head: PosedHead, rng: np.random.Generator, kind: Glasses | None, family: str | None,
    scanned: Sequence[ScannedGlasses], unusual: float, designs: range | None, adjust: Callable[[Design], Design],
    slid_mm: float,
) -> tuple[Worn, str]:  # fmt: skip
    wanted = {None: None, Glasses.CLEAR: "clear_any", Glasses.DARK: "dark_any"}[kind]
    odd = bool(rng.random() < unusual)
    drawn = rng if designs is None else np.random.default_rng(designs[int(rng.integers(len(designs)))])
    design: Design = adjust(sample_design(drawn, family, wanted))
    if scanned:
        model = scanned[int(rng.integers(len(scanned)))]
        return model.worn(sit(head.shape, model.front, rng, odd, slid_mm), design), model.name
    return wear_design(design, sit(head.shape, front_points(design), rng, odd, slid_mm)), design.family


def _light(photo: np.ndarray, maps: HeadMaps, tone: SkinTone, rng: np.random.Generator) -> SceneLight:
    return estimate_light(photo[tone.where][::3] / 255.0, maps.normals[tone.where][::3], rng)


def _in_camera(mesh: Mesh, head: PosedHead) -> Mesh:
    """A mesh in crop pixels with y up."""
    return Mesh(head.to_px(mesh.vertices) * np.array([1, -1, 1], np.float32), mesh.triangles, mesh.part)


def _glasses_over(face: np.ndarray, layers: Layers) -> np.ndarray:
    """The class map with the eyeglasses' classes over the face's."""
    labels = face.copy()
    part = labels[layers.rows, layers.columns]
    part[layers.lens > 0.5] = Region.CLEAR_LENS
    part[layers.glare > 0.4] = Region.GLARE
    part[layers.dark > 0.5] = Region.DARK_LENS
    part[layers.frame > 0.35] = Region.FRAME
    return labels


def _bare(photo: np.ndarray, face: np.ndarray, coefficients: np.ndarray) -> Sample:
    unshaded = np.ones(photo.shape[:2], np.float32)
    return Sample(photo, photo, face, unshaded, Glasses.NONE, coefficients)
