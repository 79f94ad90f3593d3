"""The detector's measures on answers that are known."""

from __future__ import annotations

import numpy as np
import pytest

from tools.evaluate.detector import detection_measures


def test_recall_by_size_precision_and_alarms() -> None:
    truth = [np.array([[0, 0, 20, 20], [100, 100, 200, 200]], float), np.zeros((0, 4))]
    found = [
        (np.array([[100, 100, 200, 190], [300, 300, 320, 320]], float), np.array([0.9, 0.8])),
        (np.zeros((0, 4)), np.zeros(0)),
    ]
    silent = [(np.array([[0, 0, 9, 9]], float), np.array([0.7])), (np.array([[0, 0, 9, 9]], float), np.array([0.4]))]
    measures = detection_measures(found, truth, silent)
    assert measures["recall"] == 0.5 and measures["recall_0"] == 0 and measures["recall_64"] == 1
    assert measures["precision"] == 0.5 and measures["false_alarms"] == 0.5
    assert measures["iou"] == pytest.approx(0.9)
