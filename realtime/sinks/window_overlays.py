"""What lies over the picture: the curtain's edge, a banner for news, the recording light, the list of keys."""

from __future__ import annotations

from typing import Any

from realtime.sinks.window_controls import KEYS, Controls, Status
from realtime.sinks.window_theme import ACCENT, BAD, FAINT, GOOD, RECORDING

Rectangle = tuple[float, float, float, float]  # x, y, width, height in window coordinates


def draw_curtain(imgui: Any, area: Rectangle, curtain: float) -> None:
    """The line between before and after, a grip, and which side is which."""
    x, y, width, height = area
    em = imgui.get_font_size()
    edge = x + width * curtain
    canvas = imgui.get_background_draw_list()
    white = imgui.get_color_u32((1, 1, 1, 0.9))
    canvas.add_line((edge, y), (edge, y + height), white, 0.12 * em)
    canvas.add_circle_filled((edge, y + height / 2), 0.75 * em, white, 32)
    dark = imgui.get_color_u32((0.1, 0.1, 0.1, 1))
    for side in (-1, 1):
        tip = (edge + side * 0.5 * em, y + height / 2)
        base = edge + side * 0.2 * em
        canvas.add_triangle_filled(tip, (base, tip[1] - 0.28 * em), (base, tip[1] + 0.28 * em), dark)
    for text, at, room in (("before", edge - 4.2 * em, edge - x), ("after", edge + 1.2 * em, x + width - edge)):
        if room > 5.5 * em:
            _label(imgui, canvas, text, at, y + height - 2.4 * em)


def _label(imgui: Any, canvas: Any, text: str, x: float, y: float) -> None:
    em = imgui.get_font_size()
    size = imgui.calc_text_size(text)
    back = imgui.get_color_u32((0, 0, 0, 0.55))
    canvas.add_rect_filled((x - 0.4 * em, y - 0.2 * em), (x + size.x + 0.4 * em, y + size.y + 0.2 * em), back, 0.3 * em)
    canvas.add_text((x, y), imgui.get_color_u32((1, 1, 1, 0.95)), text)


def draw_banner(imgui: Any, area: Rectangle, status: Status) -> bool:
    """News at the top of the picture. True once the person has clicked it away."""
    if status.notice is None:
        return False
    em = imgui.get_font_size()
    x, y, width, _ = area
    room = min(width - 2 * em, 46 * em)
    imgui.set_next_window_pos((x + (width - room) / 2, y + em))
    imgui.set_next_window_size((room, 0))
    imgui.push_style_color(imgui.Col_.window_bg, BAD if status.notice.bad else GOOD)
    flags = imgui.WindowFlags_
    imgui.begin("news", None, flags.no_decoration | flags.no_nav | flags.no_focus_on_appearing | flags.no_move)
    imgui.text_wrapped(status.notice.text)
    clicked = bool(imgui.is_window_hovered() and imgui.is_mouse_clicked(0))
    imgui.end()
    imgui.pop_style_color()
    return clicked


def draw_lights(imgui: Any, area: Rectangle, controls: Controls, status: Status) -> None:
    """Top right: recording, with its time, and paused."""
    em = imgui.get_font_size()
    x, y, width, _ = area
    canvas = imgui.get_background_draw_list()
    right = x + width - 1.2 * em
    if status.recorded_s is not None:
        text = f"{int(status.recorded_s) // 60}:{int(status.recorded_s) % 60:02d}"
        left = right - imgui.calc_text_size(text).x
        _label(imgui, canvas, text, left, y + em)
        canvas.add_circle_filled((left - 1.2 * em, y + 1.5 * em), 0.42 * em, imgui.get_color_u32(RECORDING), 24)
    if controls.paused:
        _label(imgui, canvas, "paused", right - imgui.calc_text_size("paused").x, y + 2.8 * em)


def draw_waiting(imgui: Any, area: Rectangle, text: str) -> None:
    """In the middle, while there is no picture yet."""
    x, y, width, height = area
    em = imgui.get_font_size()
    size = imgui.calc_text_size(text)
    canvas = imgui.get_background_draw_list()
    at = (x + (width - size.x) / 2, y + height / 2)
    canvas.add_text(at, imgui.get_color_u32(FAINT), text)
    turn = int(imgui.get_time() * 4) % 4
    for dot in range(4):
        strength = 1.0 if dot == turn else 0.25
        centre = (x + width / 2 + (dot - 1.5) * 1.1 * em, y + height / 2 - 1.2 * em)
        canvas.add_circle_filled(centre, 0.26 * em, imgui.get_color_u32((*ACCENT[:3], strength)), 20)


def draw_keys(imgui: Any, area: Rectangle) -> None:
    """The list of keys, in the middle."""
    em = imgui.get_font_size()
    x, y, width, height = area
    imgui.set_next_window_pos((x + width / 2, y + height / 2), imgui.Cond_.always, (0.5, 0.5))
    imgui.set_next_window_size((22 * em, 0))
    flags = imgui.WindowFlags_
    imgui.begin("keys", None, flags.no_decoration | flags.no_inputs | flags.no_focus_on_appearing)
    imgui.text_colored(ACCENT, "KEYS")
    imgui.separator()
    for key, (_, text) in KEYS.items():
        imgui.text(key.capitalize())
        imgui.same_line(5 * em)
        imgui.text_colored((0.8, 0.83, 0.85, 1.0), text)
    imgui.separator()
    imgui.text_colored(FAINT, "Drag over the picture: before | after")
    imgui.end()
