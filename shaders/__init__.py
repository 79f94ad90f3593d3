"""Drawing: meshes over pictures, by OpenGL or in software, behind one protocol."""

from shaders.base import Draw, GLUnavailable, Mode, Renderer, RenderError, Topology
from shaders.open import open_renderer

__all__ = ["Draw", "GLUnavailable", "Mode", "RenderError", "Renderer", "Topology", "open_renderer"]
