"""From a torch module to an ONNX file that every engine runs, and the proof that it computes the same.

What each network takes and gives is listed in `EXPORTS` (docs/architecture.md, "Networks").
"""

from __future__ import annotations

import importlib
import itertools
import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.base import BATCH, Dimension, EngineError

if TYPE_CHECKING:
    import onnx
    import torch

OPSET = 18
ALIASES = "nakedeye.aliases"  # metadata: {parameter: constant that holds it}
Shapes = Mapping[str, tuple[Dimension, ...]]


@dataclass(frozen=True, slots=True)
class Export:
    """Inputs and outputs of a network's ONNX file, {name: shape}; "N" counts pictures, other names vary freely.

    graph: class in engines/networks/NAME.py that wraps the trained network for export, where there is one.
    multiple: what varying heights and widths must be multiples of.
    """

    inputs: Shapes
    outputs: Shapes
    graph: str | None = None
    multiple: int = 32


EXPORTS = {
    "detector": Export({"image": (1, 3, "H", "W")}, {"boxes": (1, "K", 4), "scores": (1, "K")}, graph="DetectorGraph"),
    "landmarks": Export({"crop": (BATCH, 3, 128, 128)}, {"points": (BATCH, 68, 2), "confidence": (BATCH, 1)}),
    "deleter": Export(
        {"strip": (BATCH, 3, 128, 256)},
        {
            "labels": (BATCH, 128, 256),
            "glasses": (BATCH, 4, 128, 256),
            "shadow": (BATCH, 3, 128, 256),
            "kind": (BATCH, 3),
        },
        graph="DeleterGraph",
    ),
    "generator": Export({"strip": (BATCH, 5, 128, 256)}, {"strip_filled": (BATCH, 3, 128, 256)}),
    "coefficients": Export({"crop": (BATCH, 3, 128, 128), "features": (BATCH, 128)}, {"coefficients": (BATCH, 239)}),
    "lenses": Export({"strip": (BATCH, 3, 128, 256)}, {"scale": (BATCH, 1)}),
    "lids": Export({"eyes": (BATCH, 1, 40, 56)}, {"gap": (BATCH, 1)}),
    "recogniser": Export({"crop": (BATCH, 3, 128, 128)}, {"features": (BATCH, 128)}),
    "refiner": Export(
        {"texture": (BATCH, 7334, 3), "seen": (BATCH, 7334, 4), "crop": (BATCH, 3, 128, 128)},
        {"texture_final": (BATCH, 7334, 3)},
    ),
}


def inference_module(name: str, quality: str, checkpoint: Path | None = None) -> torch.nn.Module:
    """Network `name` as it is exported, in evaluation mode, with the parameters of a trainer's checkpoint if given.

    A checkpoint is a torch.save dict with state dicts "ema" (preferred) or "model".
    Raises EngineError for an unknown network or a checkpoint that does not fit, ModuleNotFoundError without PyTorch.
    """
    if name not in EXPORTS:
        raise EngineError(f"unknown network {name!r}; there is {', '.join(EXPORTS)}")
    definitions = importlib.import_module(f"engines.networks.{name}")
    network = definitions.build(quality)
    if checkpoint is not None:
        _load_checkpoint(network, checkpoint)
    graph = EXPORTS[name].graph
    if graph is not None and hasattr(definitions, graph):
        network = getattr(definitions, graph)(network)
    return fold_norms(network.eval())


def fold_norms(module: torch.nn.Module) -> torch.nn.Module:
    """`module` with every batch norm that follows a convolution in a Sequential folded into it, in place.

    Here rather than in the exporter, so that the file's constants keep the names of the folded module's parameters.
    """
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for part in module.modules():
        if not isinstance(part, nn.Sequential):
            continue
        for first, second in itertools.pairwise(list(part._modules)):
            convolution, norm = part._modules[first], part._modules[second]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                part._modules[first] = fuse_conv_bn_eval(convolution, norm)
                part._modules[second] = nn.Identity()
    return module


def _load_checkpoint(network: torch.nn.Module, path: Path) -> None:
    import torch

    try:
        saved = torch.load(path, map_location="cpu", weights_only=False)
        network.load_state_dict(saved.get("ema") or saved["model"])
    except FileNotFoundError:
        raise EngineError(f"no checkpoint at {path}") from None
    except (KeyError, RuntimeError) as why:
        raise EngineError(f"{path} does not fit this network and quality: {why}") from why


def export_onnx(module: torch.nn.Module, export: Export, static: bool = False) -> onnx.ModelProto:
    """The ONNX graph of `module`, float32, named as in `export`; N is fixed to 1 when `static`."""
    import torch

    examples = tuple(torch.from_numpy(array) for array in example_inputs(export, batch=1 if static else 2).values())
    shapes = tuple(_dynamic_shape(shape, export.multiple, static) for shape in export.inputs.values())
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # PyTorch's exporter warns about its own insides
        program = torch.onnx.export(
            module.eval(), examples, dynamo=True, opset_version=OPSET, dynamic_shapes=shapes, verbose=False,
            input_names=list(export.inputs), output_names=list(export.outputs), external_data=False,
        )  # fmt: skip
    assert program is not None
    model = _named(program.model_proto, export, static)
    _merge_indices(model)
    _note_aliases(model, {name: value.numpy() for name, value in module.state_dict().items()})
    return model


