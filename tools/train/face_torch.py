"""The face model in torch, for losses: vertices, projection, landmarks, normals and light, batched and differentiable.

Same numbers as `realtime.face` (a test compares them); axes and units are documented there.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from realtime.face.coefficients import SLICES
from realtime.face.landmarks import FRONTAL, FULL_TURN
from realtime.face.light import FOLDED
from realtime.face.model import SHAPE, FaceModel

JAW = 17


class FaceTorch(nn.Module):
    """Constants of one resolution as buffers. All methods take (B, 239) coefficients."""

    def __init__(self, model: FaceModel):
        super().__init__()
        arrays = {
            "mean": model.mean, "shape": model.shape, "albedo_mean": model.albedo_mean, "albedo": model.albedo,
            "triangles": model.triangles.astype(np.int64), "landmark_mean": model.landmark_mean,
            "landmark_shape": model.landmark_shape, "folded": FOLDED,
        }  # fmt: skip
        for name, array in arrays.items():
            self.register_buffer(name, torch.from_numpy(np.array(array)), persistent=False)
        self.columns = model.contour.shape[1]

    def vertices(self, coefficients: Tensor) -> Tensor:
        """-> (B, V, 3) mm."""
        return self.mean + (coefficients[:, SHAPE] @ self.shape).unflatten(1, (-1, 3))

    def albedo_of(self, coefficients: Tensor) -> Tensor:
        """-> (B, V, 3) RGB 0..1."""
        offsets = (coefficients[:, SLICES["texture"]] @ self.albedo).unflatten(1, (-1, 3))
        return (self.albedo_mean + offsets).clamp(0, 1)

    def landmarks(self, coefficients: Tensor) -> Tensor:
        """-> (B, 68, 2) pixels; which vertex stands for a jaw point is chosen without a gradient."""
        offsets = (coefficients[:, SHAPE] @ self.landmark_shape).unflatten(1, (-1, 3))
        points = project(self.landmark_mean + offsets, coefficients)[..., :2]
        rows = points[:, 68:].unflatten(1, (JAW, self.columns))  # (B, 17, C, 2)
        chosen = self._outline(rows.detach(), coefficients[:, SLICES["pose"]].detach())
        jaw = rows.gather(2, chosen[..., None, None].expand(-1, -1, 1, 2))[:, :, 0]
        return torch.cat([jaw, points[:, JAW:68]], dim=1)

    def _outline(self, rows: Tensor, pose: Tensor) -> Tensor:
        """(B, 17, C, 2) pixels -> (B, 17) columns, as `landmarks.choose_contour`."""
        yaw, roll = pose[:, 1], pose[:, 2, None, None]
        across = rows[..., 0] * torch.cos(roll) - rows[..., 1] * torch.sin(roll)
        chosen = torch.full(across.shape[:2], FRONTAL, device=rows.device)
        chosen[:, :8] = FRONTAL + across[:, :8, FRONTAL:].argmin(2)
        chosen[:, 9:] = FRONTAL + across[:, 9:, FRONTAL:].argmax(2)
        back = FRONTAL - torch.round(FRONTAL * (yaw.abs() / FULL_TURN).clamp(max=1)).long()
        side = torch.arange(JAW, device=rows.device)
        near = torch.where((yaw > 0)[:, None], side < 8, side > 8)
        return torch.where(near, torch.minimum(chosen, back[:, None]), chosen)

    def normals(self, vertices: Tensor) -> Tensor:
        """(B, V, 3) -> (B, V, 3) unit normals in the axes of the vertices."""
        a, b, c = (vertices[:, self.triangles[:, k]] for k in range(3))
        face = torch.linalg.cross(b - a, c - a)
        total = torch.zeros_like(vertices)
        for k in range(3):
            total = total.index_add(1, self.triangles[:, k], face)
        return nn.functional.normalize(total, dim=-1)

    def colours(self, coefficients: Tensor, vertices: Tensor) -> Tensor:
        """-> (B, V, 3) albedo under the light, not clamped."""
        turned = self.normals(vertices) @ rotation(coefficients).transpose(1, 2)
        return self.albedo_of(coefficients) * self.shade(turned, coefficients)[..., None]

    def shade(self, normals: Tensor, coefficients: Tensor) -> Tensor:
        """(B, V, 3) unit normals in camera axes -> (B, V) brightness, not below 0."""
        x, y, z = normals.unbind(-1)
        terms = torch.stack([torch.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], -1)
        light = coefficients[:, SLICES["light"], None]
        return ((terms * self.folded) @ light).squeeze(-1).clamp(min=0)


def rotation(coefficients: Tensor) -> Tensor:
    """(B, 239) -> (B, 3, 3), R = Rz(roll) Ry(yaw) Rx(pitch)."""
    pitch, yaw, roll = coefficients[:, SLICES["pose"]][:, :3].unbind(1)
    cp, sp, cy, sy, cr, sr = pitch.cos(), pitch.sin(), yaw.cos(), yaw.sin(), roll.cos(), roll.sin()
    rows = [
        torch.stack([cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp], 1),
        torch.stack([sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp], 1),
        torch.stack([-sy, cy * sp, cy * cp], 1),
    ]
    return torch.stack(rows, 1)


def project(vertices: Tensor, coefficients: Tensor) -> Tensor:
    """(B, V, 3) mm -> (B, V, 3): x right, y down in pixels, z = scale * depth (eq. 7)."""
    pose = coefficients[:, SLICES["pose"]]
    turned = vertices @ rotation(coefficients).transpose(1, 2) * pose[:, 3, None, None]
    flip = torch.tensor([1.0, -1.0, 1.0], device=vertices.device)
    shift = nn.functional.pad(pose[:, 4:6], (0, 1))
    return turned * flip + shift[:, None]
