"""Keys and switches of the window, without a window."""

import pytest

from realtime.sinks.window_controls import KEYS, VIEWS, Controls, key_list, press


def test_every_key_does_something():
    for event, _ in KEYS.values():
        changed = press(Controls(), event)
        assert (changed == Controls()) == (event in {"quit", "calibrate", "screenshot", "fullscreen"}), event


def test_view_key_walks_through_all_views_and_returns():
    controls, seen = Controls(view=VIEWS[0]), []
    for _ in VIEWS:
        seen.append(controls.view)
        controls = press(controls, "view")
    assert tuple(seen) == VIEWS and controls.view == VIEWS[0]


def test_a_switch_pressed_twice_is_as_before():
    for event in ("remove", "landmarks", "timings", "pause", "record", "help"):
        assert press(press(Controls(), event), event) == Controls()


def test_unknown_event_is_named():
    with pytest.raises(ValueError, match="'dance'"):
        press(Controls(), "dance")


def test_key_list_has_a_line_for_each_key():
    assert len(key_list().splitlines()) == len(KEYS)
