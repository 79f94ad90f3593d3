"""OpenGL contexts without a window, and what their errors mean in words a person can act on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from shaders.base import GLUnavailable

if TYPE_CHECKING:
    import moderngl

REQUIRED_VERSION = 330
SOFTWARE_GL = ("llvmpipe", "softpipe", "swrast", "swiftshader")
ADVICE = "on Debian or Ubuntu: apt install libegl1 libgl1 libegl-mesa0 libgl1-mesa-dri"


def open_context() -> moderngl.Context:
    """A context of its own without a window, current on the calling thread, where it must stay.

    EGL on Linux (no display needed), the system's own way elsewhere. Raises GLUnavailable, one line that says why.
    """
    try:
        import moderngl

        if sys.platform.startswith("linux"):
            # By soname: the names without a version come with development packages only.
            settings: dict[str, Any] = {"backend": "egl", "libgl": "libGL.so.1", "libegl": "libEGL.so.1"}
            return moderngl.create_context(require=REQUIRED_VERSION, standalone=True, **settings)
        return moderngl.create_context(require=REQUIRED_VERSION, standalone=True)
    except Exception as why:  # the libraries' own errors are bare Exceptions
        raise GLUnavailable(explain(why)) from why


def explain(why: BaseException) -> str:
    """One line: what failed, in the library's words, and what to install."""
    reason = " ".join(str(why).split()) or type(why).__name__
    return f"no OpenGL {REQUIRED_VERSION // 100}.{REQUIRED_VERSION % 100 // 10} context ({reason}); {ADVICE}"


def is_software(context: moderngl.Context) -> bool:
    """Whether a context draws on the CPU, where multisampling costs three times the picture."""
    renderer = context.info["GL_RENDERER"].lower()
    return any(name in renderer for name in SOFTWARE_GL)
