"""Where pictures come from: what every source promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from realtime.frame import Frame
from realtime.sources.audio import AudioTap


@dataclass(frozen=True, slots=True)
class Colour:
    """How the source's video says its colours are meant, in FFmpeg's numbers; 2 is "unspecified"."""

    space: int = 2
    primaries: int = 2
    transfer: int = 2


@dataclass(frozen=True, slots=True)
class Properties:
    """What is known of a source once it is open.

    name: as the user called it. stem: what outputs made from it are called. size: (width, height) of the first upright
    picture. rate: frames a second on average, a guess for live input. count: frames to come, None where unknown or only
    estimated by the container. live: newest frame wins, older ones may be dropped; otherwise nothing is dropped.
    stills: the pictures are photographs, not moments of one scene.
    colour: tags that an output repeats. pixel_aspect: width / height of one pixel as shown.
    """

    name: str
    stem: str
    size: tuple[int, int]
    rate: Fraction = Fraction(30)
    time_base: Fraction = Fraction(1, 30)
    count: int | None = None
    duration_s: float | None = None
    live: bool = False
    stills: bool = False
    colour: Colour = Colour()
    pixel_aspect: Fraction = Fraction(1)


class Source(Protocol):
    """Opened in the constructor, which raises SourceError; read by one thread; closed once.

    `frames` is called once. It raises SourceError when the input fails on the way; frames before that are good.
    `tap_audio` is called before `frames`: a queue of the source's compressed audio, None where there is no sound.
    `file_name` is what the picture at `index` was called, for sinks that keep names.
    """

    @property
    def properties(self) -> Properties: ...

    def frames(self) -> Iterator[Frame]: ...

    def tap_audio(self) -> AudioTap | None: ...

    def file_name(self, index: int) -> str: ...

    def close(self) -> None: ...


class Silent:
    """What sources without sound and without file names have in common."""

    def tap_audio(self) -> AudioTap | None:
        return None

    def file_name(self, index: int) -> str:
        return f"frame_{index:06d}.png"
