"""OpenSeeFace's packet over UDP, port 11573, so that its receivers (VSeeFace, VTube Studio) take us for it.

Little-endian, 1785 bytes a face, all faces in one packet. Its axes: the model's x runs to the subject's right, y up,
z to the camera, the nose's tip at 0, about 150 mm a unit; its camera's run up, to the image's left, and to the camera.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import cv2
import numpy as np

from realtime.face.camera import project
from realtime.face.coefficients import pose
from realtime.face.drive import Drive
from realtime.face.model import SHAPE, FaceModel
from realtime.frame import Face
from realtime.sinks.senders.base import FOCAL, Moment
from realtime.smoothing import quaternion_from_rotation

PORT = 11573
MOST_FACES = 36  # more do not fit a UDP packet
UNIT_MM = 150.0
# its 66 points are the 68 without the inner mouth's corners, the outer ones moved behind the lips' outline
POINTS = np.r_[0:48, 49:54, 55:60, 48, 61:64, 54, 65:68]
NOSE_TIP = 30
FLIP = np.diag([-1.0, 1.0, 1.0])  # its model from ours
# its rotation's rows: up and to the image's left as we have them; the third, with a mirrored model, is minus our third
CAMERA = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
EYEBALL_MM = 12.0  # from an eye's centre to its pupil


class OpenSeeFace:
    """All faces. model: the shape behind their coefficients."""

    many = True

    def __init__(self, model: FaceModel):
        self.model = model

    def encode(self, faces: Sequence[Face], moment: Moment) -> list[bytes]:
        return [b"".join(self._face(face, moment) for face in faces[:MOST_FACES])] if faces else []

    def _face(self, face: Face, moment: Moment) -> bytes:
        drive, coefficients = face.drive, face.coefficients
        assert drive is not None and coefficients is not None
        seen_at = pose(coefficients)
        points = self._points(coefficients, drive)  # (70, 3) mm, our axes
        nose = points[NOSE_TIP]
        rotation = CAMERA @ seen_at.rotation @ FLIP
        where = project(nose[None], seen_at)[0]
        scale = max(seen_at.scale, 1e-6) * UNIT_MM
        width, height = moment.size
        place = ((height / 2 - where[1]) / scale, (width / 2 - where[0]) / scale, -FOCAL * width / scale)
        head = struct.pack("<di2f", moment.time_s, face.track, width, height)
        head += struct.pack("<2f", drive.right.opening, drive.left.opening)
        head += struct.pack("<Bf", 1, self._error(face, points, drive))
        # its quaternions turn vectors written as rows: those of the inverse
        w, x, y, z = quaternion_from_rotation(rotation.T)
        head += struct.pack("<4f3f3f", x, y, z, w, *euler_degrees(rotation), *place)
        pupils = project(points[66:68], drive.pose)[:, :2]
        flat = np.concatenate([face.landmarks[POINTS], pupils])
        sure = np.r_[np.full(66, face.confidence), drive.right.confidence, drive.left.confidence]
        solid = (points - nose) @ FLIP / UNIT_MM * (1, -1, -1)
        numbers = np.concatenate([sure, flat[:, ::-1].ravel(), solid.ravel(), features(drive)])
        return head + (numbers + 0.0).astype("<f4").tobytes()  # never minus zero

    def _points(self, coefficients: np.ndarray, drive: Drive) -> np.ndarray:
        """(70, 3) mm in our axes: the 66, right and left pupil, right and left eyeball's centre."""
        offsets = (coefficients[SHAPE].astype(np.float32) @ self.model.landmark_shape).reshape(-1, 3)
        face = (self.model.landmark_mean + offsets)[POINTS]
        centres = self.model.eyeballs_of(coefficients)[::-1]  # right first
        looks = np.stack([drive.right.rotation[:, 2], drive.left.rotation[:, 2]])
        return np.concatenate([face, centres + EYEBALL_MM * looks, centres])

    def _error(self, face: Face, points: np.ndarray, drive: Drive) -> float:
        """Root mean square distance in pixels between the points seen and the model's."""
        away = face.landmarks[POINTS[17:]] - project(points[17:66], drive.pose)[:, :2]
        return float(np.sqrt((away**2).mean()))


def euler_degrees(rotation: np.ndarray) -> tuple[float, float, float]:
    """(3, 3) in its camera's axes -> x, y, z as OpenCV splits them: 180, 0, 90 for a head that looks ahead.

    The same turn can be split in two ways; receivers take 180 and 90 off, so x stays near 180 and z near 90.
    """
    x, y, z = cv2.RQDecomp3x3(rotation)[0]
    if z < 0:
        x, y, z = x - np.copysign(180.0, x), 180.0 - y, z + 180.0
    return float(x), float((y + 180) % 360 - 180), float(z)


def features(drive: Drive) -> list[float]:
    """Its 14 features, -1..1 about this person's rest; steepness and quirk of the brows are not told apart: 0."""
    shapes = drive.shapes

    def side(end: str) -> tuple[float, float, float, float]:
        eye = shapes[f"eyeWide{end}"] - shapes[f"eyeBlink{end}"]
        brow = max(shapes[f"browOuterUp{end}"], shapes["browInnerUp"]) - shapes[f"browDown{end}"]
        fallen = shapes[f"mouthFrown{end}"] - shapes[f"mouthSmile{end}"]  # it counts corners downwards
        out = max(shapes[f"mouthStretch{end}"], shapes[f"mouthSmile{end}"]) - shapes["mouthPucker"]
        return eye, brow, fallen, out

    (eye_l, brow_l, fallen_l, out_l), (eye_r, brow_r, fallen_r, out_r) = side("Left"), side("Right")
    mouth = [fallen_l, out_l, fallen_r, out_r, shapes["jawOpen"], (out_l + out_r) / 2]
    return [eye_l, eye_r, 0.0, brow_l, 0.0, 0.0, brow_r, 0.0, *mouth]
