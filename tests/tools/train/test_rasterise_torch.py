"""The rasteriser in torch sees what the program's own software rasteriser sees."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from realtime.face.camera import project  # noqa: E402
from realtime.face.coefficients import COUNT, SLICES, pose  # noqa: E402
from realtime.face.model import load_face_model  # noqa: E402
from shaders.software import rasterise  # noqa: E402
from tools.train.rasterise_torch import EMPTY, visible_triangles  # noqa: E402

pytestmark = pytest.mark.train


def test_a_turned_head_shows_the_same_triangles() -> None:
    model, coefficients = load_face_model("live"), np.zeros(COUNT, np.float32)
    coefficients[SLICES["pose"]] = (0.1, 0.6, 0.05, 0.55, 63.5, 52.0)
    vertices = project(model.vertices(coefficients), pose(coefficients)).astype(np.float32)
    _, expected, _ = rasterise(vertices, model.triangles, (128, 128))
    found = visible_triangles(
        torch.from_numpy(vertices), torch.from_numpy(model.triangles.astype(np.int64)), 128
    ).numpy()
    assert ((found >= 0) == (expected >= 0)).mean() > 0.998
    assert (found == expected).mean() > 0.995


def test_large_hidden_degenerate_and_distant_triangles() -> None:
    vertices = torch.tensor([[-50.0, -50, 0], [200, -50, 0], [-50, 200, 0], [10, 10, 5], [20, 10, 5], [10, 20, 5],
                             [torch.nan, 0, 0], [500, 500, 9], [510, 500, 9], [500, 510, 9]])  # fmt: skip
    triangles = torch.tensor([[0, 1, 2], [3, 4, 5], [3, 3, 4], [6, 1, 2], [7, 8, 9]])
    found = visible_triangles(vertices, triangles, 64)
    assert found[12, 12] == 1 and found[0, 0] == found[63, 63] == 0 and set(found.unique().tolist()) == {0, 1}
    assert (visible_triangles(vertices, triangles[2:], 64) == EMPTY).all()
