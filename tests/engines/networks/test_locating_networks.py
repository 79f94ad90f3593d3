"""The landmark network and the detector: shapes, sizes, and the geometry of the decoded boxes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from engines.networks import detector, landmarks  # noqa: E402


def parameters(model: torch.nn.Module) -> float:
    return sum(p.numel() for p in model.parameters()) / 1e6


@torch.no_grad()
def test_landmark_network_answers_points_and_confidence() -> None:
    model = landmarks.build("light").eval()
    points, confidence = model(torch.rand(2, 3, 128, 128))
    assert points.shape == (2, 68, 2) and confidence.shape == (2, 1)
    assert ((confidence > 0) & (confidence < 1)).all()
    assert parameters(model) < 4
    assert (points - 63.5).abs().max() < 40, "an untrained network answers near the mean"


@torch.no_grad()
def test_training_leaves_the_confidence_as_a_logit() -> None:
    model = landmarks.build("light").train()
    model.face.bias.fill_(-7.0)
    assert model(torch.rand(2, 3, 128, 128))[1].max() < -1


@torch.no_grad()
def test_refinement_moves_points_towards_the_heat_and_nothing_without_it() -> None:
    refinement = landmarks.Refinement(8, 8, 8, 8).eval()
    maps = [torch.rand(1, 8, side, side) for side in (32, 16, 8, 4)]
    first = torch.rand(1, 68, 2) * 160 - 16  # some of them beyond the crop
    torch.testing.assert_close(refinement(maps, first), first, atol=1e-3, rtol=0)
    refinement.heat.bias[:] = 0
    refinement.heat.forward = lambda x: hot  # type: ignore[method-assign]
    hot = torch.zeros(1, 68, 32, 32)
    hot[..., 16, 17] = 12.0  # the cell about (69.5, 65.5)
    first = torch.tensor([72.0, 61.0]).expand(1, 68, 2)
    assert (refinement(maps, first) - torch.tensor([69.5, 65.5])).abs().max() < 1.0


def test_rounded_channels_follow_the_paper() -> None:
    assert [landmarks.rounded(c) for c in (16, 18, 12, 67, 84)] == [16, 24, 16, 64, 88]


@torch.no_grad()
@pytest.mark.parametrize("size", [(64, 96), (256, 320)])
def test_detector_decodes_boxes_about_its_cells(size: tuple[int, int]) -> None:
    model = detector.build("light").eval()
    for sides in model.sides:
        sides.weight.zero_()
        sides.bias.zero_()  # every side one stride from the cell's centre
    height, width = size
    boxes, scores = model(torch.rand(1, 3, height, width))
    count = sum(height // s * (width // s) for s in detector.STRIDES)
    assert boxes.shape == (1, count, 4) and scores.shape == (1, count)
    assert boxes[0, 0].tolist() == pytest.approx([-4.5, -4.5, 11.5, 11.5])
    row = width // 8
    assert boxes[0, row + 2].tolist() == pytest.approx([11.5, 3.5, 27.5, 19.5])
    assert boxes[0, -1].tolist() == pytest.approx([width - 48.5, height - 48.5, width + 15.5, height + 15.5])
    assert parameters(model) < 0.2
