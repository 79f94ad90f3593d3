"""Who a face is, in losses: identities of pairs of looks, and G, the frozen recogniser of eq. 9."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.recogniser import build
from realtime.regressor import INPUT_SIZE
from tools.train import losses
from tools.train.start import SHIPPED, load_shipped

FREE, FEATURE_SPREAD = 30, 7.0  # first shape that follows G's features, and its weight for a feature of unit length
RELATION, TWINS, CONTRAST, TEMPERATURE = 16.0, 1.0, 0.05, 0.15


def identity_terms(identity: Tensor, feature: Tensor, pairs: int) -> dict[str, Tensor]:
    """Losses of the last 2 x `pairs` rows, two looks at each photograph. identity (B, 80); feature (B, 128), 0 unknown.

    relation: cosines between people as the teacher has them. twins: distance between two looks at one person over that
    between people (the measure of `tools.evaluate invariance`). contrast: each look finds its twin among all others.
    """
    if pairs < 2:
        return {}
    looks = identity[-2 * pairs :].reshape(pairs, 2, -1)
    taught = feature[-2 * pairs :].reshape(pairs, 2, -1)[:, 0]
    about = looks - looks.detach().mean((0, 1))
    told = taught.abs().sum(1) > 0
    first, second = functional.normalize(about[:, 0], dim=1), functional.normalize(about[:, 1], dim=1)
    apart = torch.cdist(looks[:, 0], looks[:, 1])
    others = ~torch.eye(pairs, dtype=torch.bool, device=identity.device)
    likeness = first @ second.T / TEMPERATURE
    own = torch.arange(pairs, device=identity.device)
    terms = {
        "twins": TWINS * apart.diagonal().mean() / apart[others].mean().clamp_min(1e-3),
        "contrast": CONTRAST * (functional.cross_entropy(likeness, own) + functional.cross_entropy(likeness.T, own)),
    }
    if int(told.sum()) > 1:
        both = [losses.relation_loss(about[told, k], taught[told]) for k in range(2)]
        terms["relation"] = RELATION * (both[0] + both[1]) / 2
    return terms


@torch.no_grad()
def read_off_features(network: nn.Module, features: Tensor) -> None:
    """Begin N_r's layer `known`: the shapes from FREE on follow the main directions of G's `features` (N, 128).

    Those shapes hardly move the face (0.97 mm all together, where the first thirty move it 3.7 mm): they may say who
    somebody is from the first step on; what that costs in millimetres the training then settles.
    """
    centred = features - features.mean(0)
    shapes = network.known.out_features - FREE  # type: ignore[union-attr,operator]
    directions = torch.linalg.svd(centred, full_matrices=False).Vh[:shapes]
    spread = network.spread[FREE : FREE + shapes, None]  # type: ignore[index]
    weight = FEATURE_SPREAD * directions / spread
    network.known.weight[FREE : FREE + len(directions)] = weight  # type: ignore[union-attr,index]
    head = network.heads["identity"]  # type: ignore[index]
    head.bias[FREE : FREE + len(directions)] -= weight @ features.mean(0)


def frozen_recogniser(start: str, quality: str) -> nn.Module:
    """G with the shipped weights or a checkpoint's, for pictures of any size; its weights never move."""
    network = build(quality)
    if start == SHIPPED:
        load_shipped(network, "recogniser", quality)
    else:
        network.load_state_dict(torch.load(start, map_location="cpu", weights_only=False)["ema"])
    return AnySize(network.eval().requires_grad_(False))


class AnySize(nn.Module):
    """G on square pictures of any size."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, crop: Tensor) -> Tensor:
        if crop.shape[-1] != INPUT_SIZE:
            crop = functional.interpolate(crop, size=(INPUT_SIZE, INPUT_SIZE), mode="bilinear", align_corners=False)
        return self.network(crop)
