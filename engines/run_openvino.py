"""OpenVINO: on Intel and AMD CPUs, one thread per model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engines.base import BATCH, Dimension, Options, Runner, Specs, TensorSpec, Unavailable, WeightsError
from engines.manifest import Weights


class OpenVinoRunner(Runner):
    """A network on OpenVINO. Output arrays are reused by the next `run`."""

    def __init__(self, name: str, specs: Specs, compiled: Any):
        super().__init__(name, "openvino", specs)
        self._request = compiled.create_infer_request()

    def _run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        contiguous = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
        self._request.infer(contiguous, share_inputs=True)
        return {spec.name: self._request.get_tensor(spec.name).data for spec in self.specs.outputs}

    def _close(self) -> None:
        self._request = None


def check() -> str:
    """Version. Raises Unavailable when OpenVINO cannot be imported."""
    return f"OpenVINO {_library().__version__.split('-')[0]}"


def open_engine(weights: Weights, options: Options) -> OpenVinoRunner:
    """Raises Unavailable without OpenVINO, WeightsError for a file that it cannot read."""
    openvino = _library()
    try:
        core = openvino.Core()
        model = core.read_model(weights.onnx)
        dimensions = _dimension_names(weights)
        if options.batch is not None:
            model.reshape(_pinned(model, dimensions, options.batch, openvino))
            dimensions = {
                name: tuple(options.batch if d == BATCH else d for d in shape) for name, shape in dimensions.items()
            }
        compiled = core.compile_model(model, "CPU", settings(options))
    except RuntimeError as why:
        raise WeightsError(f"OpenVINO cannot load {weights.path}: {str(why).strip().splitlines()[-1]}") from why
    specs = Specs(_specs(compiled.inputs, dimensions), _specs(compiled.outputs, dimensions))
    return OpenVinoRunner(weights.entry.name, specs, compiled)


def settings(options: Options) -> dict[str, Any]:
    """One picture at a time; without pinning off, all one-thread models would share core 0."""
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": options.threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
        "INFERENCE_PRECISION_HINT": "bf16" if options.precision == "bf16" else "f32",
    }


def _library() -> Any:
    try:
        import openvino
    except ImportError as why:
        raise Unavailable(f"OpenVINO cannot be imported ({why}); pip install 'nakedeye[openvino]'") from why
    return openvino


def _dimension_names(weights: Weights) -> dict[str, tuple[Dimension, ...]]:
    """{tensor: shape with names}: OpenVINO forgets the names of varying dimensions, the manifest has them."""
    return {**weights.entry.inputs, **weights.entry.outputs}


def _pinned(model: Any, dimensions: Mapping[str, tuple[Dimension, ...]], batch: int, openvino: Any) -> dict[str, Any]:
    shapes = {}
    for port in model.inputs:
        name = _own_name(port, dimensions)
        shape = dimensions[name]
        pinned = [batch if d == BATCH else (-1 if isinstance(d, str) else d) for d in shape]
        shapes[name] = openvino.PartialShape(pinned)
    return shapes


def _specs(ports: list[Any], dimensions: Mapping[str, tuple[Dimension, ...]]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(name, dimensions[name], np.dtype(port.get_element_type().to_dtype()))
        for name, port in ((_own_name(port, dimensions), port) for port in ports)
    )


def _own_name(port: Any, dimensions: Mapping[str, tuple[Dimension, ...]]) -> str:
    """The name that the manifest uses: a port also bears the names of tensors that were optimised away."""
    return next(name for name in port.get_names() if name in dimensions)
