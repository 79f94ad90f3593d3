"""The skin, eyes, teeth and hair of a synthetic head: unwrapped from a photograph or drawn from the albedo basis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from realtime.face.coefficients import pose
from realtime.face.light import basis
from realtime.face.model import FaceModel
from realtime.face.regions import FaceRegion
from shaders.software import interpolate, rasterise
from tools.factory.head import pose_head
from tools.factory.subjects import Subject, Subjects

TEXTURE_SIZE = 320
DONORS = 500  # photographs whose skin synthetic heads wear; their unwrapped textures are kept
PUPIL_RAD, IRIS_RAD = 0.16, 0.45  # angles from the optical axis, of an eyeball of 12 mm radius
FOREHEAD_V = 0.30  # above this v of the atlas there should be bare forehead
ON_BASIS = 0.5  # share of heads whose skin comes from the basis, when the model has one


@dataclass(frozen=True)
class Skin:
    """What `synthetic.render` needs to colour a pixel.

    attributes (V, 6) float32 to interpolate: RGB albedo, u, v, angle from an eyeball's axis (9 off the eyes).
    texture (T, T, 3) float32 replaces the vertex albedo where `textured` (F,) says so; hairy (V,) bool. iris (3,) RGB.
    gloss: strength of the highlights on skin.
    """

    attributes: np.ndarray
    textured: np.ndarray
    eyeball: np.ndarray
    texture: np.ndarray
    iris: np.ndarray
    gloss: float
    from_basis: bool
    hairy: np.ndarray

    def colour(self, values: np.ndarray, triangle: np.ndarray) -> np.ndarray:
        """(h, w, 6) interpolated attributes -> (h, w, 3) albedo."""
        face = np.maximum(triangle, 0)
        size = self.texture.shape[0]
        map_x, map_y = (np.ascontiguousarray(values[..., k] * size - 0.5) for k in (3, 4))
        mapped = cv2.remap(self.texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        albedo = np.where(self.textured[face][..., None], mapped, values[..., :3])
        eye = self.eyeball[face] & (triangle >= 0)
        if eye.any():
            angle = values[..., 5][eye]
            albedo[eye] = self._eye(angle, albedo[eye])
        return albedo

    def shine(self, normals: np.ndarray, towards: np.ndarray) -> np.ndarray:
        """(V,) highlights for unit normals (V, 3), camera axes, under a lamp at `towards` (3,): wet eyes, oily skin."""
        half = towards + np.array([0, 0, 1.0])
        half /= np.linalg.norm(half)
        aligned = np.clip(normals @ half, 0, 1)
        wet = self.attributes[:, 5] < 9
        return np.where(wet, 0.7 * aligned**250, self.gloss * aligned**14).astype(np.float32)

    def _eye(self, angle: np.ndarray, white: np.ndarray) -> np.ndarray:
        edge = np.clip((angle - IRIS_RAD) / 0.05 + 0.5, 0, 1)[:, None]
        limbus = np.clip((angle - IRIS_RAD + 0.12) / 0.12, 0, 1)[:, None] * 0.6
        pupil = np.clip((PUPIL_RAD - angle) / 0.03 + 0.5, 0, 1)[:, None]
        iris = self.iris * (1 - limbus) * (1 - pupil) + 0.02 * pupil
        return iris * (1 - edge) + white * edge


def paint(model: FaceModel, subjects: Subjects | None, coefficients: np.ndarray, rng: np.random.Generator) -> Skin:
    """A random skin for a head; `coefficients` say which one when it is drawn from the basis, as without subjects."""
    from_basis = subjects is None or (bool(np.abs(model.albedo).max() > 1e-6) and bool(rng.random() < ON_BASIS))
    regions = model.regions
    vertex = np.array(model.albedo_of(coefficients), np.float32)
    texture = np.zeros((TEXTURE_SIZE, TEXTURE_SIZE, 3), np.float32)
    textured = np.zeros(len(model.triangles), bool)
    if subjects is not None and not from_basis:
        texture, tone = _donor(id(subjects), int(rng.integers(DONORS)), subjects, model)
        skin = np.isin(regions, SKIN_OF_PHOTO)
        textured = skin[model.triangles].all(1)
        vertex[np.isin(regions, (FaceRegion.EAR, FaceRegion.NECK, FaceRegion.EYE_SOCKET, *SKIN_OF_PHOTO))] = tone
    _inner_parts(vertex, regions, rng)
    hair = np.array([[0.04, 0.03, 0.025], [0.14, 0.08, 0.05], [0.35, 0.22, 0.12], [0.5, 0.48, 0.46]])
    hairy = np.zeros(len(regions), bool)
    if rng.random() < 0.8:
        hairy = _hair(model, vertex, hair[rng.choice(4, p=[0.45, 0.3, 0.15, 0.1])] * rng.uniform(0.7, 1.3), rng)
        textured &= ~hairy[model.triangles].any(1)
    irises = np.array([[0.16, 0.09, 0.05], [0.1, 0.06, 0.04], [0.3, 0.4, 0.5], [0.3, 0.33, 0.2], [0.3, 0.2, 0.1]])
    eyeball = np.isin(regions, (FaceRegion.L_EYE, FaceRegion.R_EYE))
    attributes = np.concatenate([vertex, model.uv, _eye_angles(model)[:, None]], 1).astype(np.float32)
    return Skin(
        attributes, textured, eyeball[model.triangles].all(1), texture.astype(np.float32),
        irises[rng.choice(5, p=[0.35, 0.25, 0.15, 0.1, 0.15])] * rng.uniform(0.8, 1.2), float(rng.uniform(0, 0.1)),
        from_basis, hairy,
    )  # fmt: skip


SKIN_OF_PHOTO = (
    FaceRegion.SKIN, FaceRegion.L_BROW, FaceRegion.R_BROW, FaceRegion.NOSE, FaceRegion.U_LIP, FaceRegion.L_LIP,
)  # fmt: skip


def unwrap(model: FaceModel, donor: Subject) -> tuple[np.ndarray, np.ndarray]:
    """The skin of a photograph in the UV atlas, light divided out: (T, T, 3) float32 and its median colour (3,).

    What the camera did not see is filled from the other side of the face, then with the median colour.
    """
    triangle, barycentric = _atlas(id(model), model)
    head = pose_head(model, donor.coefficients)
    places = interpolate(np.concatenate([head.vertices_px, head.normals], 1), model.triangles, triangle, barycentric)
    map_x, map_y = (np.ascontiguousarray(places[..., k]) for k in range(2))
    normals = places[..., 3:] / (np.linalg.norm(places[..., 3:], axis=2, keepdims=True) + 1e-6)
    photo = donor.crop.astype(np.float32) / 255
    colour = cv2.remap(photo, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    seen = np.clip((normals[..., 2] - 0.15) / 0.35, 0, 1) * (triangle >= 0)
    inside = (map_x > 1) & (map_x < 254) & (map_y > 1) & (map_y < 254)
    seen = (seen * inside).astype(np.float32)
    smooth = np.isin(model.regions[model.triangles[:, 0]], (FaceRegion.SKIN, FaceRegion.NOSE))
    core = (triangle >= 0) & (seen > 0.7) & smooth[np.maximum(triangle, 0)]
    tone = np.median(colour[core], 0) if core.any() else np.array([0.6, 0.45, 0.38], np.float32)
    if core.sum() > 200:
        colour = colour / _brightness(colour[core], normals[core], normals)[..., None]
    other = cv2.flip(colour, 1), cv2.flip(seen, 1)
    weight = np.stack([seen + 1e-4, other[1] * (1 - seen) * 0.98, (1 - seen) * (1 - other[1]) + 1e-3])[..., None]
    filled = (colour * weight[0] + other[0] * weight[1] + tone * weight[2]) / weight.sum(0)
    skin = _bare_skin(filled, tone, triangle)[..., None]
    return np.clip(filled * skin + tone * (1 - skin), 0.01, 1).astype(np.float32), tone.astype(np.float32)


def _bare_skin(texture: np.ndarray, tone: np.ndarray, triangle: np.ndarray) -> np.ndarray:
    """(T, T) weight of an unwrapped skin: 0 towards the atlas's edge and where a fringe covers the forehead."""
    inside = cv2.distanceTransform((triangle >= 0).astype(np.uint8), cv2.DIST_L2, 3)
    unlike = cv2.GaussianBlur(np.abs(texture - tone).sum(2) / (tone.sum() + 0.2), (0, 0), 3)
    rows = np.arange(TEXTURE_SIZE, dtype=np.float32)[:, None] / TEXTURE_SIZE
    forehead = np.clip((FOREHEAD_V - rows) / 0.04, 0, 1)
    fringe = np.clip((unlike - 0.25) / 0.15, 0, 1) * forehead
    return np.clip(inside / 12, 0, 1) * (1 - cv2.GaussianBlur(fringe.astype(np.float32), (0, 0), 3))


