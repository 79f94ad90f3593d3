"""How fast do networks run here? Medians of ms a picture, providers and session options taken in turns.

    python -m tools.bench_engines                       every listed weight file on every provider
    python -m tools.bench_engines --onnx F [F ...]      ONNX files instead
    python -m tools.bench_engines --sessions            ONNX Runtime's session options instead of the providers
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engines.base import Engine, EngineError, Options
from engines.export import shapes_of
from engines.manifest import Entry, Weights, load_weights, read_manifest
from engines.parity import installed, random_inputs
from engines.providers import PROVIDERS
from engines.run_onnx import OnnxRunner, session_options

Call = Callable[[], Any]


def medians_ms(
    calls: Mapping[str, Call], seconds: float = 1.0, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Median duration of each call. They take turns, so that a disturbance hits them alike; a first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    end = clock() + seconds * len(calls)
    while clock() < end or len(times[next(iter(calls))]) < 5:
        for name, call in calls.items():
            start = clock()
            call()
            times[name].append(clock() - start)
    return {name: 1000 * statistics.median(taken) for name, taken in times.items()}


def read_onnx(path: Path) -> Weights:
    """Any ONNX file as weights, its shapes read from itself."""
    import onnx

    content = path.read_bytes()
    graph = onnx.load_from_string(content).graph
    inputs, outputs = shapes_of(graph.input), shapes_of(graph.output)
    entry = Entry(path.stem, "-", path.name, hashlib.sha256(content).hexdigest(), "fp32", inputs, outputs, (), "-")
    return Weights(entry, path, content)


def engines_of(weights: Weights, threads: int) -> dict[str, Engine]:
    """{label: engine} on every provider that can run the file; OpenVINO in f32 and, where it differs, bf16."""
    opened: dict[str, Engine] = {}
    for name in installed(("tensorrt", "cuda", "openvino", "cpu")):
        for precision in ("auto", "bf16") if name == "openvino" else ("auto",):
            try:
                options = Options(threads=threads, precision=precision)
                opened[f"{name} {precision}"] = PROVIDERS[name].open(weights, options)
            except EngineError as why:
                print(f"  {name}: {why}", file=sys.stderr)
    return opened


def sessions_of(weights: Weights, threads: int) -> dict[str, Engine]:
    """{label: engine} on ONNX Runtime with one option changed at a time from those that we use."""
    import onnxruntime as ort

    def changed(change: Callable[[Any], None]) -> Engine:
        settings = session_options(ort, Options(threads=threads))
        change(settings)
        session = ort.InferenceSession(weights.onnx, settings, providers=["CPUExecutionProvider"])
        return OnnxRunner(weights.entry.name, "cpu", session)

    levels = ort.GraphOptimizationLevel
    changes: dict[str, Callable[[Any], None]] = {
        "ours": lambda s: None,
        "graph: basic": lambda s: setattr(s, "graph_optimization_level", levels.ORT_ENABLE_BASIC),
        "graph: extended": lambda s: setattr(s, "graph_optimization_level", levels.ORT_ENABLE_EXTENDED),
        "no arena": lambda s: setattr(s, "enable_cpu_mem_arena", False),
        "no memory pattern": lambda s: setattr(s, "enable_mem_pattern", False),
        "spinning": lambda s: s.add_session_config_entry("session.intra_op.allow_spinning", "1"),
        "denormals as zero": lambda s: s.add_session_config_entry("session.set_denormal_as_zero", "1"),
        "precise int8": lambda s: s.add_session_config_entry("session.x64quantprecision", "1"),
    }
    return {label: changed(change) for label, change in changes.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, a line per file and engine."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench_engines", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--onnx", type=Path, nargs="*", default=[], help="these files instead of the listed ones")
    parser.add_argument("--sessions", action="store_true", help="compare ONNX Runtime's session options")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0, help="per engine (default: %(default)s)")
    options = parser.parse_args(arguments)
    files = [read_onnx(p) for p in options.onnx] if options.onnx else [load_weights(e) for e in read_manifest()]
    for weights in files:
        engines = (sessions_of if options.sessions else engines_of)(weights, options.threads)
        calls = {label: _call(engine) for label, engine in engines.items()}
        for label, ms in medians_ms(calls, options.seconds).items():
            print(f"{weights.path.name:32} {label:20} {ms:8.2f} ms", flush=True)
    return 0


def _call(engine: Engine) -> Call:
    inputs = random_inputs(engine.specs, side=256)
    return lambda: engine.run(inputs)


if __name__ == "__main__":
    sys.exit(main())
