"""What a person may ask for on the command line, as data. Defaults work without any of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROVIDERS = ("auto", "tensorrt", "cuda", "openvino", "cpu", "torch")
QUALITIES = ("auto", "full", "light")
VIEWS = ("removed", "mesh", "shaded", "wireframe", "depth", "split", "side-by-side", "landmarks", "original")
LOG_LEVELS = ("error", "warning", "info", "debug")


@dataclass(frozen=True, slots=True)
class Options:
    """One run.

    input: camera number or name, file, folder, URL, `-` or `pattern`. output: file, folder, `window` or `null`; of
        `live` also `camera`, `camera:DEVICE`, a stream's URL, or `-`.
    delay_s: from the capture of a picture to its leaving for the window, a virtual camera or a stream; later ones
        leave at once.
    size: (width, height) asked of a camera or the pattern. fps: the same; None leaves it to the source.
    smooth: 0 off .. 1 strongest. faces: most faces that are followed. frames: end after so many; None: all.
    csv, mesh: where blendshapes and the mesh go beside the output; None: nowhere (or beside it, for `video`).
    mesh_frame: the frame whose mesh is written where the file holds one; 0 is the first with a face.
    seed: whom the test pattern shows. models_dir: a folder with another models.toml and weights.
    """

    verb: str = "live"
    input: str = "0"
    output: str = "window"
    provider: str = "auto"
    quality: str = "auto"
    view: str = "removed"
    size: tuple[int, int] = (640, 480)
    fps: float | None = None
    mirror: bool = False
    remove: bool = True
    landmarks: bool = False
    smooth: float = 0.5
    faces: int = 4
    frames: int | None = None
    csv: Path | None = None
    mesh: Path | None = None
    mesh_frame: int = 0
    sound: bool = True
    delay_s: float = 0.0
    renderer: str = "auto"
    models_dir: Path | None = None
    log_level: str = "info"
    seed: int = 7
