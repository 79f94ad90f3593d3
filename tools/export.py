"""Write a trained network as an ONNX file and list it in models.toml.

    python -m tools.export landmarks --checkpoint runs/landmarks/checkpoint.pt --quality light --trained-on helen aaf
    python -m tools.export landmarks --quality light --metrics metrics.json     measures of the file listed already
    python -m tools.export --table                                              the table of MODELS.md
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.base import BATCH, EngineError, Options
from engines.export import EXPORTS, Export, example_inputs, export_onnx, inference_module, shapes_of, torch_answers
from engines.manifest import ENGINES_DIR, MANIFEST, PRECISIONS, Entry, Weights, dump_manifest, read_manifest
from engines.parity import TOLERANCES, Tolerance, differences
from engines.providers import SPEEDUP, has_integer_dot_product
from engines.run_onnx import open_cpu
from tools.bench_engines import medians_ms
from tools.models_page import LICENCES, PAGE, licence_of, write_table

if TYPE_CHECKING:
    import onnx
    import torch

log = logging.getLogger("export")
STORED = Tolerance(5e-2, 5e-3, 2e-2)  # rounding of stored weights; its effect on the task is in the entry's metrics
INT8_CHANGE = 0.03  # a larger relative change of a measure is warned about
Arrays = dict[str, np.ndarray]


def publish(
    name: str, plain: onnx.ModelProto, module: torch.nn.Module, export: Export, quality: str, precision: str = "fp16",
    calibration: list[Arrays] | None = None, trained_on: Sequence[str] = (), models_dir: Path = ENGINES_DIR,
) -> Entry:  # fmt: skip
    """Prove that the graph `plain` computes what `module` does, write it in a precision, list it. Returns the entry.

    The entry notes how far the outputs lie from the module's (mean, over the output's largest magnitude).
    Raises EngineError when the file computes something else.
    """
    for batch in (1, 3) if any(BATCH in shape for shape in export.inputs.values()) else (1,):
        _prove(f"{name} at batch {batch}", module, export, plain, [example_inputs(export, batch)], TOLERANCES["fp32"])
    model = stored_as(plain, precision, calibration)
    pictures = (calibration or [])[-16:] or [example_inputs(export, 1)]
    tolerance = None if precision == "int8" else STORED
    measures = _prove(f"{name} stored as {precision}", module, export, model, pictures, tolerance)
    if precision == "int8":
        measures |= int8_speedup(name, plain, model, export)
    content = model.SerializeToString()
    file = f"{name}-{quality}{'' if precision == 'fp16' else '-' + precision}.onnx"
    entry = Entry(
        name, quality, file, hashlib.sha256(content).hexdigest(), precision, shapes_of(model.graph.input),
        shapes_of(model.graph.output), tuple(trained_on), licence_of(trained_on), measures,
    )  # fmt: skip
    (models_dir / "weights").mkdir(parents=True, exist_ok=True)
    write_atomically(models_dir / "weights" / file, content)
    list_entry(entry, models_dir)
    log.info("%s: %s, %.2f MB", entry.label, models_dir / "weights" / file, len(content) / 1e6)
    return entry


def _prove(
    what: str, module: torch.nn.Module, export: Export, model: onnx.ModelProto, pictures: list[Arrays],
    tolerance: Tolerance | None,
) -> dict[str, float]:  # fmt: skip
    """How far `model` lies from `module` over the pictures. Raises EngineError beyond a tolerance that is given."""
    found = []
    for inputs in pictures:
        found += differences(torch_answers(module, inputs, export.outputs), _run(model, inputs))
    for difference in found:
        if tolerance and not difference.within(tolerance):
            raise EngineError(f"{what}: ONNX and PyTorch disagree: {difference}, allowed {tolerance}")
    mean = float(np.mean([difference.mean for difference in found]))
    return {"from_torch_mean": mean, "from_torch_labels": max(difference.labels for difference in found)}


def int8_speedup(name: str, exact: onnx.ModelProto, small: onnx.ModelProto, export: Export) -> dict[str, float]:
    """How many times faster the int8 file is here, on one thread, under the metric's name for such a processor."""
    inputs = example_inputs(export, 1)
    calls = {}
    for label, model in (("float", exact), ("int8", small)):
        entry = Entry(name, "-", label, "", "fp32", export.inputs, export.outputs, (), "")
        engine = open_cpu(Weights(entry, Path(label), model.SerializeToString()), Options())
        calls[label] = partial(engine.run, inputs)
    taken = medians_ms(calls)
    log.info("%s: float32 %.2f ms, int8 %.2f ms", name, taken["float"], taken["int8"])
    return {SPEEDUP[has_integer_dot_product()]: taken["float"] / taken["int8"]}


