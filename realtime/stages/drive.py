"""drive: what moves an avatar: shapes from the expression, eyes as the picture shows them, ranges of the person."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from realtime.adaptation import Adaptation
from realtime.align import transform_points
from realtime.anchor import LIDS_APART
from realtime.blink_hold import BlinkHold
from realtime.detection import Runnable
from realtime.eye_picture import MIDDLE, eye_picture, normalised
from realtime.eyes import Eyes, look_weights
from realtime.face.blendshapes import ARKIT_NAMES, blendshapes
from realtime.face.camera import project
from realtime.face.coefficients import SLICES, Pose, move_pose, pose
from realtime.face.drive import Drive, Look, Looks
from realtime.face.model import EYEBALL_MM, FaceModel
from realtime.frame import Face, Faces, Frame, Glasses
from realtime.iris import Iris, find_iris
from realtime.stages.smooth import Clock
from realtime.tracking import TrackStates

EYE_RADIUS_MM = 11.0  # from the point about which a person's eye turns to the middle of its iris
RESTING_S = 1.0  # how long the eyes are looked at when the neutral face is asked for
FARTHEST = 0.8  # of that radius, how far an iris may seem to be from the eye's middle: 53 degrees
DOWN_GAIN = 1.1  # lids hide the top and bottom of an iris, so that what shows of it moves less: by 0 to 30 %
COVERED_PX = 5  # half side of the square about an iris in which repainted pixels count
CORNERS = np.array([[42, 45], [36, 39]])  # landmarks at the ends of the left and the right eye
EYE_ROWS = slice(40, 168)  # of the crop: the periocular strip

EYE_SHAPES = tuple(name for name in ARKIT_NAMES if name.startswith(("eyeBlink", "eyeLook")))
CLOSING = (0.4, 1.0)  # blinks between which lids go from as far as the landmarks have them to shut
LID_PAIRS = LIDS_APART[2:], LIDS_APART[:2]  # upper and lower landmarks, left and right eye
MEET, AJAR = 0.3, 0.4  # where between the lower and the upper lid they meet; share of the gap that is lashes
BLINK_WEIGHTS = np.array(
    [SLICES["expression"].start + ARKIT_NAMES.index(f"eyeBlink{side}") for side in ("Left", "Right")]
)
EYE_WEIGHTS = np.array([SLICES["expression"].start + ARKIT_NAMES.index(name) for name in EYE_SHAPES])


class DriveState:
    """One track's eyes and ranges. request: the last calibration asked for before the track appeared."""

    def __init__(self, request: int) -> None:
        self.clock, self.eyes, self.adaptation, self.hold = Clock(), Eyes(), Adaptation(), BlinkHold()
        self.request, self.resting_since_s = request, -np.inf

    def take(self, face: Face, looks: Looks, dt: float, smooth: float, adapt: bool) -> Face:
        """The face, which has coefficients, driven by its looks and by what is known of this person from before."""
        assert face.coefficients is not None
        head = pose(face.coefficients)
        left, right = self.eyes.take(looks, head.yaw, dt, smooth, adapt)
        head = self.hold.take(head, min(left.opening, right.opening), dt)
        shapes = blendshapes(face.coefficients)
        if adapt:
            shapes = self.adaptation.fit(shapes, head, dt)
        coefficients = face.coefficients
        if face.glasses is not Glasses.DARK:  # behind dark lenses the expression is all that is known
            shapes |= look_weights(left, right)
            coefficients = with_eyes(coefficients, shapes, looks)
        return face.with_(drive=Drive(shapes, head, left, right, looks), coefficients=coefficients)


class DriveAvatar:
    """Fills in `Face.drive` of faces with coefficients and a crop; their lids and gaze become those of the shapes.

    smooth: 0..1, read for every frame. requests: how often a person has asked for the neutral face; they look into the
    camera then. adapt: fit ranges to the person. lids: the network of that name; without it
    lids are told from how much of the iris shows. eye_radius_mm: see `EYE_RADIUS_MM`; the model's own eyes have 16.
    """

    name = "drive"

    def __init__(
        self,
        model: FaceModel,
        smooth: Callable[[], float],
        requests: Callable[[], int] = lambda: 0,
        *,
        adapt: bool = True,
        eye_radius_mm: float = EYE_RADIUS_MM,
        lids: Runnable | None = None,
    ):
        self.smooth, self.requests, self.adapt, self.eye_radius_mm = smooth, requests, adapt, eye_radius_mm
        self.lids = lids
        middle = np.array([0, 0, EYEBALL_MM - eye_radius_mm], np.float32)  # irises stay where the model has them
        nobody = np.zeros(239, np.float32)
        self._mean = model.eyeballs_of(nobody) + middle
        basis = [model.eyeballs_of(np.eye(1, 239, k, np.float32)[0]) + middle - self._mean for k in range(80)]
        self._identity = np.stack(basis).reshape(80, 6)
        self._tracks: TrackStates[DriveState] = TrackStates(lambda: DriveState(requests()))

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        states = self._tracks.of(frame, faces)
        return frame, tuple(self._driven(frame, face, state) for face, state in zip(faces, states, strict=True))

    def close(self) -> None:
        pass

    def _driven(self, frame: Frame, face: Face, state: DriveState) -> Face:
        if face.coefficients is None or face.crop is None or face.crop_from_frame is None:
            return face
        dt = state.clock.tick(frame.time_s)
        looks = self._looks(face)
        self._calibrate(frame, state, looks, pose(face.coefficients))
        face = state.take(face, looks, dt, self.smooth(), self.adapt)
        if face.glasses is Glasses.DARK or face.drive is None:
            return face
        return face.with_(landmarks=with_lids(face.landmarks, (face.drive.left.opening, face.drive.right.opening)))

    def _calibrate(self, frame: Frame, state: DriveState, looks: Looks, head: Pose) -> None:
        """Since the neutral face was asked for: where the eyes are is straight into the camera."""
        if self.requests() != state.request:
            state.request, state.resting_since_s = self.requests(), frame.time_s
        if 0 <= frame.time_s - state.resting_since_s <= RESTING_S:
            seen = state.eyes.look_ahead(looks)
            if seen is not None:
                ahead = direction(head.rotation.T[:, 2])
                state.eyes.rest = state.eyes.rest + 0.2 * (seen - ahead - state.eyes.rest)

    def _looks(self, face: Face) -> Looks:
        """Left and right eye as this crop shows them."""
        assert face.coefficients is not None and face.crop is not None and face.crop_from_frame is not None
        here = pose(move_pose(face.coefficients, face.crop_from_frame))
        identity = face.coefficients[SLICES["identity"]]
        middles = project(self._mean + (identity @ self._identity).reshape(2, 3), here)[:, :2]
        centres = transform_points(face.crop_from_frame, face.landmarks[CORNERS].mean(1))
        grey = cv2.cvtColor(face.crop[EYE_ROWS], cv2.COLOR_RGB2GRAY)
        head_from_camera = here.rotation.T
        blinks = np.clip(face.coefficients[BLINK_WEIGHTS], 0, 1)
        looks = []
        for centre, middle, blink in zip(centres, middles, blinks, strict=True):
            picture, iris, at = iris_in(grey, centre, here)
            gap = float("nan") if self.lids is None else gap_between(self.lids, picture)
            away = (at - middle) / max(here.scale * self.eye_radius_mm, 1e-6)
            away *= min(1.0, FARTHEST / max(math.hypot(*away), 1e-6))
            ahead = np.array([away[0], -away[1], math.sqrt(1 - float(away @ away))])
            seen = direction(head_from_camera @ ahead)
            looks.append(Look(seen, iris.strength, visibility(face, at), gap, float(blink)))
        return looks[0], looks[1]


