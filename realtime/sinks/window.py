"""The desktop window: the live picture and the controls beside it (imgui-bundle on a glfw window).

Lives on the main thread. Pictures are uint8 RGB; the network side never waits for this file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import moderngl
import numpy as np

from realtime.errors import DependencyError
from realtime.sinks import window_overlays as overlays
from realtime.sinks import window_theme as theme
from realtime.sinks.window_controls import KEYS, Controls, Status, press
from realtime.sinks.window_glfw import demand_display, open_glfw
from realtime.sinks.window_panel import WIDTH_EM, Panel

IDLE_S = 2.5  # in full screen the panel goes when the mouse has rested so long
SMALLEST = (640, 780)  # of a new window, at scale 1: the whole panel is seen


class Window:
    """A window showing one picture at a time.

    `show` gives it a picture, `redraw` draws and takes the events since the last call. `controls` is what the person
    has set, `take_events` returns one-shot requests ("screenshot", "calibrate", "cameras"), `closed` turns True on q,
    Esc or the close button. size: (width, height) of the pictures.
    Raises DependencyError without a display or without the extra `window`.
    """

    def __init__(self, title: str, size: tuple[int, int], controls: Controls | None = None,
                 clock: Callable[[], float] = time.monotonic):  # fmt: skip
        demand_display()
        try:
            import glfw
            from imgui_bundle import imgui
            from imgui_bundle.python_backends.glfw_backend import GlfwRenderer
        except ImportError as why:
            raise DependencyError(f"the window needs the extra `window`: pip install -e '.[window]' ({why})") from why
        self._glfw, self._imgui, self._clock = glfw, imgui, clock
        self.controls = controls or Controls()
        self.dismissed = False  # the banner was clicked away
        self._events: set[str] = set()
        panel = round(WIDTH_EM * theme.FONT_PX) if self.controls.panel else 0
        self._window = open_glfw(glfw, title, (max(size[0], SMALLEST[0]) + panel, max(size[1], SMALLEST[1])))
        self._context = moderngl.create_context(require=330)
        imgui.create_context()
        imgui.get_io().set_ini_filename("")  # leaves no file behind in the working folder
        theme.load_font(imgui)
        self._backend = GlfwRenderer(self._window)
        self._scale = 0.0
        self._rescale()
        self._chain_callbacks()
        self._panel = Panel(imgui)
        self._textures: dict[str, moderngl.Texture] = {}
        self._aspect: float | None = None
        self._has_before = False
        self._dragging = False
        self._moved_s = clock()
        self._windowed_at = (*glfw.get_window_pos(self._window), *glfw.get_window_size(self._window))

    @property
    def scale(self) -> float:
        """Pixels of the screen for one of ours, as the system asks for it: 2.0 on a high-density screen."""
        return float(self._glfw.get_window_content_scale(self._window)[0])

    def _rescale(self) -> None:
        """Where window coordinates are pixels (X11, Windows) we grow with the scale; elsewhere the system does it."""
        glfw = self._glfw
        pixels = glfw.get_framebuffer_size(self._window)[0] / max(1, glfw.get_window_size(self._window)[0])
        wanted = self.scale / max(pixels, 1e-6)
        if wanted != self._scale:
            self._scale = wanted
            theme.apply(self._imgui, wanted)

    def _chain_callbacks(self) -> None:
        """Our keys first, then imgui's own callback, which it needs for text fields and Ctrl-clicks."""
        glfw, imgui_callback = self._glfw, self._backend.keyboard_callback
        event_of = {getattr(glfw, f"KEY_{key}"): event for key, (event, _) in KEYS.items()} | {glfw.KEY_ESCAPE: "quit"}

        def on_key(window: Any, key: int, scancode: int, action: int, mods: int) -> None:
            if action == glfw.PRESS and key in event_of and not self._imgui.get_io().want_text_input:
                self.press(event_of[key])
            imgui_callback(window, key, scancode, action, mods)

        glfw.set_key_callback(self._window, on_key)
        glfw.set_window_content_scale_callback(self._window, lambda *_: self._rescale())

    def press(self, event: str) -> None:
        """As if the person had pressed the key of `event`."""
        self.controls = press(self.controls, event)
        if event == "quit":
            self._glfw.set_window_should_close(self._window, True)
        elif event == "fullscreen":
            self._toggle_fullscreen()
        else:
            self._events.add(event)

    def take_events(self) -> frozenset[str]:
        """Events since the last call."""
        taken, self._events = frozenset(self._events), set()
        return taken

    @property
    def context(self) -> moderngl.Context:
        """The window's OpenGL context, for renderers on the same thread."""
        return self._context

    @property
    def closed(self) -> bool:
        return self._window is None or bool(self._glfw.window_should_close(self._window))

    def show(self, image: np.ndarray, before: np.ndarray | None = None, status: Status | None = None) -> None:
        """A new picture, for `redraw`. image, before: (H, W, 3) uint8 RGB, with and without our work; `before` is what
        the curtain reveals. status: what the panel tells of it."""
        self._upload("after", image)
        self._aspect, self._has_before = image.shape[1] / image.shape[0], before is not None
        if before is not None:
            self._upload("before", before)
        if status is not None:
            self._panel.note(status)

    def redraw(self, status: Status | None = None) -> None:
        """Takes events and draws everything anew."""
        status = status or Status()
        glfw, imgui = self._glfw, self._imgui
        glfw.poll_events()
        self._backend.process_inputs()
        imgui.new_frame()
        area = self._layout(status)
        self._draw_picture(area, status)
        if overlays.draw_banner(imgui, area, status):
            self.dismissed = True
        if self.controls.help:
            overlays.draw_keys(imgui, area)
        imgui.render()
        width, height = glfw.get_framebuffer_size(self._window)
        self._context.screen.viewport = (0, 0, width, height)
        self._context.clear(*theme.BACKGROUND)
        self._backend.render(imgui.get_draw_data())
        glfw.swap_buffers(self._window)

    def _layout(self, status: Status) -> overlays.Rectangle:
        """Draws the panel; returns what is left for the picture."""
        imgui = self._imgui
        width, height = imgui.get_io().display_size
        if not self._panel_is_seen():
            return 0.0, 0.0, width, height
        self.controls, pressed = self._panel.draw(self.controls, status, height)
        for event in pressed:
            self.press(event)
        left = WIDTH_EM * imgui.get_font_size()
        return left, 0.0, max(1.0, width - left), height

    def _panel_is_seen(self) -> bool:
        mouse = self._imgui.get_io().mouse_delta
        if mouse.x or mouse.y:
            self._moved_s = self._clock()
        full = self._glfw.get_window_monitor(self._window)
        return self.controls.panel and (not full or self._clock() - self._moved_s < IDLE_S)

    def _upload(self, name: str, image: np.ndarray) -> None:
        size = (image.shape[1], image.shape[0])
        texture = self._textures.get(name)
        if texture is None or texture.size != size:
            if texture is not None:
                texture.release()
            texture = self._textures[name] = self._context.texture(size, 3, alignment=1)
        texture.write(np.ascontiguousarray(image))

    def _draw_picture(self, room: overlays.Rectangle, status: Status) -> None:
        """As large as fits, in the middle of its room, with what lies over it."""
        if self._aspect is None:
            overlays.draw_waiting(self._imgui, room, status.waiting)
            return
        x, y, width, height = room
        shown_w = min(width, height * self._aspect)
        shown_h = shown_w / self._aspect
        area = x + (width - shown_w) / 2, y + (height - shown_h) / 2, shown_w, shown_h
        self._drag(area)
        x, y = area[:2]
        canvas = self._imgui.get_background_draw_list()
        canvas.add_image(self._texture_ref("after"), (x, y), (x + shown_w, y + shown_h))
        curtain = self.controls.curtain
        if self._has_before and curtain > 0:
            edge = x + shown_w * curtain
            canvas.add_image(self._texture_ref("before"), (x, y), (edge, y + shown_h), (0, 0), (curtain, 1))
            overlays.draw_curtain(self._imgui, area, curtain)
        overlays.draw_lights(self._imgui, area, self.controls, status)

    def _drag(self, area: overlays.Rectangle) -> None:
        """The mouse pulls the curtain."""
        imgui = self._imgui
        mouse = imgui.get_io().mouse_pos
        x, y, width, height = area
        inside = x <= mouse.x <= x + width and y <= mouse.y <= y + height
        if imgui.is_mouse_clicked(0):
            self._dragging = inside and not imgui.get_io().want_capture_mouse
        self._dragging = self._dragging and imgui.is_mouse_down(0)
        if self._dragging:
            share = (mouse.x - x) / width
            self.controls = self.controls.with_(curtain=min(1.0, max(0.0, share if share > 0.01 else 0.0)))

    def _texture_ref(self, name: str) -> Any:
        return self._imgui.ImTextureRef(self._textures[name].glo)

    def _toggle_fullscreen(self) -> None:
        glfw = self._glfw
        if glfw.get_window_monitor(self._window):
            glfw.set_window_monitor(self._window, None, *self._windowed_at, 0)
            return
        self._windowed_at = (*glfw.get_window_pos(self._window), *glfw.get_window_size(self._window))
        self._moved_s = self._clock()
        monitor = glfw.get_primary_monitor()
        mode = glfw.get_video_mode(monitor)
        glfw.set_window_monitor(self._window, monitor, 0, 0, mode.size.width, mode.size.height, mode.refresh_rate)

    def screenshot(self) -> np.ndarray:
        """What the window shows, (H, W, 3) uint8 RGB."""
        width, height = self._glfw.get_framebuffer_size(self._window)
        pixels = self._context.screen.read((0, 0, width, height), components=3, alignment=1)
        _ = self._context.error  # takes back the error of naming a colour attachment, which a window's buffer has not
        return np.flipud(np.frombuffer(pixels, np.uint8).reshape(height, width, 3)).copy()

    def close(self) -> None:
        """Close the window. Its GL context goes with it, and every texture and buffer in that context."""
        if self._window is not None:
            self._glfw.destroy_window(self._window)
            self._window = None


def open_window(title: str, size: tuple[int, int], controls: Controls | None = None) -> Window:
    """A `Window`; see there for what it raises."""
    return Window(title, size, controls)
