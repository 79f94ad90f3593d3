"""Opening a window with an OpenGL 3.3 context (glfw), and saying why there can be none."""

from __future__ import annotations

import os
import sys
from typing import Any

from realtime.errors import DependencyError


def has_display() -> bool:
    """Whether a window could open here: X11 or Wayland on Linux; always on Windows and macOS."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def demand_display() -> None:
    """Raises DependencyError that says what to do without one."""
    if not has_display():
        raise DependencyError(
            "no display to open a window on (DISPLAY and WAYLAND_DISPLAY are unset); "
            "run on a desktop, or write to a file instead: run_live.py video -i INPUT -o FOLDER"
        )


def open_glfw(glfw: Any, title: str, size: tuple[int, int]) -> Any:
    """A window whose context is current. size: (width, height) at scale 1; it grows with the screen's scale.

    Raises DependencyError.
    """
    if not glfw.init():
        raise DependencyError("glfw could not start: is the display reachable?")
    glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, 3)
    glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, 3)
    glfw.window_hint(glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE)
    glfw.window_hint(glfw.OPENGL_FORWARD_COMPAT, glfw.TRUE)
    glfw.window_hint(glfw.SCALE_TO_MONITOR, glfw.TRUE)
    window = glfw.create_window(*size, title, None, None)
    if not window:
        raise DependencyError("no OpenGL 3.3 window could be opened: install the GPU's driver, or Mesa (libgl1)")
    glfw.make_context_current(window)
    glfw.swap_interval(0)  # the picture is paced by the source, never by the screen
    return window
