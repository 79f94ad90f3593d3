"""The class map M of a face without glasses: the fitted mesh's regions, unlabelled where the photograph disagrees."""

from __future__ import annotations

import numpy as np

from engines.networks.classes import Region
from realtime.face.model import FaceModel
from realtime.face.regions import FaceRegion
from tools.factory.head import HeadMaps

SKIN_LIKE = (Region.SKIN, Region.NOSE)
CLASS_OF = np.arange(256, dtype=np.uint8)
for _region, _class in {
    FaceRegion.TEETH: Region.MOUTH, FaceRegion.TONGUE: Region.MOUTH, FaceRegion.EAR: Region.SKIN,
    FaceRegion.NECK: Region.SKIN, FaceRegion.EYE_SOCKET: Region.SKIN, FaceRegion.HEAD: Region.SKIN,
}.items():  # fmt: skip
    CLASS_OF[_region] = _class


def label_map(
    model: FaceModel, maps: HeadMaps, likeness: np.ndarray | None, hairy: np.ndarray | None = None
) -> np.ndarray:
    """(h, w) uint8. likeness: (h, w) of `skin.skin_likeness` for a photograph, None for a synthetic head.

    hairy: (V,) bool, the vertices of a synthetic head that have hair.

    In a photograph skin that does not look like skin is hair or a hat, and what lies beside the mesh or on the
    back of the head is unknown: IGNORE. A synthetic head stands before its BACKGROUND.
    """
    corner = maps.barycentric.argmax(2)  # the nearest vertex says what a pixel is
    vertex = model.triangles[np.maximum(maps.triangle, 0), corner]
    region = model.regions[vertex]
    labels = CLASS_OF[region]
    if hairy is not None:
        labels[hairy[vertex]] = Region.HAIR
    outside = Region.BACKGROUND
    if likeness is not None:
        labels[region == FaceRegion.HEAD] = Region.IGNORE
        outside = Region.IGNORE
    labels[maps.triangle < 0] = outside
    if likeness is not None:
        labels[np.isin(labels, SKIN_LIKE) & (likeness < 0.3)] = Region.IGNORE
    return labels
