"""Building a TensorRT plan from a network's ONNX file, for versions 8.6, 10 and 11."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from engines.base import BATCH, Options, Unavailable
from engines.manifest import Entry, Weights

log = logging.getLogger(__name__)
Shapes = dict[str, tuple[tuple[int, ...], ...]]
SUPPORTED = "8.6, 10 and 11"
SIDES = {BATCH: (1, 1, 8), "H": (64, 480, 1088), "W": (64, 640, 1920)}  # smallest, usual, largest
WORKSPACE_BYTES = 1 << 30


def library() -> Any:
    """The module `tensorrt`. Raises Unavailable where it cannot be imported."""
    try:
        import tensorrt
    except (ImportError, OSError) as why:
        first = (str(why).splitlines() or [type(why).__name__])[0]
        raise Unavailable(f"TensorRT cannot be imported ({first}); pip install 'nakedeye[tensorrt]'") from None
    return tensorrt


def version(trt: Any) -> tuple[int, int]:
    """(major, minor). Raises Unavailable for a version that this program does not know."""
    major, minor = (int(part) for part in trt.__version__.split(".")[:2])
    if (major, minor) != (8, 6) and major not in (10, 11):
        raise Unavailable(f"TensorRT {trt.__version__} is not one of {SUPPORTED}")
    return major, minor


def plan_precision(entry: Entry, options: Options) -> str:
    """"int8" for a file that computes in int8, "fp32" where asked for, "fp16" otherwise. Raises Unavailable for bf16.

    TensorRT reads symmetric int8 only; files quantised for CPUs (unsigned activations) it will refuse.
    """
    if options.precision == "bf16":
        raise Unavailable("networks run in fp16, fp32 or int8 on TensorRT, not in bf16")
    if entry.precision == "int8":
        return "int8"
    return "fp32" if options.precision == "fp32" else "fp16"


def profile_shapes(entry: Entry, options: Options) -> Shapes:
    """{input: (smallest, usual, largest shape)} that a plan serves."""
    sides = {**SIDES, BATCH: (options.batch,) * 3} if options.batch is not None else SIDES
    return {
        name: tuple(tuple(sides[d][i] if isinstance(d, str) else d for d in shape) for i in range(3))
        for name, shape in entry.inputs.items()
    }


@dataclass(frozen=True, slots=True)
class Source:
    """What the builder is given. flags: names of trt.BuilderFlag. typed: the file's own precision is binding."""

    onnx: bytes
    flags: tuple[str, ...]
    typed: bool


def source_of(content: bytes, number: tuple[int, int], precision: str) -> Source:
    """The file and the flags that make TensorRT `number` compute in `precision`. Raises Unavailable without `onnx`."""
    try:
        import onnx

        from engines.half import half_graph
        from engines.storage import restore
    except ImportError as why:
        raise Unavailable(f"TensorRT plans need onnx to be built ({why}); pip install 'nakedeye[tensorrt]'") from None
    plain = restore(onnx.load_from_string(content))
    if number < (10, 0):
        flags = {"fp32": (), "fp16": ("FP16",), "int8": ("INT8", "FP16")}[precision]
        return Source(plain.SerializeToString(), flags, typed=False)
    return Source((half_graph(plain) if precision == "fp16" else plain).SerializeToString(), (), typed=True)


def build_plan(weights: Weights, number: tuple[int, int], precision: str, shapes: Shapes) -> bytes:
    """A serialised plan for the GPU at hand.

    Raises Unavailable when TensorRT does not start, or finds no way to run the network on this GPU.
    """
    trt = library()
    source = source_of(weights.onnx, number, precision)
    logger = trt.Logger(trt.Logger.ERROR)
    try:
        builder = trt.Builder(logger)
    except TypeError:  # how its binding says that there is none
        raise Unavailable("TensorRT does not start on this GPU; its log says why") from None
    network = builder.create_network(_creation_flags(trt, source.typed))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(source.onnx):
        reasons = "; ".join(parser.get_error(i).desc() for i in range(parser.num_errors))
        raise Unavailable(f"TensorRT {trt.__version__} cannot read {weights.path}: {reasons}")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE_BYTES)
    for flag in source.flags:
        config.set_flag(getattr(trt.BuilderFlag, flag))
    config.add_optimization_profile(_profile(builder, shapes))
    if hasattr(trt, "IProgressMonitor"):
        monitor = _progress_bar(trt, weights.entry.label)
        config.progress_monitor = monitor
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise Unavailable(f"TensorRT {trt.__version__} found no way to run {weights.entry.label}; its log says why")
    return bytes(plan)


def _creation_flags(trt: Any, typed: bool) -> int:
    """8.6 must be asked for explicit batches, 10 for binding types; 11 knows nothing else and has neither flag."""
    known = trt.NetworkDefinitionCreationFlag
    wanted = "STRONGLY_TYPED" if typed else "EXPLICIT_BATCH"
    return 1 << int(getattr(known, wanted)) if hasattr(known, wanted) else 0


def _profile(builder: Any, shapes: Mapping[str, tuple[tuple[int, ...], ...]]) -> Any:
    profile = builder.create_optimization_profile()
    for name, (smallest, usual, largest) in shapes.items():
        profile.set_shape(name, smallest, usual, largest)
    return profile


def _progress_bar(trt: Any, label: str) -> Any:
    """What TensorRT tells about its progress, as one bar for the outermost phase at a time."""

    class ProgressBar(trt.IProgressMonitor):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self._phases: dict[str, tqdm[Any]] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            if parent_phase is None:
                self._phases[phase_name] = tqdm(total=num_steps, desc=f"{label}: {phase_name}", leave=False)

        def step_complete(self, phase_name: str, step: int) -> bool:
            if phase_name in self._phases:
                self._phases[phase_name].update(step + 1 - self._phases[phase_name].n)
            return True

        def phase_finish(self, phase_name: str) -> None:
            if phase_name in self._phases:
                self._phases.pop(phase_name).close()

    return ProgressBar()
