"""Where OpenGL draws what will be read back: one frame buffer that grows, resolved first where it is multisampled."""

from __future__ import annotations

import moderngl
import numpy as np

GRAIN = 64  # pixels: sides grow in these steps, so that a face that comes nearer seldom asks for new memory


class Target:
    """RGBA8 with depth. The picture is its first `width` x `height` pixels; row 0 of memory is the picture's top."""

    def __init__(self, context: moderngl.Context, samples: int):
        self._context = context
        self._samples = samples
        self._size = (0, 0)
        self._drawn: moderngl.Framebuffer | None = None
        self._resolved: moderngl.Framebuffer | None = None

    def framebuffer(self, width: int, height: int) -> moderngl.Framebuffer:
        """A cleared frame buffer whose viewport is (0, 0, width, height). Valid until the next call."""
        if self._drawn is None or width > self._size[0] or height > self._size[1]:
            self._grow(max(width, self._size[0]), max(height, self._size[1]))
        assert self._drawn is not None
        self._drawn.viewport = self._drawn.scissor = (0, 0, width, height)
        self._drawn.clear(0.0, 0.0, 0.0, 0.0, viewport=(0, 0, width, height))
        return self._drawn

    def read(self, width: int, height: int) -> np.ndarray:
        """What was drawn, (height, width, 4) uint8."""
        assert self._drawn is not None and self._resolved is not None
        if self._resolved is not self._drawn:
            self._context.copy_framebuffer(self._resolved, self._drawn)
        rgba = np.empty((height, width, 4), np.uint8)
        self._resolved.read_into(rgba, viewport=(0, 0, width, height), components=4)
        return rgba

    def release(self) -> None:
        for framebuffer in {self._drawn, self._resolved} - {None}:
            for attachment in (*framebuffer.color_attachments, framebuffer.depth_attachment):  # type: ignore[union-attr]
                if attachment is not None:
                    attachment.release()
            framebuffer.release()  # type: ignore[union-attr]
        self._drawn = self._resolved = None

    def _grow(self, width: int, height: int) -> None:
        self.release()
        size = (-(-width // GRAIN) * GRAIN, -(-height // GRAIN) * GRAIN)
        colour = self._context.renderbuffer(size, 4, samples=self._samples)
        self._drawn = self._context.framebuffer([colour], self._context.depth_renderbuffer(size, samples=self._samples))
        self._resolved = self._drawn
        if self._samples:
            self._resolved = self._context.framebuffer([self._context.renderbuffer(size, 4)])
        self._size = size