def _brightness(colours: np.ndarray, normals: np.ndarray, everywhere: np.ndarray) -> np.ndarray:
    """Relative brightness that the photograph's light gives each normal: a damped fit of four harmonics."""
    grey = colours.mean(1)
    terms = basis(normals)[:, :4]
    keep = grey > np.quantile(grey, 0.2)
    damp = np.diag([0, 1, 1, 1]) * 0.05 * keep.sum()
    light = np.linalg.solve(terms[keep].T @ terms[keep] + damp, terms[keep].T @ grey[keep])
    return np.clip(basis(everywhere)[..., :4] @ light / np.median(grey[keep]), 0.45, 1.8).astype(np.float32)


@lru_cache(maxsize=DONORS)
def _donor(key: int, number: int, subjects: Subjects, model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """The unwrapped skin of the `number`th photograph that shows a face from the front; `key`: id of the subjects."""
    rng = np.random.default_rng([number, 77])
    while True:
        donor = subjects.draw(model, rng)
        if abs(pose(donor.coefficients).yaw) < np.radians(18):
            texture, tone = unwrap(model, donor)
            return texture.astype(np.float16), tone


@lru_cache(maxsize=2)
def _atlas(key: int, model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """Which triangle of the skin and where in it each texel of the atlas is; `key` is the model's identity."""
    flat = np.c_[model.uv * TEXTURE_SIZE - 0.5, np.zeros(len(model.uv))].astype(np.float32)
    skin = np.nonzero(np.isin(model.regions, SKIN_OF_PHOTO)[model.triangles].all(1))[0]
    chosen = np.ascontiguousarray(model.triangles[skin])
    _, triangle, barycentric = rasterise(flat, chosen, (TEXTURE_SIZE, TEXTURE_SIZE), cull=True)
    return np.where(triangle >= 0, skin[np.maximum(triangle, 0)], -1).astype(np.int32), barycentric


def _eye_angles(model: FaceModel) -> np.ndarray:
    """(V,) radians between each eyeball vertex and its eye's axis at rest; 9 elsewhere."""
    angles = np.full(len(model.regions), 9.0, np.float32)
    for region in (FaceRegion.L_EYE, FaceRegion.R_EYE):
        ball = model.regions == region
        if ball.any():
            points = model.mean[ball]
            centre = (points.min(0) + points.max(0)) / 2
            radius = np.ptp(points[:, 0]) / 2
            centre[2] = points[:, 2].max() - radius
            angles[ball] = np.arctan2(np.linalg.norm((points - centre)[:, :2], axis=1), points[:, 2] - centre[2])
    return angles


def _inner_parts(vertex: np.ndarray, regions: np.ndarray, rng: np.random.Generator) -> None:
    """Whites of the eyes, teeth, tongue and the inside of the mouth."""
    white = np.array([0.8, 0.76, 0.73]) * rng.uniform(0.75, 1.05)
    vertex[np.isin(regions, (FaceRegion.L_EYE, FaceRegion.R_EYE))] = white
    vertex[regions == FaceRegion.TEETH] = np.array([0.75, 0.72, 0.62]) * rng.uniform(0.6, 1.1)
    vertex[regions == FaceRegion.TONGUE] = np.array([0.5, 0.2, 0.2]) * rng.uniform(0.7, 1.1)
    vertex[regions == FaceRegion.MOUTH] = np.array([0.22, 0.07, 0.07]) * rng.uniform(0.5, 1.2)


def _hair(model: FaceModel, vertex: np.ndarray, colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Close-cropped hair on the back of the head and above a wavering hairline; returns where, (V,) bool."""
    mean = model.mean
    brow = mean[model.landmarks[19:25]].mean(0)
    chin = mean[model.landmarks[8]]
    face = np.linalg.norm(brow - chin)
    lowest = face * rng.uniform(0.26, 0.46)
    wave = 3 * np.sin(mean[:, 0] * rng.uniform(0.03, 0.1) + rng.uniform(0, 6)) + rng.normal(0, 1.2, len(mean))
    line = brow[1] + lowest - (mean[:, 0] / face) ** 2 * face * rng.uniform(0.0, 0.5) + wave
    side = brow[2] - face * rng.uniform(0.45, 0.65)
    above = (mean[:, 1] > line) | ((mean[:, 2] < side) & (mean[:, 1] > brow[1] - face * rng.uniform(0.1, 0.5)))
    hairy = above & np.isin(model.regions, (FaceRegion.SKIN, FaceRegion.HEAD))
    noise = rng.normal(1, 0.18, hairy.sum())[:, None]
    vertex[hairy] = np.clip(colour * noise, 0.01, 1)
    return hairy

