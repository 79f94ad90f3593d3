"""The aligned crop: where, in a frame, the 256x256 picture lies that deleter, generator and regressor see.

Pixels, x right, y down, pixel centres at integers. Matrices are named target_from_source, (2, 3) float64.
"""

from __future__ import annotations

import cv2
import numpy as np

CROP_SIZE = 256
STRIP_TOP, STRIP_BOTTOM = 40, 168  # crop rows that eyeglasses can cover: the periocular strip, 128x256
STRIP = slice(STRIP_TOP, STRIP_BOTTOM)

# Points that expression moves little (nose, eyes, mouth corners), and where the mean frontal face of Helen's
# training photographs has them in the crop: outer eye corners 104 px apart, their middle at (127.5, 104).
STABLE_POINTS = np.r_[27:48, 48, 54]
TEMPLATE_PX = np.array(
    [
        [127.5, 101.4], [127.5, 115.4], [127.5, 129.1], [127.5, 143.4],
        [110.3, 153.4], [118.7, 155.9], [127.5, 158.3], [136.3, 155.9], [144.7, 153.4],
        [75.7, 104.0], [84.9, 98.8], [96.1, 98.9], [105.6, 106.2], [95.4, 108.0], [84.2, 107.9],
        [149.4, 106.2], [158.9, 98.9], [170.1, 98.8], [179.3, 104.0], [170.8, 107.9], [159.6, 108.0],
        [95.2, 178.9], [159.8, 178.9],
    ]
)  # fmt: skip
# Which point each of the 68 is in a mirror.
MIRROR = np.r_[
    16:-1:-1, 26:16:-1, 27:31, 35:30:-1, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54:47:-1, 59:54:-1, 64:59:-1, 67:64:-1,
]  # fmt: skip


def similarity(source_px: np.ndarray, target_px: np.ndarray) -> np.ndarray:
    """Least-squares similarity without reflection, (N, 2) points to (N, 2) points, as a (2, 3) target_from_source.

    Raises ValueError when the source points coincide.
    """
    source, target = np.asarray(source_px, np.float64), np.asarray(target_px, np.float64)
    source_mean, target_mean = source.mean(0), target.mean(0)
    a = (source - source_mean) @ np.array([1, 1j])
    b = (target - target_mean) @ np.array([1, 1j])
    spread = (a.conj() @ a).real
    if spread <= 1e-12:
        raise ValueError("cannot align points that coincide")
    turn = (a.conj() @ b) / spread
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.hstack([linear, (target_mean - linear @ source_mean)[:, None]])


def crop_from_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """(68, 2) frame pixels -> (2, 3) crop_from_frame of the aligned crop."""
    return similarity(landmarks[STABLE_POINTS], TEMPLATE_PX)


def invert(target_from_source: np.ndarray) -> np.ndarray:
    """(2, 3) -> (2, 3) source_from_target."""
    return cv2.invertAffineTransform(np.asarray(target_from_source, np.float64))


def transform_points(target_from_source: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(..., 2) points -> (..., 2) float32."""
    matrix = np.asarray(target_from_source)
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def warp(image: np.ndarray, target_from_source: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resample `image` into a (width, height) picture; the outside repeats the border. Same dtype and channels."""
    return cv2.warpAffine(image, target_from_source, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def aligned_crop(image: np.ndarray, crop_from_frame: np.ndarray) -> np.ndarray:
    """(H, W, C) frame -> (256, 256, C) aligned crop. Shrinks by area first where a large face would alias."""
    scale = float(np.hypot(crop_from_frame[0, 0], crop_from_frame[1, 0]))
    if scale < 0.5:
        shrink = 2 ** int(np.floor(-np.log2(scale)))
        small = cv2.resize(image, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
        frame_from_small = np.array([[shrink, 0, (shrink - 1) / 2], [0, shrink, (shrink - 1) / 2]])
        linear = crop_from_frame[:, :2] @ frame_from_small[:, :2]
        offset = crop_from_frame[:, :2] @ frame_from_small[:, 2] + crop_from_frame[:, 2]
        return warp(small, np.hstack([linear, offset[:, None]]), (CROP_SIZE, CROP_SIZE))
    return warp(image, crop_from_frame, (CROP_SIZE, CROP_SIZE))


# --- the landmark network's own crop -------------------------------------------------------------------------------

LANDMARK_CROP_SIZE = 128
LANDMARK_MARGIN = 1.45  # side of the square over the longer side of the box around the 68 points


def landmark_crop_from_box(box: np.ndarray, roll: float = 0.0) -> np.ndarray:
    """(2, 3) crop_from_frame of N_L's 128x128 crop: a square around the (4,) box of the 68 points.

    roll: radians, clockwise tilt of the face in the image; the crop turns with it so that the face stands upright.
    """
    x0, y0, x1, y1 = (float(v) for v in box)
    side = max(x1 - x0, y1 - y0, 1.0) * LANDMARK_MARGIN
    scale = LANDMARK_CROP_SIZE / side
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    linear = np.array([[cos, sin], [-sin, cos]])
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    middle = (LANDMARK_CROP_SIZE - 1) / 2
    return np.hstack([linear, (middle - linear @ centre)[:, None]])


def box_of(landmarks: np.ndarray) -> np.ndarray:
    """(68, 2) -> (4,) float32 x0, y0, x1, y1 around the points."""
    return np.concatenate([landmarks.min(0), landmarks.max(0)]).astype(np.float32)


def roll_of(landmarks: np.ndarray) -> float:
    """Radians, clockwise tilt in the image, from the line between the eyes' centres."""
    right, left = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    return float(np.arctan2(left[1] - right[1], left[0] - right[0]))
