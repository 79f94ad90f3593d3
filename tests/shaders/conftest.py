"""Every renderer behind the one protocol."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shaders import Renderer, Topology
from shaders.software_renderer import SoftwareRenderer

MakeRenderer = Callable[[Topology, tuple[int, int]], Renderer]


@pytest.fixture
def gl_renderer(gl_context) -> MakeRenderer:  # type: ignore[no-untyped-def]
    from shaders.gl import GLRenderer

    return lambda topology, size=(320, 240), samples=0: GLRenderer(size, topology, gl_context, samples)


@pytest.fixture
def software_renderer() -> MakeRenderer:
    return lambda topology, size=(320, 240): SoftwareRenderer(size, topology)


@pytest.fixture(params=["software", pytest.param("gl", marks=pytest.mark.gl)])
def make_renderer(request: pytest.FixtureRequest) -> MakeRenderer:
    """(topology, size=(320, 240)) -> renderer, once for each kind."""
    return request.getfixturevalue(f"{request.param}_renderer")