def _merge_indices(model: onnx.ModelProto) -> None:
    """Keep one of integer constants that are equal: the exporter writes a table of indices anew wherever it is used."""
    from onnx import TensorProto

    kept: dict[tuple[int, tuple[int, ...], bytes], str] = {}
    names: dict[str, str] = {}
    for tensor in list(model.graph.initializer):
        if tensor.data_type in (TensorProto.INT32, TensorProto.INT64) and tensor.raw_data:
            same = kept.setdefault((tensor.data_type, tuple(tensor.dims), tensor.raw_data), tensor.name)
            if same != tensor.name:
                names[tensor.name] = same
                model.graph.initializer.remove(tensor)
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]


def _note_aliases(model: onnx.ModelProto, parameters: Mapping[str, np.ndarray]) -> None:
    """Note in the file's metadata which constant stands for which parameter: the exporter merges equal ones."""
    from onnx import numpy_helper

    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    aliases = {}
    for name in parameters.keys() - constants.keys():
        same = (kept for kept, array in constants.items() if np.array_equal(array, parameters[name]))
        kept = next(same, None)
        if kept is not None:
            aliases[name] = kept
    entry = model.metadata_props.add()
    entry.key, entry.value = ALIASES, json.dumps(aliases, sort_keys=True)


def example_inputs(export: Export, batch: int, side: int = 96, seed: int = 0) -> dict[str, np.ndarray]:
    """Random float32 pictures 0..1 of the shapes that `export` takes; varying sides are `side` and twice it."""
    rng = np.random.default_rng(seed)
    sizes = {BATCH: batch, "H": side, "W": 2 * side}
    return {
        name: rng.random([sizes[d] if isinstance(d, str) else d for d in shape], np.float32)
        for name, shape in export.inputs.items()
    }


def _dynamic_shape(shape: tuple[Dimension, ...], multiple: int, static: bool) -> dict[int, Any]:
    from torch.export import Dim

    dynamic: dict[int, Any] = {}
    for axis, dimension in enumerate(shape):
        if dimension == BATCH:
            if not static:
                dynamic[axis] = Dim(BATCH, min=1, max=1024)
        elif isinstance(dimension, str):
            dynamic[axis] = multiple * Dim(f"{dimension}_{multiple}", min=2, max=256)
    return dynamic


def _named(model: onnx.ModelProto, export: Export, static: bool) -> onnx.ModelProto:
    """`model` with our dimension names at its ends, without the exporter's notes (they hold this machine's paths)."""
    graph = model.graph
    for holder in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        holder.doc_string = ""
        del holder.metadata_props[:]
    del model.graph.value_info[:]
    for values, shapes in ((model.graph.input, export.inputs), (model.graph.output, export.outputs)):
        names = [value.name for value in values]
        if names != list(shapes):
            raise EngineError(f"the module gives {names}, docs/architecture.md wants {list(shapes)}")
        for value in values:
            _name_dimensions(value, shapes[value.name], static)
    model.producer_name, model.producer_version, model.graph.name = "nakedeye", "", "network"
    return model


def shapes_of(values: Iterable[onnx.ValueInfoProto]) -> dict[str, tuple[Dimension, ...]]:
    """{name: shape} of a graph's inputs or outputs."""
    return {v.name: tuple(d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim) for v in values}


def _name_dimensions(value: onnx.ValueInfoProto, wanted: tuple[Dimension, ...], static: bool) -> None:
    found = value.type.tensor_type.shape.dim
    if len(found) != len(wanted):
        raise EngineError(f"{value.name} has {len(found)} dimensions, docs/architecture.md wants {wanted}")
    for dimension, want in zip(found, wanted, strict=True):
        if static and want == BATCH:
            want = 1
        if isinstance(want, str):
            dimension.dim_param = want
        elif dimension.HasField("dim_value") and dimension.dim_value != want:
            raise EngineError(f"{value.name} has a side of {dimension.dim_value}, docs/architecture.md wants {wanted}")
        else:
            dimension.dim_value = want


def torch_answers(module: torch.nn.Module, inputs: Mapping[str, np.ndarray], outputs: Shapes) -> dict[str, np.ndarray]:
    """What the module itself computes, {output name: array}."""
    import torch

    with torch.inference_mode():
        answers = module(*(torch.from_numpy(array) for array in inputs.values()))
    answers = (answers,) if isinstance(answers, torch.Tensor) else tuple(answers)
    return {name: answer.numpy() for name, answer in zip(outputs, answers, strict=True)}
