"""The refiner: fine texture T_final by coarse-to-fine graph convolutions (paper 3.3, after Lin et al. 2020).

Three parts as there: an encoder that brings the 3DMM's texture, and what the picture shows of it, down a mesh pyramid;
a decoder that starts from image features at the coarsest level and goes up; and the joining of both at every level. Our
own addition, as in the generator: what nobody has seen is first filled without learning (the 3DMM's texture in the tone
of the skin that was seen, the mirror image, and their difference spread over the pyramid, "pull-push"), inside the
graph, and the network learns the difference to that.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.blocks import conv_norm
from engines.networks.deleter import MEAN, SPREAD
from engines.networks.graph import ChebyshevConvolution, Gather, GraphUnit, Mix, as_stored
from engines.networks.mesh_pyramid import build_pyramid, mirror_of
from realtime.face.model import FaceModel, load_face_model
from realtime.face.regions import REFINED

INPUTS = 20  # features of a vertex: see `Refiner._features`
POSITION_MM = 100.0  # unit of the features that say where on the head a vertex lies
MIRROR_TRUST = 0.25  # weight of the mirror image where nothing was seen
SURE = 4.0  # of a quarter and more of full weight, all is believed
KNOWN = 1e-3  # weight under which a cluster has seen nothing
TONE = (0.4, 2.5)  # bounds of seen skin over the 3DMM's
RESIDUAL = 0.25  # unit of what the network adds
SEED_RANK = 16  # of what the picture as a whole can say at the coarsest level; it keeps the file small


@dataclass(frozen=True)
class RefinerSize:
    """widths: channels at the levels of the pyramid, finest first; image: of the picture's features."""

    widths: tuple[int, ...]
    image: int


SIZES = {"light": RefinerSize((16, 32, 48, 64), 64), "full": RefinerSize((32, 64, 96, 128), 256)}


class ImageFeatures(nn.Module):
    """(N, 3, 128, 128) RGB 0..1 -> (N, C): what the picture says as a whole, on half the resolution."""

    def __init__(self, features: int):
        super().__init__()
        widths = (3, 16, 32, 48, features)
        self.body = nn.Sequential(
            *(nn.Sequential(conv_norm(a, b, 3, 2), nn.ReLU(inplace=True)) for a, b in itertools.pairwise(widths))
        )

    def forward(self, crop: Tensor) -> Tensor:
        small = functional.avg_pool2d(crop, 2)
        features: Tensor = self.body((small - MEAN) / SPREAD).mean((2, 3))
        return features


