"""The desktop window: the live picture, an A/B curtain, switches and timings (imgui-bundle on a glfw window).

Lives on the main thread. Pictures are uint8 RGB; the network side never waits for this file.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Mapping
from typing import Any

import moderngl
import numpy as np

from realtime.errors import DependencyError
from realtime.sinks.window_controls import KEYS, VIEWS, Controls, key_list, press

HISTORY = 120  # frame times kept for the plot


def has_display() -> bool:
    """Whether a window could open here: X11 or Wayland on Linux; always on Windows and macOS."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Window:
    """A window showing one picture at a time.

    `show` draws a picture and takes the events since the last call, `controls` is what the person has set,
    `take_events` returns one-shot requests ("screenshot", "calibrate"), `closed` turns True on q, Esc or the close
    button.
    Raises DependencyError without a display or without the extra `window`.
    """

    def __init__(self, title: str, size: tuple[int, int], controls: Controls | None = None):
        if not has_display():
            raise DependencyError(
                "no display to open a window on (DISPLAY and WAYLAND_DISPLAY are unset); "
                "run on a desktop, or write to a file instead: run_live.py video -i INPUT -o FOLDER"
            )
        try:
            import glfw
            from imgui_bundle import imgui
            from imgui_bundle.python_backends.glfw_backend import GlfwRenderer
        except ImportError as why:
            raise DependencyError(f"the window needs the extra `window`: pip install -e '.[window]' ({why})") from why
        self._glfw, self._imgui = glfw, imgui
        self.controls = controls or Controls()
        self.notes: tuple[str, ...] = ()  # lines that the panel shows, such as where avatar data go
        self._events: set[str] = set()
        self._window = self._open(title, size)
        self._context = moderngl.create_context(require=330)
        imgui.create_context()
        imgui.get_io().set_ini_filename("")  # leaves no file behind in the working folder
        self._backend = GlfwRenderer(self._window)
        self._chain_keys()
        self._textures: dict[str, moderngl.Texture] = {}
        self._frame_ms: deque[float] = deque(maxlen=HISTORY)
        self._windowed_at = (*glfw.get_window_pos(self._window), *size)

    def _open(self, title: str, size: tuple[int, int]) -> Any:
        glfw = self._glfw
        if not glfw.init():
            raise DependencyError("glfw could not start: is the display reachable?")
        glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, 3)
        glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, 3)
        glfw.window_hint(glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE)
        glfw.window_hint(glfw.OPENGL_FORWARD_COMPAT, glfw.TRUE)
        window = glfw.create_window(size[0], size[1], title, None, None)
        if not window:
            raise DependencyError("no OpenGL 3.3 window could be opened: install the GPU's driver, or Mesa (libgl1)")
        glfw.make_context_current(window)
        glfw.swap_interval(0)  # the picture is paced by the source, never by the screen
        return window

    def _chain_keys(self) -> None:
        """Our keys first, then imgui's own callback, which it needs for text fields and Ctrl-clicks."""
        glfw, imgui_callback = self._glfw, self._backend.keyboard_callback
        event_of = {getattr(glfw, f"KEY_{key}"): event for key, (event, _) in KEYS.items()} | {glfw.KEY_ESCAPE: "quit"}

        def on_key(window: Any, key: int, scancode: int, action: int, mods: int) -> None:
            if action == glfw.PRESS and key in event_of and not self._imgui.get_io().want_text_input:
                self.press(event_of[key])
            imgui_callback(window, key, scancode, action, mods)

        glfw.set_key_callback(self._window, on_key)

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

    def show(self, image: np.ndarray, stats: Mapping[str, float], before: np.ndarray | None = None) -> None:
        """Draw one picture.

        image, before: (H, W, 3) uint8 RGB, with and without our work; `before` is what the curtain reveals.
        stats: what the side panel lists: `fps`, and milliseconds by stage name.
        """
        glfw, imgui = self._glfw, self._imgui
        glfw.poll_events()
        self._backend.process_inputs()
        imgui.new_frame()
        self._upload("after", image)
        if before is not None:
            self._upload("before", before)
        self._draw_picture(image.shape[1] / image.shape[0], before is not None)
        self._draw_panel(stats)
        imgui.render()
        width, height = glfw.get_framebuffer_size(self._window)
        self._context.screen.viewport = (0, 0, width, height)
        self._context.clear(0.07, 0.07, 0.08)
        self._backend.render(imgui.get_draw_data())
        glfw.swap_buffers(self._window)

    def _upload(self, name: str, image: np.ndarray) -> None:
        size = (image.shape[1], image.shape[0])
        texture = self._textures.get(name)
        if texture is None or texture.size != size:
            if texture is not None:
                texture.release()
            texture = self._textures[name] = self._context.texture(size, 3, alignment=1)
        texture.write(np.ascontiguousarray(image))

    def _draw_picture(self, aspect: float, has_before: bool) -> None:
        imgui = self._imgui
        width, height = imgui.get_io().display_size
        shown_w = min(width, height * aspect)
        shown_h = shown_w / aspect
        x, y = (width - shown_w) / 2, (height - shown_h) / 2
        canvas = imgui.get_background_draw_list()
        canvas.add_image(self._texture_ref("after"), (x, y), (x + shown_w, y + shown_h))
        curtain = self.controls.curtain
        if has_before and curtain > 0:
            edge = x + shown_w * curtain
            canvas.add_image(self._texture_ref("before"), (x, y), (edge, y + shown_h), (0, 0), (curtain, 1))
            canvas.add_line((edge, y), (edge, y + shown_h), imgui.get_color_u32((1, 1, 1, 0.8)), 2)

    def _texture_ref(self, name: str) -> Any:
        return self._imgui.ImTextureRef(self._textures[name].glo)

    def _draw_panel(self, stats: Mapping[str, float]) -> None:
        imgui, controls = self._imgui, self.controls
        imgui.set_next_window_pos((10, 10), imgui.Cond_.first_use_ever)
        imgui.begin("Nakedeye", None, imgui.WindowFlags_.always_auto_resize | imgui.WindowFlags_.no_focus_on_appearing)
        _, remove = imgui.checkbox("take glasses off (g)", controls.remove)
        imgui.set_next_item_width(160)
        _, view = imgui.combo("view (m)", VIEWS.index(controls.view), list(VIEWS))
        imgui.set_next_item_width(160)
        _, curtain = imgui.slider_float("before | after", controls.curtain, 0.0, 1.0, "%.2f")
        imgui.set_next_item_width(160)
        _, smooth = imgui.slider_float("smooth", controls.smooth, 0.0, 1.0, "%.2f")
        _, landmarks = imgui.checkbox("landmarks (l)", controls.landmarks)
        for label, event in (("screenshot", "screenshot"), ("calibrate", "calibrate"), ("record", "record")):
            if imgui.button(label):
                self.press(event)
            imgui.same_line()
        imgui.text("rec" if self.controls.recording else "    ")
        self.controls = self.controls.with_(
            remove=remove, view=VIEWS[view], curtain=curtain, smooth=smooth, landmarks=landmarks
        )
        for note in self.notes:
            imgui.text(note)
        if controls.timings:
            self._draw_timings(stats)
        if controls.help:
            imgui.separator()
            imgui.text(key_list())
        imgui.end()

    def _draw_timings(self, stats: Mapping[str, float]) -> None:
        imgui = self._imgui
        imgui.separator()
        fps = stats.get("fps", 0.0)
        if fps > 0:
            self._frame_ms.append(1000.0 / fps)
            imgui.plot_lines("ms a frame", np.asarray(self._frame_ms, np.float32), graph_size=(160, 36), scale_min=0.0)
        for name, value in stats.items():
            imgui.text(f"{name:12} {value:6.1f}")

    def _toggle_fullscreen(self) -> None:
        glfw = self._glfw
        if glfw.get_window_monitor(self._window):
            glfw.set_window_monitor(self._window, None, *self._windowed_at, 0)
            return
        self._windowed_at = (*glfw.get_window_pos(self._window), *glfw.get_window_size(self._window))
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
