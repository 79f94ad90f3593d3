"""How an ONNX file stores its weights: as fp16 or int8 constants that a Cast (and a Mul) turns back into float32.

Engines fold these constants when they load a file, so it runs in float32 everywhere at a half or a quarter of the size.
Runs at export only (needs the package `onnx`). Parameter `w` is stored as `w.stored`, and `w.scale` for int8.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HALF_MAX = 65504.0
SMALL = 256  # tensors with fewer elements stay as they are: nothing to gain
OUTPUT_AXIS = {"Conv": 0, "ConvTranspose": 1, "Gemm": 0, "MatMul": -1}  # of the second input


def store_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with every float32 constant of two or more dimensions stored as float16.

    Raises ValueError for a constant that float16 cannot hold.
    """
    return _restored(model, lambda name, array, axis: _half(name, array))


def store_bytes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with the weights of its layers stored as int8, one scale per output channel; the rest as fp16.

    Kernels of fewer than 32 numbers a channel (depthwise ones) stay fp16: they are small and suffer most.
    """

    def stored(name: str, array: np.ndarray, axis: int | None) -> dict[str, np.ndarray]:
        if axis is None or array.size // array.shape[axis] < 32:
            return _half(name, array)
        scale = channel_scale(array, axis)
        values = np.clip(np.rint(array / scale), -127, 127).astype(np.int8)
        return {name + ".stored": values, name + ".scale": scale}

    return _restored(model, stored)


def channel_scale(array: np.ndarray, axis: int) -> np.ndarray:
    """Scale per channel along `axis`, float32 that broadcasts: symmetric int8 over the channel's whole range.

    Clipping the largest weights for finer steps does not pay at 8 bits: their error outweighs what the others gain.
    """
    others = tuple(i for i in range(array.ndim) if i != axis % array.ndim)
    largest = np.abs(array).max(axis=others, keepdims=True)
    return np.where(largest > 0, largest / 127, 1.0).astype(np.float32)


def _half(name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    if np.abs(array).max() > HALF_MAX:
        raise ValueError(f"{name} has values up to {np.abs(array).max():.3g}, float16 ends at {HALF_MAX:.0f}")
    return {name + ".stored": array.astype(np.float16)}


def _restored(
    model: onnx.ModelProto, stored: Callable[[str, np.ndarray, int | None], dict[str, np.ndarray]]
) -> onnx.ModelProto:
    """A copy of `model` whose larger constants are what `stored` makes of them, with the nodes that undo it first."""
    small = onnx.ModelProto()
    small.CopyFrom(model)
    axes = _output_axes(small.graph)
    initializers, nodes = [], []
    for tensor in small.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.ndim < 2 or array.size < SMALL:
            initializers.append(tensor)
            continue
        kept = stored(tensor.name, array, axes.get(tensor.name))
        initializers += [numpy_helper.from_array(value, name) for name, value in kept.items()]
        nodes += _undoing(tensor.name, scaled=len(kept) == 2)
    del small.graph.initializer[:]
    small.graph.initializer.extend(initializers)
    nodes += list(small.graph.node)
    del small.graph.node[:]
    small.graph.node.extend(nodes)
    return small


def _undoing(name: str, scaled: bool) -> list[onnx.NodeProto]:
    cast = name + ".float" if scaled else name
    nodes = [helper.make_node("Cast", [name + ".stored"], [cast], name=name + ".cast", to=TensorProto.FLOAT)]
    if scaled:
        nodes.append(helper.make_node("Mul", [cast, name + ".scale"], [name], name=name + ".mul"))
    return nodes


def _output_axes(graph: onnx.GraphProto) -> dict[str, int]:
    """{weight: axis of its output channels} for the weights of convolutions and matrix products."""
    axes = {}
    for node in graph.node:
        if node.op_type in OUTPUT_AXIS and len(node.input) > 1:
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            axes[node.input[1]] = 1 if node.op_type == "Gemm" and not transposed else OUTPUT_AXIS[node.op_type]
    return axes


def restore(model: onnx.ModelProto) -> onnx.ModelProto:
    """The inverse: a copy of `model` with plain float32 constants, as builders want it that fold less than others."""
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    raw = {tensor.name: tensor for tensor in plain.graph.initializer}
    undone: set[str] = set()
    for name in [n.removesuffix(".stored") for n in raw if n.endswith(".stored")]:
        array = numpy_helper.to_array(raw.pop(name + ".stored")).astype(np.float32)
        scale = raw.pop(name + ".scale", None)
        if scale is not None:
            array = array * numpy_helper.to_array(scale)
        raw[name] = numpy_helper.from_array(array, name)
        undone |= {name, name + ".float"}
    nodes = [node for node in plain.graph.node if node.output[0] not in undone]
    del plain.graph.initializer[:], plain.graph.node[:]
    plain.graph.initializer.extend(raw.values())
    plain.graph.node.extend(nodes)
    return plain
