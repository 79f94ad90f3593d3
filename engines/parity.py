"""Do two engines compute the same? `python -m engines.parity NAME` compares every installed pair on the same inputs."""

from __future__ import annotations

import argparse
import itertools
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engines import available_providers, open_network
from engines.base import BATCH, Engine, EngineError, Specs, Unavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far two answers may lie apart. worst, mean: difference over the largest magnitude of the reference output.

    labels: share of the elements of an integer output that may differ (classes that are nearly tied).
    """

    worst: float
    mean: float
    labels: float


TOLERANCES = {
    "fp32": Tolerance(1e-4, 1e-5, 1e-3),
    "fp16": Tolerance(2e-2, 2e-3, 1e-2),  # arithmetic in half precision (TensorRT)
    "bf16": Tolerance(1e-1, 1e-2, 3e-2),
    "int8": Tolerance(1e-1, 1e-2, 3e-2),  # engines round and saturate differently
}
ARITHMETIC = {"fp32": "fp32", "fp16": "fp32", "int8w": "fp32", "int8": "int8"}  # of a file, by its precision


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one output lies from the reference, as in `Tolerance`."""

    output: str
    worst: float
    mean: float
    labels: float

    def within(self, tolerance: Tolerance) -> bool:
        return self.worst <= tolerance.worst and self.mean <= tolerance.mean and self.labels <= tolerance.labels


def differences(reference: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> list[Difference]:
    """One per output. Raises EngineError when names, shapes or dtypes differ, or a number is not finite."""
    if reference.keys() != other.keys():
        raise EngineError(f"outputs {sorted(other)} are not {sorted(reference)}")
    return [_difference(name, reference[name], other[name]) for name in reference]


def _difference(name: str, a: np.ndarray, b: np.ndarray) -> Difference:
    if a.shape != b.shape or a.dtype != b.dtype:
        raise EngineError(f"output {name}: {b.dtype}{b.shape} is not {a.dtype}{a.shape}")
    if np.issubdtype(a.dtype, np.integer):
        return Difference(name, 0.0, 0.0, float((a != b).mean()))
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise EngineError(f"output {name} has numbers that are not finite")
    # a probability near nothing carries the relative noise of its logit: measured against a hundredth at least
    apart = np.abs(a.astype(np.float64) - b) / max(float(np.abs(a).max()), 1e-2)
    return Difference(name, float(apart.max()), float(apart.mean()), 0.0)


def random_inputs(specs: Specs, batch: int = 1, side: int = 192, seed: int = 0) -> dict[str, np.ndarray]:
    """Smooth random pictures 0..1 for the inputs: (.., H, W) blown up from an eighth of the size."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for spec in specs.inputs:
        shape = [(batch if d == BATCH else side) if isinstance(d, str) else d for d in spec.shape]
        coarse = rng.random([*shape[:-2], *(-(-s // 8) for s in shape[-2:])])
        fine = coarse.repeat(8, axis=-2).repeat(8, axis=-1)[..., : shape[-2], : shape[-1]]
        arrays[spec.name] = np.clip(fine + rng.normal(0, 0.02, shape), 0, 1).astype(spec.dtype)
    return arrays


def compare(reference: Engine, other: Engine, inputs: Mapping[str, np.ndarray]) -> list[Difference]:
    """Both engines on the same inputs."""
    first = {name: array.copy() for name, array in reference.run(inputs).items()}
    return differences(first, other.run(inputs))


def installed(names: Sequence[str] = ()) -> list[str]:
    """Providers that can serve here, torch included; only those of `names` when given."""
    return [p.name for p in available_providers() if p.available and (not names or p.name in names)]


def check_network(
    name: str, quality: str, precision: str, providers: Sequence[str], models_dir: Path | None = None
) -> list[tuple[str, str, Difference, bool]]:
    """(reference, other, difference, within tolerance), for every output and pair of `providers` that can run it."""
    engines: dict[str, Engine] = {}
    try:
        for provider in providers:
            try:
                engines[provider] = open_network(name, quality, provider, models_dir=models_dir, precision=precision)
            except Unavailable as why:
                log.info("%s", why)
        rows = []
        for a, b in itertools.combinations(engines, 2):
            arithmetic = "fp16" if "tensorrt" in (a, b) else ARITHMETIC.get(precision, precision)
            inputs = random_inputs(engines[a].specs)
            for difference in compare(engines[a], engines[b], inputs):
                rows.append((a, b, difference, difference.within(TOLERANCES[arithmetic])))
        return rows
    finally:
        for engine in engines.values():
            engine.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line per output and pair; 1 when any lies outside its tolerance."""
    parser = argparse.ArgumentParser(prog="python -m engines.parity", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--quality", default="light")
    parser.add_argument("--precision", default="fp16", help="of the weight file: fp16, fp32, int8w, int8")
    parser.add_argument("--providers", nargs="*", default=[], help="only these (all installed ones by default)")
    parser.add_argument("--models-dir", type=Path)
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s")  # warnings of others, all of ours
    log.setLevel(logging.INFO)
    try:
        rows = check_network(
            options.name, options.quality, options.precision, installed(options.providers), options.models_dir
        )
    except EngineError as why:
        print(why, file=sys.stderr)
        return 1
    for a, b, d, within in rows:
        verdict = "ok" if within else "TOO FAR"
        print(f"{a:9} {b:9} {d.output:14} worst {d.worst:.1e}  mean {d.mean:.1e}  labels {d.labels:.1e}  {verdict}")
    return 0 if rows and all(row[3] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
