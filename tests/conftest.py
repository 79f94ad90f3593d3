"""Fixtures that any test may use: one OpenGL context for the whole run, checked for errors after every test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import moderngl


@pytest.fixture(scope="session")
def gl_context_static() -> Iterator[moderngl.Context]:
    """The run's one context without a window; skips, with the reason, where there is no OpenGL."""
    from shaders.base import GLUnavailable
    from shaders.context import open_context

    try:
        context = open_context()
    except GLUnavailable as why:
        pytest.skip(str(why))
    yield context
    context.release()


@pytest.fixture
def gl_context(gl_context_static: moderngl.Context) -> Iterator[moderngl.Context]:
    """The shared context, current and without errors before the test, and still without errors after it."""
    with gl_context_static:
        assert gl_context_static.error == "GL_NO_ERROR", "left by an earlier test"
        yield gl_context_static
        assert gl_context_static.error == "GL_NO_ERROR"
