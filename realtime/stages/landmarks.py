"""landmarks: the 68 points of every face and how sure the network N_L (paper 3.1) is that it is one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from realtime.align import (
    LANDMARK_CROP_SIZE,
    MIRROR,
    box_of,
    invert,
    landmark_crop_from_box,
    roll_of,
    transform_points,
    warp,
)
from realtime.detection import Runnable
from realtime.frame import Face, Faces, Frame
from realtime.planes import planes
from realtime.tracking import Tracker, overlap

CAREFUL_LOOKS = ((1.0, 0.0), (1.08, 0.06), (0.94, -0.06))  # scale of the crop, turn in radians
STEADY = 0.026  # spread of the looks: 0.021 at most on 513 photographed faces, more on five of seven false alarms
SETTLED = 0.5  # overlap of two looks in a row: on a face they agree, elsewhere the points wander


class Landmarks:
    """Finds the points, tells the tracker where each face went, and lets go of what is no face.

    recover: asked for further faces in the same frame when a track was lost, so that a fast turn costs no frame.
    start, stay: least confidence with which a track begins, and goes on.
    careful: a new face's points are the mean of six looks, moved and mirrored: 3 % closer, for single pictures.
    """

    name = "landmarks"

    def __init__(
        self,
        network: Runnable,
        tracker: Tracker,
        recover: Callable[[Frame], Faces] = lambda frame: (),
        start: float = 0.7,
        stay: float = 0.4,
        careful: bool = False,
    ):
        self.network, self.tracker, self.recover = network, tracker, recover
        self.start, self.stay, self.careful = start, stay, careful

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        found = [self._follow(frame, face) for face in faces]
        if any(face is None and known(old) for face, old in zip(found, faces, strict=True)):
            found += [self._follow(frame, face) for face in self.recover(frame)]
        doubles = self.tracker.doubles()
        for number in doubles:
            self.tracker.lose(number, frame.time_s)
        return frame, tuple(face for face in found if face is not None and face.track not in doubles)

    def close(self) -> None:
        pass

    def _follow(self, frame: Frame, face: Face) -> Face | None:
        if known(face):
            landmarks, confidence = self._points(frame.image, face.box, roll_of(face.landmarks))
            least = self.stay
        else:  # the detector's box is coarse and upright: look twice
            first, _ = self._points(frame.image, face.box, 0.0)
            landmarks, confidence = self._points(frame.image, box_of(first), roll_of(first))
            settled = overlap(box_of(first), box_of(landmarks))[0, 0] >= SETTLED
            least = self.start if settled else np.inf
            if confidence >= least:  # six more looks at what claims to be a face
                mean, spread = self._looks(frame.image, landmarks)
                landmarks, least = (mean if self.careful else landmarks), (least if spread <= STEADY else np.inf)
        if confidence < least or not plausible(landmarks, frame.image.shape):
            self.tracker.lose(face.track, frame.time_s)
            return None
        self.tracker.moved(face.track, landmarks)
        return face.with_(landmarks=landmarks, box=box_of(landmarks), confidence=confidence)

    def _looks(self, image: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, float]:
        """(68, 2) mean of what the network says of slightly different crops and of their mirror images, and the mean
        distance of the answers from it, over the size of the face."""
        box, roll, right = box_of(landmarks), roll_of(landmarks), image.shape[1] - 1
        mirrored = np.ascontiguousarray(image[:, ::-1])
        looks = []
        for scale, turn in CAREFUL_LOOKS:
            seen = scaled(box, scale)
            looks.append(self._points(image, seen, roll + turn)[0])
            flipped = np.array([right - seen[2], seen[1], right - seen[0], seen[3]], np.float32)
            points = self._points(mirrored, flipped, -roll - turn)[0]
            looks.append((points * (-1, 1) + (right, 0))[MIRROR])
        mean = np.mean(looks, axis=0).astype(np.float32)
        return mean, float(np.linalg.norm(looks - mean, axis=2).mean() / max(*(box[2:] - box[:2]), 1.0))

    def _points(self, image: np.ndarray, box: np.ndarray, roll: float) -> tuple[np.ndarray, float]:
        crop_from_frame = landmark_crop_from_box(box, roll)
        crop = warp_small(image, crop_from_frame, LANDMARK_CROP_SIZE)
        found = self.network.run({"crop": planes(crop)})
        points = np.array(found["points"], np.float32).reshape(68, 2)
        return transform_points(invert(crop_from_frame), points), float(np.reshape(found["confidence"], -1)[0])


def scaled(box: np.ndarray, scale: float) -> np.ndarray:
    """A (4,) box about its own middle."""
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * scale
    return np.concatenate([middle - half, middle + half])


def warp_small(image: np.ndarray, crop_from_frame: np.ndarray, size: int) -> np.ndarray:
    """(H, W, 3) -> (size, size, 3). Where the face is far larger than the crop, shrinks by whole pixels first."""
    step = int(1 / max(np.hypot(crop_from_frame[0, 0], crop_from_frame[1, 0]), 1e-6) / 2)
    if step < 2:
        return warp(image, crop_from_frame, (size, size))
    # twice the crop's resolution, then averaged: no aliasing, and no pass over the whole frame
    double = np.array(crop_from_frame) * 2
    double[:, 2] += 0.5
    big = warp(image, double, (2 * size, 2 * size))
    return big.reshape(size, 2, size, 2, 3).mean((1, 3)).astype(np.uint8)


def known(face: Face) -> bool:
    """Whether the face carries landmarks of an earlier frame."""
    return bool(np.isfinite(face.landmarks[0, 0]))


def plausible(landmarks: np.ndarray, shape: tuple[int, ...]) -> bool:
    """A face of some size whose middle lies in the picture."""
    height, width = shape[:2]
    x0, y0, x1, y1 = box_of(landmarks)
    inside = 0 <= (x0 + x1) / 2 < width and 0 <= (y0 + y1) / 2 < height
    return bool(np.isfinite(landmarks).all() and inside and min(x1 - x0, y1 - y0) >= 6)
