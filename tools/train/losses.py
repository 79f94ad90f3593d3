"""Losses of deleter, generator and regressor: the paper's equations, and what the field adds to them.

Pictures are (N, 3, H, W) RGB 0..1, masks (N, 1, H, W) with 1 inside the hole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from engines.networks.classes import Region

Maps = Sequence[Tensor]


# --- deleter ------------------------------------------------------------------------------------------------------


def sub_pixels(image: Tensor) -> Tensor:
    """(N, H, W) -> (N, 4, H/2, W/2), the layout of `engines.networks.deleter.Parsing`."""
    n, h, w = image.shape
    return image.reshape(n, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3).reshape(n, 4, h // 2, w // 2)


def parsing_loss(log_probability: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Class-weighted cross-entropy; log_probability (N, 15, ...), labels (N, ...) int64, IGNORE left out."""
    return functional.nll_loss(log_probability, labels, weights, ignore_index=int(Region.IGNORE))


def no_glasses_loss(worn: Tensor, bare: Tensor) -> Tensor:
    """-log of the probability of any class but glasses, mean over the pixels of `bare`.

    worn: (N, ...) probability of glasses of any class. bare: (N, ...) bool, pixels that nobody has labelled, but
    that are known to show no eyeglasses.
    """
    return -((1 - worn).clamp_min(1e-4).log() * bare).sum() / bare.sum().clamp_min(1)


def dice_loss(said: Tensor, true: Tensor, known: Tensor) -> Tensor:
    """1 - soft Dice over the whole batch; said: (N, ...) probability, true and known: (N, ...) bool."""
    said, true = said * known, true & known
    return 1 - (2 * (said * true).sum() + 50) / (said.sum() + true.sum() + 50)


# --- generator ----------------------------------------------------------------------------------------------------


def pixel_loss(made: Tensor, real: Tensor, hole: Tensor) -> Tensor:
    """Eq. 2 inside the hole: L1 over the mask size S of each picture, a mean per masked value."""
    size = hole.sum((1, 2, 3)).clamp_min(1) * made.shape[1]
    return ((made - real).abs() * hole).sum((1, 2, 3)).div(size).mean()


def square_loss(made: Tensor, real: Tensor, hole: Tensor) -> Tensor:
    """Mean squared error inside the hole, a mean over the pictures."""
    size = hole.sum((1, 2, 3)).clamp_min(1) * made.shape[1]
    return ((made - real).square() * hole).sum((1, 2, 3)).div(size).mean()


def gradient_loss(made: Tensor, real: Tensor, hole: Tensor) -> Tensor:
    """L1 of finite differences at full and half size, in and around the hole: edges where the truth has them."""
    total = made.new_zeros(())
    for _ in range(2):
        near = functional.max_pool2d(hole, 3, 1, 1)
        size = near.sum().clamp_min(1) * made.shape[1]
        error = made - real
        total = total + ((error[..., 1:, :] - error[..., :-1, :]).abs() * near[..., 1:, :]).sum() / size
        total = total + ((error[..., 1:] - error[..., :-1]).abs() * near[..., 1:]).sum() / size
        made, real, hole = (functional.avg_pool2d(x, 2) for x in (made, real, hole))
    return total


def gram(maps: Tensor) -> Tensor:
    """(N, O, H, W) -> (N, O, O) Gram matrix over O * H * W."""
    flat = maps.flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def style_loss(made: Maps, real: Maps) -> Tensor:
    """Eq. 3: L1 between Gram matrices, a mean over their O x O entries, summed over layers.

    made, real: features of the pictures times their mask, one map for each layer.
    """
    return torch.stack([(gram(a) - gram(b)).abs().mean() for a, b in zip(made, real, strict=True)]).sum()


def variation_loss(made: Tensor) -> Tensor:
    """Eq. 4: total variation, mean absolute forward differences in both directions."""
    return (made[..., 1:, :] - made[..., :-1, :]).abs().mean() + (made[..., 1:] - made[..., :-1]).abs().mean()


def perceptual_loss(made: Maps, real: Maps) -> Tensor:
    """L1 between features, each layer in units of its own mean magnitude."""
    terms = [(a - b).abs().mean() / b.abs().mean().clamp_min(1e-3) for a, b in zip(made, real, strict=True)]
    return torch.stack(terms).sum()


# --- coefficients -------------------------------------------------------------------------------------------------


def photometric_loss(photo: Tensor, rendered: Tensor, visible: Tensor) -> Tensor:
    """Eq. 8: per-pixel L2 norm over colour between photo and rendering, mean over the rendered pixels.

    visible: (N, 1, H, W), 1 where the rendering covers skin (Deep3DFaceRecon's attention mask).
    """
    distance = ((photo - rendered).square().sum(1, keepdim=True) + 1e-8).sqrt()
    return (distance * visible).sum() / visible.sum().clamp_min(1)


def feature_loss(photo: Tensor, rendered: Tensor, embed: Callable[[Tensor], Tensor]) -> Tensor:
    """Eq. 9: 1 - cosine between face features G(.) of photo and rendering; `embed` maps (N, 3, H, W) to (N, D)."""
    return (1 - functional.cosine_similarity(embed(photo), embed(rendered), dim=1)).mean()


def relation_loss(said: Tensor, taught: Tensor) -> Tensor:
    """Mean squared difference between the cosines of all pairs of rows; (N, D) and (N, E), both about their origin
    (Park et al. 2019, relational distillation)."""
    first, second = functional.normalize(said, dim=1), functional.normalize(taught, dim=1)
    apart = ~torch.eye(len(said), dtype=torch.bool, device=said.device)
    return (first @ first.T - second @ second.T)[apart].square().mean()
