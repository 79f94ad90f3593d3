"""How the window looks: fonts, colours, and sizes that follow the screen's scale. Lengths are in em, font heights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FONT_PX = 15.0  # at scale 1
ACCENT = (0.16, 0.68, 0.62, 1.0)
BAD, GOOD, RECORDING = (0.72, 0.20, 0.18, 0.96), (0.12, 0.34, 0.32, 0.96), (0.95, 0.25, 0.22, 1.0)
FAINT = (0.62, 0.65, 0.68, 1.0)
BACKGROUND = (0.055, 0.06, 0.07)
STAGE_COLOURS = (
    (0.36, 0.64, 0.94, 1.0), (0.16, 0.68, 0.62, 1.0), (0.93, 0.69, 0.28, 1.0), (0.85, 0.45, 0.62, 1.0),
    (0.56, 0.51, 0.90, 1.0), (0.55, 0.75, 0.38, 1.0), (0.90, 0.52, 0.34, 1.0), (0.60, 0.64, 0.70, 1.0),
)  # fmt: skip


def load_font(imgui: Any) -> None:
    """Roboto, which comes with imgui-bundle; imgui's own where it does not."""
    import imgui_bundle

    font = Path(imgui_bundle.__file__).parent / "assets" / "fonts" / "Roboto" / "Roboto-Regular.ttf"
    if font.exists():
        imgui.get_io().fonts.add_font_from_file_ttf(str(font), FONT_PX)


def apply(imgui: Any, scale: float) -> None:
    """Colours and sizes for a screen of this scale; text is rasterised for it. May be called again."""
    style = imgui.get_style()
    fresh = imgui.Style()
    fresh.window_rounding = fresh.popup_rounding = 8.0
    fresh.frame_rounding = fresh.grab_rounding = 5.0
    fresh.window_padding, fresh.frame_padding, fresh.item_spacing = (14.0, 12.0), (8.0, 5.0), (8.0, 7.0)
    fresh.window_border_size = 0.0
    fresh.grab_min_size = 14.0
    fresh.hover_stationary_delay, fresh.hover_delay_short = 0.25, 0.35
    fresh.scale_all_sizes(scale)
    for name in ("window_rounding", "popup_rounding", "frame_rounding", "grab_rounding", "window_padding",
                 "frame_padding", "item_spacing", "item_inner_spacing", "window_border_size", "grab_min_size",
                 "scrollbar_size", "hover_stationary_delay", "hover_delay_short"):  # fmt: skip
        setattr(style, name, getattr(fresh, name))
    style.font_size_base = FONT_PX
    style.font_scale_dpi = scale
    _colour(imgui, style)


def _colour(imgui: Any, style: Any) -> None:
    kinds = imgui.Col_
    shade = {
        kinds.window_bg: (0.085, 0.095, 0.11, 0.93), kinds.popup_bg: (0.10, 0.11, 0.13, 0.98),
        kinds.frame_bg: (0.17, 0.185, 0.21, 1.0), kinds.frame_bg_hovered: (0.22, 0.24, 0.27, 1.0),
        kinds.frame_bg_active: (0.25, 0.28, 0.31, 1.0), kinds.button: (0.20, 0.22, 0.25, 1.0),
        kinds.button_hovered: (0.26, 0.30, 0.33, 1.0), kinds.button_active: ACCENT, kinds.check_mark: ACCENT,
        kinds.slider_grab: ACCENT, kinds.slider_grab_active: (0.24, 0.80, 0.73, 1.0),
        kinds.header: (0.20, 0.22, 0.25, 1.0), kinds.header_hovered: (0.26, 0.30, 0.33, 1.0),
        kinds.header_active: ACCENT, kinds.separator: (0.22, 0.24, 0.27, 1.0), kinds.plot_lines: ACCENT,
        kinds.text: (0.92, 0.94, 0.95, 1.0),
    }  # fmt: skip
    for kind, colour in shade.items():
        style.set_color_(kind, colour)