def stored_as(model: onnx.ModelProto, precision: str, calibration: list[Arrays] | None) -> onnx.ModelProto:
    """`model` (fp32) in one of the precisions of `engines.manifest`."""
    from engines.storage import store_bytes, store_half

    if precision == "int8":
        from tools.quantise import quantise

        return quantise(model, calibration or [])
    return {"fp32": lambda m: m, "fp16": store_half, "int8w": store_bytes}[precision](model)


def list_entry(entry: Entry, models_dir: Path = ENGINES_DIR) -> None:
    """Put `entry` into models.toml in place of the one of the same network, quality and precision."""
    path = models_dir / MANIFEST
    others = [e for e in (read_manifest(models_dir) if path.exists() else ()) if e.label != entry.label]
    write_atomically(path, dump_manifest((*others, entry)).encode())


def record_metrics(name: str, quality: str, precision: str, metrics: dict[str, Any], models_dir: Path) -> Entry:
    """Add measures of a listed file to its entry; for int8, also the relative loss against the float file.

    Raises EngineError when no such file is listed.
    """
    listed = {(e.name, e.quality, e.precision): e for e in read_manifest(models_dir)}
    entry = listed.get((name, quality, precision))
    if entry is None:
        raise EngineError(f"{models_dir / MANIFEST} lists no {name} ({quality}, {precision}); export it first")
    numbers = {key: value for key, value in metrics.items() if isinstance(value, int | float | str)}
    exact = listed.get((name, quality, "fp16")) or listed.get((name, quality, "fp32"))
    if precision.startswith("int8") and exact is not None:
        for key, value in list(numbers.items()):
            before = exact.metrics.get(key)
            if isinstance(before, float) and isinstance(value, float) and before:
                change = numbers[f"{key}_change"] = value / before - 1
                if abs(change) > INT8_CHANGE:
                    log.warning("%s: %s changes by %+.1f %% from float to %s", name, key, 100 * change, precision)
    entry = replace(entry, metrics={**entry.metrics, **numbers})
    list_entry(entry, models_dir)
    return entry


def write_atomically(path: Path, content: bytes) -> None:
    """All of the file or none of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)


def _run(model: onnx.ModelProto, inputs: Arrays) -> Arrays:
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.export", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", choices=list(EXPORTS))
    parser.add_argument("--quality", default="light", choices=["light", "full"])
    parser.add_argument("--checkpoint", type=Path, help="a trainer's checkpoint.pt")
    parser.add_argument("--precision", default="fp16", choices=PRECISIONS, help="of the file (default: %(default)s)")
    parser.add_argument("--calibration", type=Path, help="shards, or an .npz of inputs, for --precision int8")
    parser.add_argument("--pictures", type=int, default=128, help="calibration pictures (default: %(default)s)")
    parser.add_argument("--metrics", type=Path, help="JSON of `tools.evaluate`, for the entry")
    parser.add_argument("--trained-on", nargs="*", default=[], metavar="SET", help=f"of {', '.join(LICENCES)}")
    parser.add_argument("--models-dir", type=Path, default=ENGINES_DIR, help="folder with models.toml and weights")
    parser.add_argument("--table", action="store_true", help=f"only bring the table in {PAGE.name} up to date")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, 1 with one line of explanation, or 2 for a command line that asks for nothing."""
    options = parse(arguments)
    logging.basicConfig(format="%(message)s")  # warnings of others, all of ours
    log.setLevel(logging.INFO)
    try:
        if options.name and options.checkpoint:
            _export(options)
        elif options.name and not options.metrics:
            print("give --checkpoint to export or --metrics to record measures", file=sys.stderr)
            return 2
        if options.name and options.metrics:
            measures = json.loads(options.metrics.read_text())
            record_metrics(options.name, options.quality, options.precision, measures, options.models_dir)
        if options.table or options.models_dir == ENGINES_DIR:  # the page follows the list
            write_table(PAGE, read_manifest(options.models_dir))
    except (EngineError, OSError, ValueError) as why:
        print(why, file=sys.stderr)
        return 1
    return 0


def _export(options: argparse.Namespace) -> None:
    from tools.quantise import calibration_inputs

    module = inference_module(options.name, options.quality, options.checkpoint)
    calibration = None
    if options.precision == "int8":
        if options.calibration is None:
            raise EngineError("int8 needs --calibration with shards or inputs")
        calibration = calibration_inputs(options.name, options.calibration, options.pictures)
    export = EXPORTS[options.name]
    publish(
        options.name, export_onnx(module, export), module, export, options.quality, options.precision, calibration,
        options.trained_on, options.models_dir,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
