"""What a person may ask for on the command line, as data. Defaults work without any of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROVIDERS = ("auto", "tensorrt", "cuda", "openvino", "cpu", "torch")
QUALITIES = ("auto", "full", "light")
VIEWS = ("removed", "mesh", "shaded", "wireframe", "depth", "split", "side-by-side", "landmarks", "avatar", "original")
TEXTURES = ("model", "refined", "live")
BACKGROUNDS = ("transparent", "blur", "original")  # and any colour
COLOUR = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
DEFAULT_AVATAR, DEFAULT_BACKGROUND = "default", "#cfe3ee"
LOG_LEVELS = ("error", "warning", "info", "debug")


@dataclass(frozen=True, slots=True)
class Options:
    """One run.

    input: camera number or name, file, folder, URL, `-` or `pattern`. output: file, folder, `window` or `null`; of
        `live` also `camera`, `camera:DEVICE`, a stream's URL, or `-`.
    delay_s: from the capture of a picture to its leaving for the window, a virtual camera or a stream; later ones
        leave at once.
    size: (width, height) asked of a camera or the pattern. fps: the same; None leaves it to the source.
    memory: behind the glasses, skin that was seen before comes back rather than invented skin.
    smooth: 0 off .. 1 strongest. faces: most faces that are followed. frames: end after so many; None: all.
    csv, mesh: where blendshapes and the mesh go beside the output; None: nowhere (or beside it, for `video`).
    mesh_frame: the frame whose mesh is written where the file holds one; 0 is the first with a face.
    send: where avatar data go, as `realtime.sinks.senders.target` reads them. livelink_csv: a recording of them.
    texture: what the drawn mesh and mesh files wear. model: the 3DMM's texture; refined: T_final, the fine texture of
        the graph-convolutional network; live: what the camera has seen, and T_final where it has seen nothing.
    adapt: each blendshape's range is fitted to the person.
    avatar: a .glb or .vrm file, or `default`. background: what lies behind it (`realtime.avatar.background`).
    seed: whom the test pattern shows. models_dir: a folder with another models.toml and weights.
    workers: processes of `batch`; 0: one a core. ray: address of a Ray cluster that does it instead. segment_s: `batch`
    cuts longer videos into segments of about so many seconds; 0: never; None: 120 on a cluster, else never.
    host, port, visitors, token, origins, certificate, key: of `serve`, see `realtime.page.arguments`.
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
    memory: bool = True
    landmarks: bool = False
    texture: str = "live"
    avatar: str = DEFAULT_AVATAR
    background: str = DEFAULT_BACKGROUND
    smooth: float = 0.5
    faces: int = 4
    frames: int | None = None
    csv: Path | None = None
    mesh: Path | None = None
    mesh_frame: int = 0
    sound: bool = True
    send: tuple[str, ...] = ()
    livelink_csv: Path | None = None
    adapt: bool = True
    delay_s: float = 0.0
    renderer: str = "auto"
    models_dir: Path | None = None
    log_level: str = "info"
    seed: int = 7
    workers: int = 0
    ray: str | None = None
    segment_s: float | None = None
    host: str = "127.0.0.1"
    port: int = 8765
    visitors: int = 4
    token: str | None = None
    origins: Sequence[str] = ()
    certificate: Path | None = None
    key: Path | None = None
