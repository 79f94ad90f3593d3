"""Graph convolutions on a mesh pyramid. Features are (V, N, C) float32: vertices first: gathers take whole rows.

Only Gather, Mul, ReduceSum and MatMul reach the exported file. In training the gathers are fused embedding bags,
forward and back: twenty times as fast as what autograd makes of an index.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.mesh_pyramid import Table, transposed

CHEBYSHEV = 3  # terms T_0 .. T_2 of a spectral convolution: it reaches two rings of neighbours


class _Bag(torch.autograd.Function):
    """Weighted sums of rows; the gradient is the same with the transposed table."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor, weights: Tensor, back: Tensor, back_weights: Tensor) -> Tensor:
        ctx.save_for_backward(back, back_weights)
        return _bag(x, index, weights)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return _bag(gradients[0], *ctx.saved_tensors), None, None, None, None


def _bag(x: Tensor, index: Tensor, weights: Tensor) -> Tensor:
    rows = x.reshape(len(x), -1).contiguous()
    sums = functional.embedding_bag(index, rows, per_sample_weights=weights.to(rows.dtype), mode="sum")
    return sums.view(len(index), *x.shape[1:])


class Gather(nn.Module):
    """A `Table` as a layer: (source, N, C) -> (R, N, C). Its constants come from the mesh, not from a checkpoint."""

    index: Tensor
    weights: Tensor
    back: Tensor
    back_weights: Tensor

    def __init__(self, forward: Table):
        super().__init__()
        back = transposed(forward)
        arrays = {"index": forward.index, "weights": forward.weights, "back": back.index, "back_weights": back.weights}
        for name, array in arrays.items():
            kept = array.astype(np.int32) if array.dtype == np.int64 else as_stored(array)  # half the file
            self.register_buffer(name, torch.from_numpy(kept), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return cast(Tensor, _Bag.apply(x, self.index, self.weights, self.back, self.back_weights))
        rows = x.index_select(0, self.index.flatten()).unflatten(0, self.index.shape)
        return (rows * self.weights[:, :, None, None]).sum(1)


def as_stored(array: np.ndarray) -> np.ndarray:
    """float32 values that float16 holds exactly, so that a file that stores constants in float16 computes the same."""
    return array.astype(np.float16).astype(np.float32)


class Mix(nn.Module):
    """A linear layer on the last axis, (..., C) -> (..., D).

    Its weight is (C, D), as MatMul takes it, so that the exported constant is the parameter itself.
    """

    def __init__(self, c_in: int, c_out: int):
        super().__init__()
        plain = nn.Linear(c_in, c_out)
        self.weight = nn.Parameter(plain.weight.detach().T.contiguous())
        self.bias = nn.Parameter(plain.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class ChebyshevConvolution(nn.Module):
    """Spectral convolution (Defferrard et al. 2016): the sum over k of T_k(L) x W_k, L the scaled Laplacian."""

    def __init__(self, laplacian: Gather, c_in: int, c_out: int, terms: int = CHEBYSHEV):
        super().__init__()
        self.neighbours, self.terms = [laplacian], terms  # in a list: a constant that many layers share is no child
        self.mix = Mix(terms * c_in, c_out)

    def forward(self, x: Tensor) -> Tensor:
        (laplacian,) = self.neighbours
        polynomials = [x, laplacian(x)]
        while len(polynomials) < self.terms:
            polynomials.append(2 * laplacian(polynomials[-1]) - polynomials[-2])
        return cast(Tensor, self.mix(torch.cat(polynomials[: self.terms], 2)))


class GraphUnit(nn.Module):
    """Two spectral convolutions and the identity."""

    def __init__(self, laplacian: Gather, width: int):
        super().__init__()
        self.first = ChebyshevConvolution(laplacian, width, width)
        self.second = ChebyshevConvolution(laplacian, width, width)
        nn.init.zeros_(self.second.mix.weight)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(functional.relu(self.first(x))))