def gap_between(lids: Runnable, eye: np.ndarray) -> float:
    """(HEIGHT, WIDTH) uint8 picture of an eye -> the distance of its lids over its width."""
    return float(np.reshape(lids.run({"eyes": normalised(eye)[None, None]})["gap"], -1)[0])


def iris_in(grey: np.ndarray, centre_px: np.ndarray, here: Pose) -> tuple[np.ndarray, Iris, np.ndarray]:
    """Rows `EYE_ROWS` of a grey crop, an eye's middle, the head's pose there -> the eye's picture, the iris in it, and
    (2,) where in the crop that is."""
    down = np.array([0, EYE_ROWS.start])
    picture, eye_from_rows = eye_picture(grey, centre_px - down, here.scale, here.roll)
    iris = find_iris(picture)
    linear = eye_from_rows[:, :2]
    back = linear.T / (linear[0] @ linear[0])  # a similarity's inverse
    return picture, iris, back @ ((np.array([iris.x, iris.y]) - MIDDLE) * (1, DOWN_GAIN)) + centre_px


def direction(ahead: np.ndarray) -> np.ndarray:
    """(3,) unit vector in the head's axes -> (yaw, pitch) radians, signs as `Pose`."""
    x, y, z = (float(v) for v in ahead)
    return np.array([math.atan2(x, z), -math.asin(min(max(y, -1.0), 1.0))])


def visibility(face: Face, at_px: np.ndarray) -> float:
    """0..1: share of the square about a crop pixel that was filmed; what was repainted shows no iris."""
    if face.glasses is Glasses.DARK:
        return 0.0
    if face.mask is None:
        return 1.0
    last = face.mask.shape[0] - 1 - COVERED_PX
    x, y = (min(max(round(float(v)), COVERED_PX), last) for v in at_px)
    about = face.mask[y - COVERED_PX : y + COVERED_PX + 1, x - COVERED_PX : x + COVERED_PX + 1]
    return 1.0 - cv2.mean(about)[0] / 255


def with_eyes(coefficients: np.ndarray, shapes: Mapping[str, float], looks: Looks) -> np.ndarray:
    """(239,) with the gaze of the shapes and their blinks: the drawn face closes its eyes when the person does. How far
    its open eyes are open, the landmarks have told (`realtime.anchor`), who leave shut ones ajar."""
    seen = coefficients.copy()
    seen[EYE_WEIGHTS] = [shapes[name] for name in EYE_SHAPES]
    told = np.array([look.shut for look in looks])
    seen[BLINK_WEIGHTS] = told + (1 - told) * closing_of(1 - seen[BLINK_WEIGHTS])
    return seen


def closing_of(opening: np.ndarray) -> np.ndarray:
    """0..1, how far a blink, which the lids' network sees best, closes what the landmarks leave open."""
    return np.clip((1 - opening - CLOSING[0]) / (CLOSING[1] - CLOSING[0]), 0, 1)


def with_lids(landmarks: np.ndarray, openings: tuple[float, float]) -> np.ndarray:
    """(68, 2) with the lids of shut eyes together: N_L leaves them ajar. openings: of the left and the right eye."""
    moved = landmarks.copy()
    for closing, pairs in zip(closing_of(np.array(openings)), LID_PAIRS, strict=True):
        upper, lower = landmarks[pairs[:, 0]], landmarks[pairs[:, 1]]
        meet = lower + MEET * (upper - lower)
        moved[pairs[:, 0]] += closing * (1 - AJAR) * (meet - upper)
        moved[pairs[:, 1]] += closing * (1 - AJAR) * (meet - lower)
    return moved
