"""Which part of an avatar is its head, and which are its eyes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from realtime.avatar.gltf import Gltf
from realtime.avatar.names import eye_side, is_head
from realtime.avatar.scene import Nodes, Surface
from realtime.avatar.vrm import bone

SIDES = ("Left", "Right")
FACE_SHARE = 0.5  # of what blendshapes move: a "head" that carries less is not the face's


@dataclass(frozen=True, eq=False)
class Turning:
    """share: (V,) 0..1 how far each vertex of the whole avatar follows. pivot: (3,) world space."""

    share: np.ndarray
    pivot: np.ndarray


@dataclass(frozen=True, eq=False)
class Rig:
    """head: None where no bone or node carries the face: then the whole avatar turns. eyes: the left and the right."""

    head: Turning | None
    eyes: tuple[Turning | None, Turning | None]


def find_rig(gltf: Gltf, nodes: Nodes, surfaces: Sequence[Surface], motion: np.ndarray) -> Rig:
    """motion: (V,) how far blendshapes move each vertex of all surfaces in their order."""

    def carried(root: int) -> np.ndarray:
        below = nodes.under(root)
        return np.concatenate([(s.shares * below[s.nodes]).sum(1) for s in surfaces]).astype(np.float32)

    def turning(label: str, fits: Callable[[str], bool], worth: np.ndarray, least: float) -> Turning | None:
        said = bone(gltf, label)
        roots = [said] if said is not None else [k for k, name in enumerate(nodes.names) if fits(name)]
        shares = {root: carried(root) for root in roots}
        best = max(shares, key=lambda root: float(shares[root] @ worth), default=None)
        if best is None or shares[best] @ worth <= least * worth.sum():
            return None
        return Turning(shares[best], nodes.world[best][:3, 3])

    everything = np.ones_like(motion)
    head = turning("head", is_head, motion if motion.any() else everything, FACE_SHARE)
    left = turning("leftEye", lambda name: eye_side(name) == "left", everything, 0.0)
    right = turning("rightEye", lambda name: eye_side(name) == "right", everything, 0.0)
    return Rig(head, (left, right))
