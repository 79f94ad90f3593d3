"""PSNR and SSIM inside a mask, and classical inpainting beside. Pictures (H, W, 3) uint8, masks (H, W) uint8."""

from __future__ import annotations

import cv2
import numpy as np

RADIUS_PX = 3  # of cv2.inpaint
SSIM_C1, SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SSIM_SIGMA = 1.5


def telea(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """OpenCV's fast-marching inpainting of the masked pixels."""
    return cv2.inpaint(image, mask, RADIUS_PX, cv2.INPAINT_TELEA)


def navier_stokes(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """OpenCV's fluid inpainting of the masked pixels."""
    return cv2.inpaint(image, mask, RADIUS_PX, cv2.INPAINT_NS)


def ssim_map(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(H, W, 3) structural similarity of each pixel and channel, Gaussian window (Wang et al. 2004)."""
    x, y = a.astype(np.float32), b.astype(np.float32)

    def blur(v: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(v, (11, 11), SSIM_SIGMA)

    mx, my = blur(x), blur(y)
    vx, vy, cxy = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    return ((2 * mx * my + SSIM_C1) * (2 * cxy + SSIM_C2)) / ((mx**2 + my**2 + SSIM_C1) * (vx + vy + SSIM_C2))


def masked_scores(truth: np.ndarray, made: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """(PSNR in dB, SSIM) over the pixels where mask > 0; (nan, nan) for an empty mask."""
    inside = mask > 0
    if not inside.any():
        return float("nan"), float("nan")
    error = (truth[inside].astype(np.float32) - made[inside]) ** 2
    psnr = 10 * np.log10(255**2 / max(float(error.mean()), 1e-2))
    return float(psnr), float(ssim_map(truth, made)[inside].mean())
