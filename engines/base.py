"""What an engine is: a network ready to run, whatever runs it.

Arrays go in and out by name; the shapes and dtypes are those of the network's `Specs`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np

Dimension = int | str  # a str names a dimension that may vary


class EngineError(Exception):
    """A network cannot be opened or run. The message says what, where and what to do."""


class Unavailable(EngineError):
    """A provider cannot serve on this machine (library absent, no GPU, model not supported)."""


class WeightsError(EngineError):
    """A weight file or its entry in the manifest is missing, damaged or contradictory."""


class InputError(EngineError, ValueError):
    """The arrays given to `run` are not those of the specs."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output: name, shape (a str is a dimension that varies), numpy dtype."""

    name: str
    shape: tuple[Dimension, ...]
    dtype: np.dtype

    def __str__(self) -> str:
        return f"{self.name} {self.dtype}({', '.join(str(d) for d in self.shape)})"

    def matches(self, shape: tuple[int, ...]) -> bool:
        """True when a concrete `shape` fits."""
        if len(shape) != len(self.shape):
            return False
        return all(isinstance(want, str) or want == got for want, got in zip(self.shape, shape, strict=True))


@dataclass(frozen=True, slots=True)
class Specs:
    """What a network takes and gives, in its own order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def check(self, arrays: Mapping[str, np.ndarray], network: str) -> None:
        """Raises InputError, naming what differs, unless `arrays` are exactly the inputs."""
        expected = {spec.name: spec for spec in self.inputs}
        if arrays.keys() != expected.keys():
            raise InputError(f"{network} takes inputs {sorted(expected)}, not {sorted(arrays)}")
        for name, spec in expected.items():
            array = arrays[name]
            if not isinstance(array, np.ndarray):
                raise InputError(f"{network}: input {spec} must be a numpy array, not {type(array).__name__}")
            if array.dtype != spec.dtype or not spec.matches(array.shape):
                raise InputError(f"{network}: input {spec} was given {array.dtype}{array.shape}")


class Engine(Protocol):
    """A network ready to run on one provider.

    `run` raises InputError for arrays that do not fit `specs`. Output arrays may be reused by the next `run`:
    copy what must outlive it. One engine serves one thread at a time. `close` may be called twice.
    """

    name: str
    provider: str
    specs: Specs

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Runner(ABC):
    """What all engines share: the checks and the context manager. A backend only computes, in `_run`."""

    def __init__(self, name: str, provider: str, specs: Specs):
        self.name = name
        self.provider = provider
        self.specs = specs
        self.closed = False

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """{input name: array} -> {output name: array}."""
        if self.closed:
            raise EngineError(f"{self.name} ({self.provider}) was closed and cannot run")
        self.specs.check(inputs, self.name)
        return self._run(inputs)

    def close(self) -> None:
        """Give back what the backend holds."""
        if not self.closed:
            self.closed = True
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def _run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]: ...

    @abstractmethod
    def _close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a network.

    threads: CPU threads inside an operator; 1 lets several networks share the cores.
    batch: value of the dimension `N` where a network has one; None leaves it free.
    precision: as asked of `open_network`; "auto" lets the provider use what suits it.
    """

    threads: int = 1
    batch: int | None = 1
    precision: str = "auto"


BATCH = "N"  # name of the dimension that counts pictures in every exported network
