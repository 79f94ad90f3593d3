"""A photograph without glasses: python examples/image.py person.jpg removed.png"""

import sys
from pathlib import Path

from realtime import Tracker
from realtime.sinks.pictures import write_picture
from realtime.sources.pictures import read_picture


def main(picture: str, removed: str) -> None:
    with Tracker(stills=True, faces=64) as tracker:
        faces, image = tracker(read_picture(Path(picture)))
    write_picture(Path(removed), image)
    for face in faces:
        print(f"face at {face.box.round().astype(int).tolist()}, glasses: {face.glasses.name.lower()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
