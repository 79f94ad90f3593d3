"""What an avatar needs of every frame, a line of JSON each: head pose and the 52 ARKit blendshapes by name.

python examples/avatar.py INPUT [FRAMES] > motion.jsonl, with INPUT a video, a camera number, or `pattern`.
"""

import json
import sys
from itertools import islice

import numpy as np

from realtime import Tracker, blendshapes, pose
from realtime.sources.choose import open_source


def main(given: str, frames: str | None = None) -> None:
    source = open_source(given)
    try:
        with Tracker(remove=True, faces=1) as tracker:
            for frame in islice(source.frames(), None if frames is None else int(frames)):
                for face in tracker(frame.image, frame.time_s).faces:
                    if face.coefficients is not None:
                        print(json.dumps({"time_s": frame.time_s, **motion(face.coefficients)}))
    finally:
        source.close()


def motion(coefficients: np.ndarray) -> dict[str, object]:
    """Head angles in degrees (positive yaw: to the person's left) and weights 0..1 of (239,) coefficients."""
    head = pose(coefficients)
    angles = {name: round(float(np.degrees(getattr(head, name))), 2) for name in ("pitch", "yaw", "roll")}
    weights = {name: round(weight, 4) for name, weight in blendshapes(coefficients).items()}
    return {"head_degrees": angles, "blendshapes": weights}


if __name__ == "__main__":
    main(*sys.argv[1:])
