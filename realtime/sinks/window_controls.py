"""What a person can set while looking at the window, and which key sets it. No window is needed to use this file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from realtime.options import VIEWS

# key -> (event, what the overlay says); the keys people know from other live face programs
KEYS: dict[str, tuple[str, str]] = {
    "Q": ("quit", "quit (also Esc)"),
    "F11": ("fullscreen", "full screen"),
    "SPACE": ("pause", "pause"),
    "G": ("remove", "glasses on / off"),
    "M": ("view", "next view: picture, mesh, both"),
    "L": ("landmarks", "landmarks"),
    "T": ("timings", "timings"),
    "C": ("calibrate", "calibrate the neutral face"),
    "S": ("screenshot", "screenshot"),
    "R": ("record", "record"),
    "H": ("help", "this list"),
}

ONE_SHOT = frozenset({"quit", "calibrate", "screenshot", "fullscreen"})


@dataclass(frozen=True, slots=True)
class Controls:
    """Everything a person has switched.

    curtain: 0..1, share of the picture's width, from the left, that shows the untouched picture (the A/B slider).
    smooth: 0..1, as `--smooth`.
    """

    view: str = "removed"
    remove: bool = True
    landmarks: bool = False
    timings: bool = True
    paused: bool = False
    recording: bool = False
    help: bool = False
    curtain: float = 0.0
    smooth: float = 0.5

    def with_(self, **changes: Any) -> Controls:
        return replace(self, **changes)


def press(controls: Controls, event: str) -> Controls:
    """The controls after `event`; one-shot events change nothing here. Raises ValueError for an unknown event."""
    if event in ONE_SHOT:
        return controls
    if event == "view":
        return controls.with_(view=VIEWS[(VIEWS.index(controls.view) + 1) % len(VIEWS)])
    switches = {"remove": "remove", "landmarks": "landmarks", "timings": "timings", "pause": "paused",
                "record": "recording", "help": "help"}  # fmt: skip
    if event not in switches:
        raise ValueError(f"unknown window event {event!r}; known: {', '.join(sorted(switches) + sorted(ONE_SHOT))}")
    name = switches[event]
    return controls.with_(**{name: not getattr(controls, name)})


def key_list() -> str:
    """The keys, a line each, for the terminal and the overlay."""
    return "\n".join(f"  {key.capitalize():6} {text}" for key, (_, text) in KEYS.items())
