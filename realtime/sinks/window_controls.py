"""What a person can set while looking at the window, which key sets it, and what the window tells in return.

No window is needed to use this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from realtime.notices import Notice
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

ONE_SHOT = frozenset({"quit", "calibrate", "screenshot", "fullscreen", "cameras"})


@dataclass(frozen=True, slots=True)
class Controls:
    """Everything a person has switched.

    curtain: 0..1, share of the picture's width, from the left, that shows the untouched picture (the A/B slider).
    smooth: 0..1, as `--smooth`. source: as `-i`. sending: to the virtual camera. panel: the controls are unfolded.
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
    source: str = ""
    sending: bool = False
    panel: bool = True

    def with_(self, **changes: Any) -> Controls:
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Status:
    """What the window tells.

    fps: of shown pictures. latency_ms: from capture to show. stages_ms: of the newest picture. dropped: pictures that
    came too fast. sources: (as `-i`, as a person reads it). networks, senders: a line each. recorded_s: of the running
    recording. sent_to: the virtual camera's device. waiting: what is waited for while there is no picture.
    """

    fps: float = 0.0
    latency_ms: float = 0.0
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    dropped: int = 0
    sources: tuple[tuple[str, str], ...] = ()
    networks: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    recorded_s: float | None = None
    sent_to: str | None = None
    waiting: str = "waiting for the first picture"
    notice: Notice | None = None


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
    """The keys, a line each, for the terminal."""
    return "\n".join(f"  {key.capitalize():6} {text}" for key, (_, text) in KEYS.items())
