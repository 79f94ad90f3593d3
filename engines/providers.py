"""Who can run a network here, in order of preference, and which of its weight files each of them should get."""

from __future__ import annotations

import importlib
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.base import Engine, EngineError, Options, Unavailable, WeightsError
from engines.manifest import PRECISIONS, Entry, Weights


@dataclass(frozen=True, slots=True)
class Provider:
    """A way to run networks. `module`.`check`() -> description; `module`.`opener`(weights, options) -> Engine.

    The module is imported only when the provider is tried. gpu: it runs on an NVIDIA GPU.
    """

    name: str
    module: str
    check: str
    opener: str
    gpu: bool = False

    def describe(self) -> str:
        """What would run, with its version. Raises Unavailable saying why it cannot."""
        return self._function(self.check)()

    def open(self, weights: Weights, options: Options) -> Engine:
        """Raises Unavailable, or WeightsError for a file it cannot read."""
        return self._function(self.opener)(weights, options)

    def _function(self, name: str) -> Any:
        return getattr(importlib.import_module(self.module), name)


PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider("tensorrt", "engines.run_tensorrt", "check", "open_engine", gpu=True),
        Provider("cuda", "engines.run_onnx", "check_cuda", "open_cuda", gpu=True),
        Provider("openvino", "engines.run_openvino", "check", "open_engine"),
        Provider("cpu", "engines.run_onnx", "check_cpu", "open_cpu"),
        Provider("torch", "engines.run_torch", "check", "open_engine"),
    )
}
SPEEDUP = {True: "speedup_dot_product", False: "speedup_no_dot_product"}  # metric: int8 over float32, by processor
WORTH_IT = 1.15  # a smaller speed-up is not worth the rounding
AUTO = ("tensorrt", "cuda", "openvino", "cpu")  # torch only when asked for: importing it takes seconds


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a provider can serve here: `detail` is its version, or the reason why not."""

    name: str
    available: bool
    detail: str


def available_providers() -> tuple[Availability, ...]:
    """Every provider, in order of preference, with its version or the reason of its absence."""
    return tuple(_availability(provider) for provider in PROVIDERS.values())


def _availability(provider: Provider) -> Availability:
    try:
        return Availability(provider.name, True, provider.describe())
    except Unavailable as why:
        return Availability(provider.name, False, str(why))


def candidates(provider: str) -> tuple[Provider, ...]:
    """The providers to try for a name or "auto". Raises EngineError for a name nobody has."""
    if provider == "auto":
        return tuple(PROVIDERS[name] for name in AUTO)
    if provider not in PROVIDERS:
        raise EngineError(f"unknown provider {provider!r}; choose auto, {', '.join(PROVIDERS)}")
    return (PROVIDERS[provider],)


def choose_entry(
    entries: tuple[Entry, ...], provider: Provider, integer_dot_product: bool, precision: str = "auto"
) -> Entry:
    """The weight file that suits a provider best, of one precision unless "auto" (or "bf16", which any file gives).

    GPUs take full before light, CPUs light before full. On a CPU, int8 arithmetic is taken where its entry says that
    it pays on such a processor; elsewhere, and on GPUs, it is the last choice.
    Raises WeightsError when no file has that precision.
    """
    if precision in PRECISIONS:
        of_precision = tuple(entry for entry in entries if entry.precision == precision)
        if not of_precision:
            there_is = ", ".join(entry.label for entry in entries)
            raise WeightsError(f"no {precision} weights for {entries[0].name}; there is {there_is}")
        entries = of_precision
    elif precision not in ("auto", "bf16"):
        raise EngineError(f"unknown precision {precision!r}; choose auto, bf16, {', '.join(PRECISIONS)}")
    qualities = ("full", "light") if provider.gpu else ("light", "full")
    order = ("fp16", "fp32", "int8w", "int8")
    integers_first = not provider.gpu and provider.name != "torch" and precision != "bf16"

    def rank(entry: Entry) -> tuple[int, int]:
        quality = qualities.index(entry.quality) if entry.quality in qualities else len(qualities)
        first = integers_first and entry.precision == "int8" and int8_pays(entry, integer_dot_product)
        return quality, -1 if first else order.index(entry.precision)

    return min(entries, key=rank)


def int8_pays(entry: Entry, integer_dot_product: bool) -> bool:
    """True when an int8 file was measured to be faster than float on a processor of this kind, or of a weaker kind."""
    measured = [entry.metrics.get(SPEEDUP[kind]) for kind in ((True, False) if integer_dot_product else (False,))]
    known = [value for value in measured if isinstance(value, int | float)]
    return bool(known) and known[0] >= WORTH_IT


def has_integer_dot_product(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """True when the processor is known to have byte dot products (VNNI, AMX, or Arm's dotprod)."""
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line.split(":", 1)[1].split() for line in lines if line.startswith(("flags", "Features"))), [])
    return not {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"}.isdisjoint(flags)
