"""What outputs are called: one stem, an ending per kind."""

from __future__ import annotations

from pathlib import Path

ENDINGS = {
    "noglasses": "_noglasses.mp4",
    "sidebyside": "_sidebyside.mp4",
    "rendered": "_rendered.mp4",
    "avatar": "_avatar.mp4",
    "coefficients": "_coefficients.npz",
    "blendshapes": "_blendshapes.csv",
    "animation": ".glb",
    "mesh": ".obj",
}


def output_path(folder: Path, stem: str, kind: str, suffix: str | None = None) -> Path:
    """folder/clip_noglasses.mp4 for kind "noglasses"; `suffix` replaces the usual ending (".mov", ".jpg", ".ply")."""
    path = folder / f"{stem}{ENDINGS[kind]}"
    return path if suffix is None else path.with_suffix(suffix)
