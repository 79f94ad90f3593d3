"""ONNX Runtime: the default engine, on the CPU or on an NVIDIA GPU through its CUDA provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engines.base import BATCH, Options, Runner, Specs, TensorSpec, Unavailable, WeightsError
from engines.manifest import Weights

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


class OnnxRunner(Runner):
    """A network on ONNX Runtime."""

    def __init__(self, name: str, provider: str, session: Any):
        specs = Specs(_specs(session.get_inputs()), _specs(session.get_outputs()))
        super().__init__(name, provider, specs)
        self._session = session
        self._output_names = [spec.name for spec in specs.outputs]

    def _run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        outputs = self._session.run(self._output_names, dict(inputs))
        return dict(zip(self._output_names, outputs, strict=True))

    def _close(self) -> None:
        self._session = None


def check_cpu() -> str:
    """Version of ONNX Runtime. Raises Unavailable when it cannot be imported."""
    return f"ONNX Runtime {_library().__version__}"


def check_cuda() -> str:
    """Version. Raises Unavailable when this ONNX Runtime has no CUDA provider."""
    ort = _library()
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        raise Unavailable("this ONNX Runtime has no CUDA provider; on an NVIDIA machine: pip install 'nakedeye[cuda]'")
    return f"ONNX Runtime {ort.__version__} CUDA"


def open_cpu(weights: Weights, options: Options) -> OnnxRunner:
    """Raises Unavailable without ONNX Runtime, WeightsError for a file that it cannot read."""
    return _open(weights, options, "cpu", ["CPUExecutionProvider"])


def open_cuda(weights: Weights, options: Options) -> OnnxRunner:
    """Raises Unavailable where the CUDA provider is absent or does not start (no GPU, no driver, wrong CUDA)."""
    check_cuda()
    ort = _library()
    if hasattr(ort, "preload_dlls"):  # finds CUDA and cuDNN that pip has installed
        ort.preload_dlls()
    settings = {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}  # exact; an exhaustive search takes minutes
    runner = _open(weights, options, "cuda", [("CUDAExecutionProvider", settings), "CPUExecutionProvider"])
    if "CUDAExecutionProvider" not in runner._session.get_providers():
        raise Unavailable("the CUDA provider did not start: no NVIDIA GPU, or its driver, CUDA or cuDNN is absent")
    return runner


def session_options(ort: Any, options: Options) -> Any:
    """The settings that are fastest for one picture at a time (`python -m tools.bench_engines --sessions`)."""
    settings = ort.SessionOptions()
    settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    settings.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 4  # errors reach the user as exceptions, once
    for pool in ("intra_op", "inter_op"):  # a spinning pool steals the core of the network beside it
        settings.add_session_config_entry(f"session.{pool}.allow_spinning", "0")
    if options.batch is not None:
        settings.add_free_dimension_override_by_name(BATCH, options.batch)
    return settings


def _open(weights: Weights, options: Options, provider: str, providers: list[Any]) -> OnnxRunner:
    ort = _library()
    if options.precision == "bf16":
        raise Unavailable("ONNX Runtime does not compute in bf16; OpenVINO does")
    try:
        session = ort.InferenceSession(weights.onnx, session_options(ort, options), providers=providers)
    except Exception as why:  # ONNX Runtime has no common exception type of its own
        raise WeightsError(f"ONNX Runtime cannot load {weights.path}: {_first_line(why)}") from why
    return OnnxRunner(weights.entry.name, provider, session)


def _library() -> Any:
    try:
        import onnxruntime
    except ImportError as why:
        raise Unavailable(f"ONNX Runtime cannot be imported ({_first_line(why)}); pip install onnxruntime") from why
    return onnxruntime


def _specs(values: list[Any]) -> tuple[TensorSpec, ...]:
    return tuple(_spec(value) for value in values)


def _spec(value: Any) -> TensorSpec:
    shape = tuple(side if isinstance(side, int) else str(side) for side in value.shape)
    return TensorSpec(value.name, shape, np.dtype(DTYPES[value.type]))


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
