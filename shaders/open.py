"""Which renderer this machine can have."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from shaders.base import GLUnavailable, Renderer, RenderError, Topology

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger(__name__)


def open_renderer(
    size: tuple[int, int],
    topology: Topology,
    prefer: Sequence[str] = ("gl", "software"),
    context: moderngl.Context | None = None,
) -> Renderer:
    """The first renderer of `prefer` that works here; a fall-back is logged, once, with what to install.

    prefer: "gl"; "gpu", which is gl but not where it runs on the CPU (our own software draws the same picture there in
    half the time); "software". size: (width, height) of pictures drawn alone. context: a window's, current on this
    thread, to draw with. An OpenGL renderer stays on this thread. Raises RenderError saying why none could be had.
    """
    reasons: list[str] = []
    for name in prefer:
        try:
            renderer = make_renderer(name, size, topology, context)
        except GLUnavailable as why:
            reasons.append(str(why))
            continue
        if reasons:
            level = logging.INFO if "gpu" in prefer else logging.WARNING  # then software is a choice, not a loss
            log.log(level, "drawing with the %s renderer: %s", renderer.name, "; ".join(reasons))
        return renderer
    raise RenderError("no renderer: " + ("; ".join(reasons) or "none was asked for"))


def make_renderer(
    name: str, size: tuple[int, int], topology: Topology, context: moderngl.Context | None = None
) -> Renderer:
    """The renderer called `name`: gl, gpu or software. Imports only what that one needs."""
    if name in ("gl", "gpu"):
        try:
            from shaders.gl import GLRenderer
        except ImportError as why:
            raise GLUnavailable(f"moderngl cannot be imported ({why}); pip install moderngl") from why
        renderer = GLRenderer(size, topology, context)
        if name == "gpu" and renderer.on_cpu:
            renderer.close()
            raise GLUnavailable(f"{renderer.name} runs on the CPU")
        return renderer
    if name == "software":
        from shaders.software_renderer import SoftwareRenderer

        return SoftwareRenderer(size, topology)
    raise ValueError(f"no renderer is called {name!r}: gl, gpu or software")
