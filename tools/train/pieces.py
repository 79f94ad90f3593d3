"""Checkpoints in pieces of at most 15 MB, to carry a run to another machine and back.

python -m tools.train.pieces split RUN/checkpoint.pt     # checkpoint.pt.000, .001, … and checkpoint.pt.pieces.json
python -m tools.train.pieces join RUN/checkpoint.pt      # the whole file again; `--resume` does it by itself
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

MOST_BYTES = 15_000_000


def split(path: Path, most: int = MOST_BYTES) -> list[Path]:
    """Write the pieces of `path` and their list beside it, older ones replaced; returns the pieces' paths.

    Raises FileNotFoundError when there is no such file.
    """
    if not path.exists():
        raise FileNotFoundError(f"nothing to split: {path} does not exist")
    for old in path.parent.glob(f"{path.name}.[0-9][0-9][0-9]"):
        old.unlink()
    whole, pieces = hashlib.sha256(), []
    with path.open("rb") as file:
        while content := file.read(most):
            whole.update(content)
            piece = path.with_name(f"{path.name}.{len(pieces):03d}")
            piece.write_bytes(content)
            pieces.append(piece)
    known = {"sha256": whole.hexdigest(), "pieces": [piece.name for piece in pieces]}
    list_of(path).write_text(json.dumps(known, indent=1) + "\n")
    return pieces


def join(path: Path) -> Path:
    """Make `path` of its pieces; an older whole file is replaced only by a complete new one.

    Raises FileNotFoundError when a piece is missing, ValueError when they do not make the file that was split.
    """
    if not list_of(path).exists():
        raise FileNotFoundError(f"nothing to join: {list_of(path)} does not exist")
    known = json.loads(list_of(path).read_text())
    missing = [name for name in known["pieces"] if not path.with_name(name).exists()]
    if missing:
        raise FileNotFoundError(f"pieces of {path} are missing: {', '.join(missing)}")
    whole, partial = hashlib.sha256(), path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        for name in known["pieces"]:
            content = path.with_name(name).read_bytes()
            whole.update(content)
            file.write(content)
    if whole.hexdigest() != known["sha256"]:
        partial.unlink()
        raise ValueError(f"the pieces of {path} are damaged or of different files: copy them again")
    os.replace(partial, path)
    return path


def list_of(path: Path) -> Path:
    """Where the names of the pieces and the hash of the whole are kept."""
    return path.with_name(path.name + ".pieces.json")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.train.pieces", description=__doc__.split("\n")[0])
    parser.add_argument("verb", choices=("split", "join"))
    parser.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    try:
        for path in split(options.file) if options.verb == "split" else [join(options.file)]:
            print(path)
    except (FileNotFoundError, ValueError) as why:
        print(f"tools.train.pieces: {why}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
