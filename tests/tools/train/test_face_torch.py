"""numpy and torch agree on the face."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from realtime.face.camera import project, rotate_normals  # noqa: E402
from realtime.face.coefficients import COUNT, SLICES, pose  # noqa: E402
from realtime.face.light import shade  # noqa: E402
from realtime.face.mesh import vertex_normals  # noqa: E402
from realtime.face.model import load_face_model  # noqa: E402
from tools.train import face_torch  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """(4, 239) random faces, turned both ways."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal((4, COUNT)).astype(np.float32)
    y[:, SLICES["expression"]] = rng.uniform(0, 0.7, (4, 64))
    y[:, SLICES["light"]] = rng.normal(0, 0.3, (4, 9)) + np.r_[3, np.zeros(8)]
    y[:, SLICES["pose"]] = rng.normal(0, 0.2, (4, 6))
    y[:, 234] = [-0.8, -0.3, 0.1, 0.9]
    y[:, 236:239] = [1.3, 120, 140]
    return y


def test_torch_agrees_with_numpy(faces: np.ndarray) -> None:
    model = load_face_model("live")
    twin = face_torch.FaceTorch(model)
    y = torch.from_numpy(faces)
    vertices = twin.vertices(y)
    seen, points, albedo = face_torch.project(vertices, y), twin.landmarks(y), twin.albedo_of(y)
    turned = twin.normals(vertices) @ face_torch.rotation(y).transpose(1, 2)
    bright = twin.shade(turned, y)
    for k, one in enumerate(faces):
        shape = model.vertices(one)
        np.testing.assert_allclose(vertices[k], shape, atol=1e-3)  # mm
        np.testing.assert_allclose(seen[k], project(shape, pose(one)), atol=5e-3)  # pixels
        np.testing.assert_allclose(points[k], model.landmarks_of(one), atol=5e-3)
        np.testing.assert_allclose(albedo[k], model.albedo_of(one), atol=1e-4)
        normals = rotate_normals(vertex_normals(shape, model.triangles), pose(one))
        np.testing.assert_allclose(turned[k], normals, atol=5e-3)
        np.testing.assert_allclose(bright[k], shade(normals, one[SLICES["light"]]), atol=1e-2)


def test_gradients_reach_every_part(faces: np.ndarray) -> None:
    twin = face_torch.FaceTorch(load_face_model("live"))
    y = torch.from_numpy(faces[:2]).requires_grad_()
    (twin.landmarks(y).square().mean() + twin.colours(y, twin.vertices(y)).square().mean()).backward()
    for name, part in SLICES.items():
        learnt = name != "texture" or np.any(load_face_model().albedo)
        assert (float(y.grad[:, part].abs().sum()) > 0) == learnt, name
