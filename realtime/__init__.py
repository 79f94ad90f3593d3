"""Nakedeye as a library: `from realtime import Tracker`. See `realtime.library`, and `examples/` for a program per use.

Light to import: what a name needs is loaded when the name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime.errors import NakedeyeError
    from realtime.face.blendshapes import blendshapes
    from realtime.face.coefficients import pose
    from realtime.frame import Face, Faces, Glasses
    from realtime.library import Tracked, Tracker

__all__ = ["Face", "Faces", "Glasses", "NakedeyeError", "Tracked", "Tracker", "blendshapes", "pose"]

_HOMES = {
    "Face": "realtime.frame",
    "Faces": "realtime.frame",
    "Glasses": "realtime.frame",
    "NakedeyeError": "realtime.errors",
    "Tracked": "realtime.library",
    "Tracker": "realtime.library",
    "blendshapes": "realtime.face.blendshapes",
    "pose": "realtime.face.coefficients",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
