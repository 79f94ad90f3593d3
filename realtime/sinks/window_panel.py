"""The controls beside the picture, drawn with imgui: what can be set, in groups, and how fast everything is.

Lengths are multiples of the font's height (em), so that they grow with the screen's scale.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from realtime.options import VIEWS
from realtime.sinks.window_controls import Controls, Status
from realtime.sinks.window_theme import ACCENT, FAINT, RECORDING, STAGE_COLOURS

HISTORY = 150  # pictures in the plot
WIDTH_EM = 19.0
VIEW_NAMES = {"removed": "Glasses removed", "mesh": "3D face, textured", "shaded": "3D face, shaded",
              "wireframe": "3D face, wireframe", "depth": "3D face, depth", "split": "Before | after",
              "side-by-side": "Side by side", "landmarks": "Landmarks", "original": "As filmed"}  # fmt: skip

STAGE_NAMES = {"smooth_landmarks": "smooth points"}


class Panel:
    """Draws the controls; what the person did with them comes back as new controls and as events, as keys give."""

    def __init__(self, imgui: Any):
        self._imgui = imgui
        self._pressed: list[str] = []
        self._latencies: deque[float] = deque(maxlen=HISTORY)

    def note(self, status: Status) -> None:
        """Once for every new picture."""
        self._latencies.append(status.latency_ms)

    def draw(self, controls: Controls, status: Status, height: float) -> tuple[Controls, list[str]]:
        imgui = self._imgui
        em = imgui.get_font_size()
        imgui.set_next_window_pos((0, 0))
        imgui.set_next_window_size((WIDTH_EM * em, height))
        flags = imgui.WindowFlags_
        imgui.begin("controls", None, flags.no_title_bar | flags.no_resize | flags.no_move | flags.no_collapse
                    | flags.no_nav | flags.no_bring_to_front_on_focus)  # fmt: skip
        controls = self._source(controls, status)
        controls = self._picture(controls)
        controls = self._tracking(controls)
        controls = self._saving(controls, status)
        if controls.timings:
            self._speed(status)
        self._machine(status)
        imgui.end()
        pressed, self._pressed = self._pressed, []
        return controls, pressed

    def _source(self, controls: Controls, status: Status) -> Controls:
        imgui = self._imgui
        self._heading("Camera")
        names = dict(status.sources)
        imgui.set_next_item_width(-1)
        if imgui.begin_combo("##source", names.get(controls.source, controls.source)):
            if imgui.is_window_appearing():
                self._pressed.append("cameras")
            for choice, name in status.sources:
                if imgui.selectable(f"{name}##{choice}", choice == controls.source)[0]:
                    controls = controls.with_(source=choice)
            imgui.end_combo()
        self._tip("Another camera, while everything goes on. The networks stay loaded.")
        return controls

    def _picture(self, controls: Controls) -> Controls:
        imgui = self._imgui
        self._heading("Picture")
        _, remove = imgui.checkbox("Take glasses off", controls.remove)
        self._tip("Key G. Off, the face is only tracked.")
        imgui.same_line(10.2 * imgui.get_font_size())
        _, landmarks = imgui.checkbox("Landmarks", controls.landmarks)
        self._tip("Key L. The 68 points that are followed.")
        imgui.set_next_item_width(-1)
        _, view = imgui.combo("##view", VIEWS.index(controls.view), [VIEW_NAMES.get(name, name) for name in VIEWS])
        self._tip("Key M: the next view.")
        percent = self._slider("Before | after", 100 * controls.curtain)
        self._tip("A curtain between the untouched picture and the result. Or drag over the picture itself.")
        return controls.with_(remove=remove, view=VIEWS[view], landmarks=landmarks, curtain=percent / 100)

    def _tracking(self, controls: Controls) -> Controls:
        imgui = self._imgui
        self._heading("Tracking")
        percent = self._slider("Smoothing", 100 * controls.smooth)
        self._tip("0 follows every tremble, 100 is steadiest.")
        if imgui.button("Calibrate neutral face", (-1, 0)):
            self._pressed.append("calibrate")
        self._tip("Key C. Look ahead with a relaxed face, then press.")
        return controls.with_(smooth=percent / 100)

    def _saving(self, controls: Controls, status: Status) -> Controls:
        imgui = self._imgui
        self._heading("Save and send")
        half = (imgui.get_content_region_avail().x - imgui.get_style().item_spacing.x) / 2
        if imgui.button("Screenshot", (half, 0)):
            self._pressed.append("screenshot")
        self._tip("Key S. A PNG of the picture, in the folder that the program was started in.")
        imgui.same_line()
        if controls.recording:
            imgui.push_style_color(imgui.Col_.button, RECORDING)
        if imgui.button("Stop###record" if controls.recording else "Record###record", (half, 0)):
            self._pressed.append("record")
        if controls.recording:
            imgui.pop_style_color()
        self._tip("Key R. A video of what is shown, in the folder that the program was started in.")
        _, sending = imgui.checkbox("Virtual camera", controls.sending)
        self._tip("What is shown becomes a camera that video calls can choose.")
        if status.sent_to:
            imgui.same_line()
            imgui.text_colored(FAINT, status.sent_to)
        return controls.with_(sending=sending)

    def _speed(self, status: Status) -> None:
        imgui = self._imgui
        em = imgui.get_font_size()
        self._heading("Speed")
        imgui.text(f"{status.fps:.1f} fps")
        imgui.same_line(7 * em)
        imgui.text_colored(FAINT, f"{status.latency_ms:.0f} ms behind")
        if status.dropped:
            imgui.same_line(13.2 * em)
            imgui.text_colored(FAINT, f"{status.dropped} left out")
        self._tip("Pictures that came faster than they could be worked on.")
        if len(self._latencies) > 1:
            values = np.asarray(self._latencies, np.float32)
            said = f"{np.median(values):.0f} ms, worst {values.max():.0f}"
            room, top = (-1, 3 * em), float(1.3 * values.max())
            imgui.plot_lines("##latency", values, overlay_text=said, graph_size=room, scale_min=0.0, scale_max=top)
            self._tip("From the camera to the screen, picture by picture.")
        self._stages(status)

    def _stages(self, status: Status) -> None:
        """A bar for each stage, all to one scale."""
        imgui = self._imgui
        em = imgui.get_font_size()
        imgui.push_style_var(imgui.StyleVar_.item_spacing, (0.4 * em, 0.22 * em))
        longest = max(status.stages_ms.values(), default=0.0)
        canvas = imgui.get_window_draw_list()
        start_em, room = 7.0 * em, imgui.get_content_region_avail().x - 10.4 * em
        for index, (name, value) in enumerate(status.stages_ms.items()):
            imgui.text(STAGE_NAMES.get(name, name))
            imgui.same_line(start_em)
            x, y = imgui.get_cursor_screen_pos()
            length = max(1.0, room * value / longest) if longest > 0 else 1.0
            colour = imgui.get_color_u32(STAGE_COLOURS[index % len(STAGE_COLOURS)])
            canvas.add_rect_filled((x, y + 0.22 * em), (x + length, y + 0.86 * em), colour, 0.2 * em)
            imgui.dummy((room, em))
            imgui.same_line()
            imgui.text_colored(FAINT, f"{value:5.1f} ms")
        imgui.pop_style_var()

    def _machine(self, status: Status) -> None:
        imgui = self._imgui
        if status.senders:
            self._heading("Sending")
            for line in status.senders:
                imgui.text_wrapped(line)
        if status.networks:
            self._heading("Networks")
            imgui.push_style_color(imgui.Col_.text, FAINT)
            for line in status.networks:
                imgui.text_wrapped(line)
            imgui.pop_style_color()
        imgui.spacing()
        imgui.text_colored(FAINT, "H  all keys")

    def _slider(self, label: str, percent: float) -> float:
        imgui = self._imgui
        imgui.align_text_to_frame_padding()
        imgui.text(label)
        imgui.same_line(6.6 * imgui.get_font_size())
        imgui.set_next_item_width(-1)
        _, percent = imgui.slider_float(f"##{label}", percent, 0.0, 100.0, "%.0f %%")
        return float(percent)

    def _heading(self, text: str) -> None:
        imgui = self._imgui
        if imgui.get_cursor_pos().y > 2 * imgui.get_font_size():
            imgui.dummy((0, 0.05 * imgui.get_font_size()))
        imgui.text_colored(ACCENT, text.upper())

    def _tip(self, text: str) -> None:
        imgui = self._imgui
        if imgui.is_item_hovered(imgui.HoveredFlags_.for_tooltip):
            imgui.set_tooltip(text)
