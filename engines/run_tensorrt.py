"""TensorRT: NVIDIA GPUs. Runs plans that `engines.build_tensorrt` builds for the GPU at hand and the cache keeps.

Versions 10 and 11 take precision from the ONNX file, 8.6 from the builder's flags. Only built-in operators.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from engines.base import BATCH, Dimension, EngineError, InputError, Options, Runner, Specs, TensorSpec, Unavailable
from engines.build_tensorrt import build_plan, library, plan_precision, profile_shapes, version
from engines.cache import Fingerprint, Stale, cache_dir, cached
from engines.cuda_driver import CudaDriver
from engines.manifest import Weights

log = logging.getLogger(__name__)


class TensorRtRunner(Runner):
    """A network on TensorRT. Output arrays are new in every `run`; buffers on the GPU grow to the largest seen."""

    def __init__(self, name: str, specs: Specs, engine: Any, driver: CudaDriver, context: int):
        super().__init__(name, "tensorrt", specs)
        self._engine, self._driver, self._cuda_context = engine, driver, context
        driver.use(context)
        self._execution = engine.create_execution_context()
        self._stream = driver.stream()
        self._buffers: dict[str, tuple[int, int]] = {}  # name: pointer, bytes

    def _run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self._driver.use(self._cuda_context)
        contiguous = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
        for name, array in contiguous.items():
            if not self._execution.set_input_shape(name, array.shape):
                raise InputError(f"{self.name}: the plan was not built for {name} of {array.shape}")
            self._driver.upload(self._buffer(name, array.nbytes), array, self._stream)
        outputs = {spec.name: self._output(spec) for spec in self.specs.outputs}
        if not self._execution.execute_async_v3(self._stream):
            raise EngineError(f"{self.name}: TensorRT could not run; its log says why")
        for name, array in outputs.items():
            self._driver.download(array, self._buffers[name][0], self._stream)
        self._driver.wait(self._stream)
        return outputs

    def _output(self, spec: TensorSpec) -> np.ndarray:
        """An empty array for an output, whose shape follows from those of the inputs."""
        array = np.empty(tuple(self._execution.get_tensor_shape(spec.name)), spec.dtype)
        self._buffer(spec.name, array.nbytes)
        return array

    def _buffer(self, name: str, size: int) -> int:
        """A pointer to at least `size` bytes on the GPU, known to TensorRT as the place of tensor `name`."""
        pointer, has = self._buffers.get(name, (0, 0))
        if has < size:
            if pointer:
                self._driver.free(pointer)
                del self._buffers[name]
            pointer = self._driver.allocate(size)
            self._buffers[name] = (pointer, size)
            self._execution.set_tensor_address(name, pointer)
        return pointer

    def _close(self) -> None:
        self._driver.use(self._cuda_context)
        for pointer, _ in self._buffers.values():
            self._driver.free(pointer)
        self._driver.destroy_stream(self._stream)
        self._execution = self._engine = None  # TensorRT frees what Python lets go of, in this order
        self._driver.release_context()


def check() -> str:
    """Version and GPU. Raises Unavailable without TensorRT 8.6, 10 or 11, a driver or a GPU."""
    trt = library()
    version(trt)
    gpu = CudaDriver().gpu()
    return f"TensorRT {trt.__version__} on {gpu.name} (compute capability {gpu.compute_capability})"


def open_engine(weights: Weights, options: Options) -> TensorRtRunner:
    """Take the plan from the cache or build it (a minute or more, with progress shown).

    Raises Unavailable where TensorRT, a GPU, its memory or an operator is missing.
    """
    trt = library()
    number = version(trt)
    driver = CudaDriver()
    gpu = driver.gpu()
    precision = plan_precision(weights.entry, options)
    shapes = profile_shapes(weights.entry, options)
    fingerprint = Fingerprint(
        weights.entry.sha256, f"TensorRT {trt.__version__}", gpu.name, gpu.compute_capability, precision, shapes
    )
    context = driver.retain_context()
    driver.use(context)
    try:
        engine = cached(
            f"{weights.entry.name}-{weights.entry.quality}", fingerprint,
            build=lambda: build_plan(weights, number, precision, shapes),
            load=lambda plan: _deserialise(trt, plan), directory=cache_dir(), say=log.warning,
        )  # fmt: skip
        return TensorRtRunner(weights.entry.name, _specs(trt, engine, weights, options), engine, driver, context)
    except BaseException as why:
        driver.release_context()
        if isinstance(why, EngineError) and not isinstance(why, Unavailable):  # out of memory, say: another may serve
            raise Unavailable(str(why)) from why
        raise


def _deserialise(trt: Any, plan: bytes) -> Any:
    engine = trt.Runtime(trt.Logger(trt.Logger.ERROR)).deserialize_cuda_engine(plan)
    if engine is None:
        raise Stale("TensorRT does not read the cached plan")
    return engine


def _specs(trt: Any, engine: Any, weights: Weights, options: Options) -> Specs:
    def spec(name: str, shape: tuple[Dimension, ...]) -> TensorSpec:
        pinned = tuple(options.batch if d == BATCH and options.batch is not None else d for d in shape)
        return TensorSpec(name, pinned, np.dtype(trt.nptype(engine.get_tensor_dtype(name))))

    entry = weights.entry
    return Specs(
        tuple(spec(name, shape) for name, shape in entry.inputs.items()),
        tuple(spec(name, shape) for name, shape in entry.outputs.items()),
    )


