"""`doctor`: what works on this machine, a line each. Nothing is changed, nothing stays open."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import engines
from engines.manifest import load_weights, read_manifest
from engines.providers import PROVIDERS
from realtime.errors import reason
from realtime.machine import gpu_names, processor_name, usable_cores

NETWORKS = ("detector", "landmarks", "deleter", "lenses", "generator", "coefficients", "recogniser", "lids", "refiner")
NEEDED = ("numpy", "cv2", "onnxruntime", "av", "numba", "threadpoolctl", "tqdm")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ok: True works, False does not, None is absent but not needed."""

    name: str
    ok: bool | None
    detail: str

    def __str__(self) -> str:
        mark = {True: "ok", False: "FAIL", None: "-"}[self.ok]
        return f"{mark:4}  {self.name:10} {self.detail}"


def examine(models_dir: Path | None = None, sends: Sequence[str] = ()) -> Iterator[Finding]:
    """All findings in order; a check that fails unexpectedly is a finding too."""
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("python", _python),
        ("libraries", _libraries),
        ("machine", _machine),
        ("gl", _graphics),
        ("cameras", _cameras),
        ("virtual", _virtual_camera),
        ("providers", _providers),
        ("gpu", _gpu),
        ("weights", lambda: _weights(models_dir)),
        ("display", _display),
        ("senders", lambda: _senders(sends)),
        ("page", _page),
    )
    for name, check in checks:
        try:
            yield from check()
        except Exception as error:
            yield Finding(name, False, reason(error))


def _python() -> Iterator[Finding]:
    fits = sys.version_info >= (3, 11)
    wish = "" if fits else "; 3.11 or newer is needed"
    yield Finding("python", fits, f"{platform.python_version()} at {sys.executable}" + wish)


def _libraries() -> Iterator[Finding]:
    missing = [name for name in NEEDED if not _importable(name)]
    yield Finding(
        "libraries", not missing, f"missing: {', '.join(missing)}; pip install nakedeye" if missing else "all there"
    )


def _machine() -> Iterator[Finding]:
    yield Finding("machine", True, f"{processor_name()}, {usable_cores()} cores, {platform.system()}")


def _graphics() -> Iterator[Finding]:
    """Draws a triangle; without GL the software rasteriser must."""
    from shaders.base import Draw, GLUnavailable, Mode, Topology
    from shaders.open import make_renderer

    topology = Topology(np.array([[0, 1, 2]]), np.zeros((3, 2)))
    corners = np.array([[2, 2, 0], [2, 28, 0], [28, 2, 0]], np.float32)
    draw = Draw(corners, np.tile(np.array([0, 0, 1], np.float32), (3, 1)), np.ones((3, 3), np.float32))
    for name in ("gl", "software"):
        try:
            renderer = make_renderer(name, (32, 32), topology)
        except GLUnavailable as why:
            yield Finding("gl", None, f"{why}; the software rasteriser draws instead")
            continue
        drawn = renderer.draw(None, [draw], Mode.TEXTURED)
        renderer.close()
        works = bool(drawn[8, 8].max() > 128 and drawn[30, 30].max() == 0)
        yield Finding("gl" if name == "gl" else "rasteriser", works, f"{renderer.name} draws")


def _cameras() -> Iterator[Finding]:
    from realtime.sources.cameras import list_cameras

    cameras = list_cameras()
    for camera in cameras:
        yield Finding("camera", True, camera.describe())
    if not cameras:
        yield Finding("cameras", None, "none found; files and the test pattern work: -i pattern")


def _virtual_camera() -> Iterator[Finding]:
    from realtime.sinks.virtual_camera import what_stands_ready

    ready, detail = what_stands_ready()
    yield Finding("virtual", True if ready else None, detail)


def _providers() -> Iterator[Finding]:
    for provider in PROVIDERS.values():
        if provider.name == "torch":  # for training only; importing it takes seconds
            continue
        try:
            yield Finding("provider", True, f"{provider.name}: {provider.describe()}")
        except engines.Unavailable as why:
            yield Finding("provider", None, f"{provider.name}: {why}")


def _gpu() -> Iterator[Finding]:
    names = gpu_names()
    for name in names:
        yield Finding("gpu", True, name)
    if not names:
        yield Finding("gpu", None, "no NVIDIA GPU; the networks run on the processor")


def _weights(models_dir: Path | None) -> Iterator[Finding]:
    entries = read_manifest(models_dir)
    for entry in entries:
        try:
            weights = load_weights(entry, models_dir)
        except engines.WeightsError as why:
            yield Finding("weights", False, str(why))
            continue
        size = len(weights.onnx) / 1e6
        yield Finding("weights", True, f"{entry.label}: {size:.1f} MB, sha256 {entry.sha256[:12]} as listed")
    for name in NETWORKS:
        if name not in {entry.name for entry in entries}:
            yield Finding("weights", False, f"{name}: not in the list of weights; reinstall Nakedeye")


def _display() -> Iterator[Finding]:
    if not sys.platform.startswith("linux"):
        shown = "by the system"
    else:
        shown = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or ""
    if not shown:
        yield Finding("display", None, "none (DISPLAY and WAYLAND_DISPLAY are unset); use video, image, or -o FILE")
    elif not (_importable("imgui_bundle") and _importable("glfw")):
        yield Finding("display", None, f"{shown}, but no window library: pip install 'nakedeye[window]'")
    else:
        yield Finding("display", True, f"{shown}, imgui-bundle and glfw are there")


def _senders(sends: Sequence[str]) -> Iterator[Finding]:
    from realtime.sinks.senders.probe import probe_default, probe_target
    from realtime.sinks.senders.target import PROTOCOLS, parse_target

    for text in sends:
        yield Finding("sender", *probe_target(parse_target(text)))
    for name in PROTOCOLS if not sends else ():
        yield Finding("sender", *probe_default(name))


def _page() -> Iterator[Finding]:
    if not _importable("aiohttp"):
        yield Finding("page", None, "serve needs aiohttp: pip install 'nakedeye[serve]'")
    else:
        video = "and WebRTC" if _importable("aiortc") else "; for WebRTC, too: pip install 'nakedeye[webrtc]'"
        yield Finding("page", True, f"run_live.py serve over WebSocket {video}".replace(" ;", ";"))


def _importable(name: str) -> bool:
    try:
        importlib.import_module(name)
    except (ImportError, OSError):
        return False
    return True


def report(models_dir: Path | None = None, write: Callable[[str], None] = print, sends: Sequence[str] = ()) -> bool:
    """Writes every finding as it is made. True when all that is needed works."""
    works = True
    for finding in examine(models_dir, sends):
        write(str(finding))
        works = works and finding.ok is not False
    return works
