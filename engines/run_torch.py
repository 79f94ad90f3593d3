"""PyTorch: the reference engine. Runs a network's own definition with the parameters of its ONNX file."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.base import BATCH, Dimension, Options, Runner, Specs, TensorSpec, Unavailable, WeightsError
from engines.manifest import Weights

if TYPE_CHECKING:
    import torch


class TorchRunner(Runner):
    """A network as PyTorch runs it, in float32."""

    def __init__(self, name: str, specs: Specs, module: torch.nn.Module, device: str):
        super().__init__(name, "torch", specs)
        self._module: torch.nn.Module | None = module.eval().to(device)
        self._device = device

    def _run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        import torch

        assert self._module is not None
        with torch.inference_mode():
            tensors = [torch.from_numpy(inputs[spec.name]).to(self._device) for spec in self.specs.inputs]
            answers = self._module(*tensors)
        outputs = (answers,) if isinstance(answers, torch.Tensor) else tuple(answers)
        return {spec.name: output.cpu().numpy() for spec, output in zip(self.specs.outputs, outputs, strict=True)}

    def _close(self) -> None:
        self._module = None


def check() -> str:
    """Version. Raises Unavailable where PyTorch is not installed; does not import it."""
    try:
        importlib.metadata.version("onnx")
        return f"PyTorch {importlib.metadata.version('torch')}"
    except importlib.metadata.PackageNotFoundError as why:
        raise Unavailable(f"{why.name} is not installed; pip install 'nakedeye[train]'") from why


def open_engine(weights: Weights, options: Options) -> TorchRunner:
    """Raises Unavailable for a network without a definition or an int8 file, WeightsError where the two disagree."""
    check()
    import torch

    from engines.export import inference_module

    entry = weights.entry
    if entry.precision == "int8":
        raise Unavailable(f"{entry.file} computes in int8, which PyTorch does not run")
    torch.set_num_threads(options.threads)
    try:
        module = inference_module(entry.name, entry.quality)
    except ModuleNotFoundError as why:
        raise Unavailable(f"no PyTorch definition of {entry.name}: {why}") from why
    _load_parameters(module, stored_tensors(weights.onnx), weights)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtypes = _output_dtypes(weights.onnx)
    inputs = tuple(_spec(name, shape, options, np.float32) for name, shape in entry.inputs.items())
    outputs = tuple(_spec(name, shape, options, dtypes[name]) for name, shape in entry.outputs.items())
    return TorchRunner(entry.name, Specs(inputs, outputs), module, device)


def stored_tensors(content: bytes) -> dict[str, np.ndarray]:
    """{name: array} of an ONNX file's initialisers, those stored as fp16 or int8 back in float32 under their own name.

    Undoes what `engines.storage` does: `w.stored` (fp16) or `w.stored` (int8) * `w.scale` is parameter `w`.
    """
    import onnx

    from engines.export import ALIASES

    model = onnx.load_from_string(content)
    graph = model.graph
    raw = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    tensors = {}
    for name, array in raw.items():
        if name.endswith(".stored"):
            own_name = name.removesuffix(".stored")
            scale = raw.get(own_name + ".scale", np.float32(1))
            tensors[own_name] = array.astype(np.float32) * scale
        elif not name.endswith(".scale") or name.removesuffix(".scale") + ".stored" not in raw:
            tensors[name] = array
    notes = {entry.key: entry.value for entry in model.metadata_props}
    return tensors | {name: tensors[kept] for name, kept in json.loads(notes.get(ALIASES, "{}")).items()}


def _load_parameters(module: Any, tensors: Mapping[str, np.ndarray], weights: Weights) -> None:
    import torch

    with torch.no_grad():
        for name, tensor in module.state_dict().items():  # shares memory with the module
            if name not in tensors:
                raise WeightsError(f"{weights.path} lacks {name} of {weights.entry.name}: export it again")
            if tensors[name].size != tensor.numel():
                raise WeightsError(f"{weights.path}: {name} is {tensors[name].shape}, not {tuple(tensor.shape)}")
            tensor.copy_(torch.from_numpy(np.array(tensors[name])).reshape(tensor.shape))


def _output_dtypes(content: bytes) -> dict[str, Any]:
    import onnx

    outputs = onnx.load_from_string(content).graph.output
    return {value.name: onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type) for value in outputs}


def _spec(name: str, shape: tuple[Dimension, ...], options: Options, dtype: Any) -> TensorSpec:
    pinned = tuple(options.batch if d == BATCH and options.batch is not None else d for d in shape)
    return TensorSpec(name, pinned, np.dtype(dtype))