class Refiner(nn.Module):
    """texture (N, V, 3), the 3DMM's albedo 0..1; seen (N, V, 4), what the camera showed of it, light taken out, 0..1
    RGB, and how well (0..1); crop (N, 3, 128, 128) RGB 0..1, the aligned crop shrunk -> texture_final (N, V, 3) 0..1.

    V: vertices of the live mesh. Those outside `REFINED` (eyes, mouth's inside) keep the 3DMM's texture.
    """

    inputs = ("texture", "seen", "crop")
    outputs = ("texture_final",)
    refined: Tensor
    place: Tensor
    position: Tensor

    def __init__(self, quality: str = "light", model: FaceModel | None = None):
        super().__init__()
        size, model = SIZES[quality], model or load_face_model("live")
        points, triangles, refined = refined_mesh(model)
        pyramid = build_pyramid(points, triangles, len(size.widths) - 1)
        place = np.zeros(len(model.mean), np.int64)
        place[refined] = np.arange(1, len(refined) + 1)  # row of a vertex in the answer; 0: it keeps its texture
        position = points / POSITION_MM
        for name, array in {"refined": refined, "place": place, "position": as_stored(position)}.items():
            self.register_buffer(name, torch.from_numpy(array), persistent=False)
        self.mirror = Gather(mirror_of(points))
        self.laplacian = nn.ModuleList(Gather(one) for one in pyramid.laplacian)
        self.down = nn.ModuleList(Gather(one) for one in pyramid.down)
        self.up = nn.ModuleList(Gather(one) for one in pyramid.up)
        w, levels = size.widths, range(len(size.widths) - 1)
        graphs: list[Gather] = list(self.laplacian)  # type: ignore[arg-type]
        self.image = ImageFeatures(size.image)
        self.seed = nn.Sequential(
            nn.Linear(size.image, SEED_RANK), nn.Linear(SEED_RANK, len(pyramid.points[-1]) * w[-1])
        )
        self.enter = ChebyshevConvolution(graphs[0], INPUTS, w[0])
        self.encode = nn.ModuleList(GraphUnit(graphs[k], w[k]) if k else nn.Identity() for k in levels)
        self.widen = nn.ModuleList(Mix(w[k], w[k + 1]) for k in levels)
        self.middle = GraphUnit(graphs[-1], w[-1])
        self.narrow = nn.ModuleList(Mix(w[k + 1], w[k]) for k in levels)
        self.decode = nn.ModuleList(GraphUnit(graphs[k], w[k]) for k in levels)
        self.residual = Mix(w[0], 3)
        nn.init.zeros_(self.residual.weight)
        nn.init.zeros_(self.residual.bias)

    def forward(self, texture: Tensor, seen: Tensor, crop: Tensor) -> Tensor:
        """See the class."""
        basis = texture[:, self.refined].transpose(0, 1)  # (V0, N, 3)
        shown = seen[:, self.refined].transpose(0, 1)
        colour, weight = shown[..., :3], shown[..., 3:]
        toned = (basis * tone(colour, weight, basis)).clamp(0, 1)
        start, other = self._filled(colour, weight, toned)
        x = functional.relu(self.enter(self._features(start, toned, colour, weight, other)))
        residual = RESIDUAL * self.residual(self._coarse_to_fine(x, self.image(crop)))
        fine = (start + residual).clamp(0, 1).transpose(0, 1)  # (N, V0, 3)
        answers = torch.cat([torch.zeros_like(fine[:, :1]), fine], 1)[:, self.place]
        return torch.where((self.place > 0)[None, :, None], answers, texture)

    def filled(self, texture: Tensor, seen: Tensor) -> Tensor:
        """What the network starts from, (N, V0, 3) colours of the refined vertices: the fill without learning."""
        basis, shown = texture[:, self.refined].transpose(0, 1), seen[:, self.refined].transpose(0, 1)
        toned = (basis * tone(shown[..., :3], shown[..., 3:], basis)).clamp(0, 1)
        return self._filled(shown[..., :3], shown[..., 3:], toned)[0].transpose(0, 1)

    def _coarse_to_fine(self, x: Tensor, image: Tensor) -> Tensor:
        """Down the pyramid, joined with the image's features at the coarsest level, and up again: (V0, N, C)."""
        kept = []
        for encode, widen, down in zip(self.encode, self.widen, self.down, strict=True):
            x = encode(x)
            kept.append(x)
            x = functional.relu(widen(down(x)))
        x = self.middle(x + self.seed(image).unflatten(1, (len(x), -1)).transpose(0, 1))
        for k in reversed(range(len(kept))):
            x = self.decode[k](functional.relu(kept[k] + self.up[k](self.narrow[k](x))))
        return x

    def _filled(self, colour: Tensor, weight: Tensor, toned: Tensor) -> tuple[Tensor, Tensor]:
        """Pull-push of the difference between what was seen (or its mirror image) and the toned 3DMM, added to that.

        Returns the filled texture (V0, N, 3) and the mirror image's difference and weight (V0, N, 4).
        """
        difference = torch.cat([(colour - toned) * weight, weight], 2)
        other = self.mirror(difference)
        levels = [difference + MIRROR_TRUST * (1 - (SURE * weight).clamp_max(1)) * other]
        for down in self.down:
            levels.append(down(levels[-1]))
        spread = levels[-1][..., :3] / levels[-1][..., 3:].clamp_min(KNOWN)
        for up, level in zip(reversed(self.up), reversed(levels[:-1]), strict=True):
            coarse, known = up(spread), level[..., 3:]
            spread = coarse + (SURE * known).clamp_max(1) * (level[..., :3] / known.clamp_min(KNOWN) - coarse)
        return (toned + spread).clamp(0, 1), other

    def _features(self, start: Tensor, toned: Tensor, colour: Tensor, weight: Tensor, other: Tensor) -> Tensor:
        """(V0, N, INPUTS): start, 3DMM, what was seen and its mirror image, how well, place on the head."""
        place = self.position[:, None].expand(-1, start.shape[1], -1)
        both = [(colour - toned) * weight, weight, other]
        parts = [(start - MEAN) / SPREAD, (toned - MEAN) / SPREAD, (start - toned) / SPREAD, *both, place]
        return torch.cat(parts, 2)


class TextureDiscriminator(nn.Module):
    """Patch discriminator of drawn faces: (N, 3, S, S) RGB 0..1 and (N, 1, S, S), where the face is drawn -> scores
    (N, 1, S/8, S/8) (least squares: 1 real, 0 made) and inner maps for feature matching. Spectral norm; training only.
    """

    def __init__(self, width: int = 16):
        super().__init__()
        plan = [(4, width, 4, 2), (width, 2 * width, 4, 2), (2 * width, 4 * width, 4, 2), (4 * width, 1, 3, 1)]
        self.body = nn.ModuleList(
            nn.utils.parametrizations.spectral_norm(nn.Conv2d(a, b, kernel, stride, 1)) for a, b, kernel, stride in plan
        )

    def forward(self, image: Tensor, drawn: Tensor) -> tuple[Tensor, list[Tensor]]:
        x, maps = torch.cat([(image - MEAN) / SPREAD, drawn], 1), []
        for layer in list(self.body)[:-1]:
            x = functional.leaky_relu(layer(x), 0.2)
            maps.append(x)
        return self.body[-1](x), maps


def refined_mesh(model: FaceModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """points (V0, 3) mm and triangles (F0, 3) of the mean head's refined part, and its vertex numbers (V0,) int64."""
    refined = np.flatnonzero(np.isin(model.regions, REFINED))
    number = np.full(len(model.mean), -1)
    number[refined] = np.arange(len(refined))
    triangles = number[model.triangles]
    return model.mean[refined], triangles[(triangles >= 0).all(1)], refined


def tone(colour: Tensor, weight: Tensor, basis: Tensor) -> Tensor:
    """(1, N, 3): seen skin over the 3DMM's where both are known, 1 before anything was seen. All (V0, N, ...)."""
    known = weight.sum(0, keepdim=True)
    ratio = (colour * weight).sum(0, keepdim=True) / (basis * weight).sum(0, keepdim=True).clamp_min(KNOWN)
    return torch.where(known > 1, ratio.clamp(*TONE), torch.ones_like(ratio))


def build(quality: str = "light") -> Refiner:
    """The network of a quality, untrained."""
    return Refiner(quality)
