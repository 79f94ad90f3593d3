"""A webcam's faces as they come, until Ctrl-C: python examples/webcam.py [CAMERA [FRAMES]]

CAMERA is a number, a part of a name, or `pattern` (a synthetic person, where there is no camera).
"""

import sys
from itertools import islice

import numpy as np

from realtime import Tracker, blendshapes, pose
from realtime.sources.choose import open_source


def main(camera: str = "0", frames: str | None = None) -> None:
    source = open_source(camera, size=(640, 480))
    try:
        with Tracker(live=True) as tracker:
            for frame in islice(source.frames(), None if frames is None else int(frames)):
                for face in tracker(frame.image, frame.time_s).faces:
                    if face.coefficients is None:
                        continue
                    blink = blendshapes(face.coefficients)["eyeBlinkLeft"]
                    yaw = np.degrees(pose(face.coefficients).yaw)
                    print(f"{frame.time_s:7.2f} s  face {face.track}  turned {yaw:+4.0f} degrees  left lid {blink:.2f}")
    finally:
        source.close()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
