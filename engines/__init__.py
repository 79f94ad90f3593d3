"""Neural networks as engines: `open_network` finds the weights of a network and the best way to run them here."""

from __future__ import annotations

from pathlib import Path

from engines.base import Engine, EngineError, InputError, Options, Specs, TensorSpec, Unavailable, WeightsError
from engines.manifest import entries_of, load_weights, read_manifest
from engines.providers import Availability, available_providers, candidates, choose_entry, has_integer_dot_product

__all__ = [
    "Availability", "Engine", "EngineError", "InputError", "Specs", "TensorSpec", "Unavailable", "WeightsError",
    "available_providers", "open_network",
]  # fmt: skip


def open_network(
    name: str,
    quality: str = "auto",
    provider: str = "auto",
    threads: int = 1,
    models_dir: Path | None = None,
    batch: int | None = 1,
    precision: str = "auto",
) -> Engine:
    """Open network `name` ("landmarks", "deleter", ...; see docs/architecture.md) ready to run.

    quality: "light", "full", or "auto": full on a GPU, light on a CPU, whichever exists otherwise.
    provider: "auto" tries TensorRT, ONNX Runtime CUDA, OpenVINO, ONNX Runtime CPU; or one of them by name, or "torch".
    models_dir: folder with another models.toml and weights/. batch: pictures per `run`; None leaves it free.
    precision: "auto", or that of one weight file ("fp32", "fp16", "int8w", "int8"), or "bf16" arithmetic (OpenVINO).
    Raises WeightsError for missing or damaged weights, Unavailable listing why each provider failed.
    """
    options = Options(threads=threads, batch=batch, precision=precision)
    entries = entries_of(name, read_manifest(models_dir), quality)
    reasons = []
    for candidate in candidates(provider):
        try:
            candidate.describe()
            weights = load_weights(choose_entry(entries, candidate, has_integer_dot_product(), precision), models_dir)
            return candidate.open(weights, options)
        except Unavailable as why:
            reasons.append(f"  {candidate.name}: {why}")
    raise Unavailable(f"no way to run {name} here:\n" + "\n".join(reasons))
