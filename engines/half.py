"""A network's graph in half precision, for builders that take the precision from the file (TensorRT 10 and later).

float16 from the first convolution or matrix product to the last; what lies before and after (normalisation, pixels,
probabilities) stays float32, and so do inputs and outputs. Needs the package `onnx`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HEAVY = ("Conv", "ConvTranspose", "Gemm", "MatMul")
FLOAT_ONLY = {"Resize": (1, 2), "Upsample": (1,)}  # inputs that are float32 by definition
HALF_MAX = 65504.0


def half_graph(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of `model` (float32, plain constants) that computes in float16 where it matters for speed."""
    half = onnx.shape_inference.infer_shapes(model)
    conversion = _Conversion(half.graph, _inner_nodes(half.graph.node))
    nodes = conversion.nodes()
    del half.graph.node[:], half.graph.value_info[:]
    half.graph.node.extend(nodes)
    half.graph.initializer.extend(conversion.constants)
    used = {name for node in nodes for name in node.input} | {value.name for value in half.graph.output}
    kept = [tensor for tensor in half.graph.initializer if tensor.name in used]
    del half.graph.initializer[:]
    half.graph.initializer.extend(kept)
    onnx.checker.check_model(half)
    return half


def _inner_nodes(nodes: Sequence[onnx.NodeProto]) -> set[int]:
    """Numbers of the heavy nodes and of those that lie on a way from one to another."""
    after_heavy = _reached(range(len(nodes)), nodes, forward=True)
    before_heavy = _reached(reversed(range(len(nodes))), nodes, forward=False)
    heavy = {number for number, node in enumerate(nodes) if node.op_type in HEAVY}
    return heavy | (after_heavy & before_heavy)


def _reached(order: Iterable[int], nodes: Sequence[onnx.NodeProto], forward: bool) -> set[int]:
    """Numbers of the nodes that a heavy one comes before (forward) or after; nodes are in topological order."""
    names: set[str] = set()
    reached = set()
    for number in order:
        node = nodes[number]
        near, far = (node.input, node.output) if forward else (node.output, node.input)
        if names.intersection(near):
            reached.add(number)
        if number in reached or node.op_type in HEAVY:
            names.update(name for name in far if name)
    return reached


class _Conversion:
    """Rewrites a graph's nodes; `constants` are the float16 constants that they need."""

    def __init__(self, graph: onnx.GraphProto, inner: set[int]):
        self.constants: list[onnx.TensorProto] = []
        self._graph, self._inner = graph, inner
        self._initializers = {tensor.name: tensor for tensor in graph.initializer}
        values = (*graph.input, *graph.output, *graph.value_info)
        self._floats = {v.name for v in values if v.type.tensor_type.elem_type == TensorProto.FLOAT}
        self._floats |= {t.name for t in graph.initializer if t.data_type == TensorProto.FLOAT}
        self._half_names = {name for i in inner for name in graph.node[i].output if name in self._floats}
        self._made: dict[str, str] = {}  # other-precision twin of a value, by its name

    def nodes(self) -> list[onnx.NodeProto]:
        """All nodes in order, with the casts where precision changes."""
        nodes: list[onnx.NodeProto] = []
        outputs = {value.name for value in self._graph.output}
        for number, original in enumerate(self._graph.node):
            node = onnx.NodeProto()
            node.CopyFrom(original)
            wants_half = number in self._inner
            for i, name in enumerate(node.input):
                node.input[i], casts = self._as(name, wants_half and i not in FLOAT_ONLY.get(node.op_type, ()))
                nodes += casts
            if wants_half:
                _halve_attributes(node)
                node.output[:] = [name + ".half" if name in self._half_names else name for name in node.output]
            nodes.append(node)
            answered = [name for name in original.output if wants_half and name in outputs & self._half_names]
            nodes += [helper.make_node("Cast", [name + ".half"], [name], to=TensorProto.FLOAT) for name in answered]
        return nodes

    def _as(self, name: str, half: bool) -> tuple[str, list[onnx.NodeProto]]:
        """The name under which `name` is there in the precision wanted, and the nodes that make it so."""
        if name not in self._floats or (not half and name not in self._half_names):
            return name, []
        if half and name in self._half_names:
            return name + ".half", []
        if name in self._made:
            return self._made[name], []
        twin = self._made[name] = name + (".as_half" if half else ".as_float")
        if half and name in self._initializers:
            array = np.clip(numpy_helper.to_array(self._initializers[name]), -HALF_MAX, HALF_MAX)
            self.constants.append(numpy_helper.from_array(array.astype(np.float16), twin))
            return twin, []
        source, target = (name, TensorProto.FLOAT16) if half else (name + ".half", TensorProto.FLOAT)
        return twin, [helper.make_node("Cast", [source], [twin], to=target)]


def _halve_attributes(node: onnx.NodeProto) -> None:
    """Make a node's own float32 constants, and its target type, float16."""
    for attribute in node.attribute:
        if attribute.name == "to" and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.FLOAT16
        elif attribute.type == onnx.AttributeProto.TENSOR and attribute.t.data_type == TensorProto.FLOAT:
            array = np.clip(numpy_helper.to_array(attribute.t), -HALF_MAX, HALF_MAX)
            attribute.t.CopyFrom(numpy_helper.from_array(array.astype(np.float16)))
