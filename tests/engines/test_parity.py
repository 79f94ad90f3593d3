"""Every shipped network gives the same answers on every installed provider, within the tolerance of its precision."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from engines import EngineError, open_network
from engines.manifest import read_manifest
from engines.parity import ARITHMETIC, TOLERANCES, Difference, compare, differences, installed, main, random_inputs
from tests.engines.conftest import manifest_entry, tiny_onnx

PROVIDERS = installed()
PAIRS = list(itertools.combinations(PROVIDERS, 2))
SHIPPED = read_manifest()


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.file)
def test_shipped_networks_agree(entry, pair):
    if entry.precision == "int8" and "torch" in pair:
        pytest.skip("PyTorch does not run int8 files")
    arithmetic = "fp16" if "tensorrt" in pair else ARITHMETIC[entry.precision]
    a, b = (open_network(entry.name, entry.quality, provider, precision=entry.precision) for provider in pair)
    with a, b:
        for difference in compare(a, b, random_inputs(a.specs)):
            assert difference.within(TOLERANCES[arithmetic]), f"{entry.label}, {pair}: {difference}"


@pytest.mark.skipif(not {"cpu", "openvino"} <= set(PROVIDERS), reason="OpenVINO is not installed")
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_the_tiny_network_agrees(models_dir, dtype, capsys):
    content = tiny_onnx(dtype)
    (models_dir / "weights" / "tiny-light.onnx").write_bytes(content)
    precision = {np.float32: "fp32", np.float16: "fp16"}[dtype]
    (models_dir / "models.toml").write_text(manifest_entry(content, "tiny-light.onnx", precision=precision))
    command = ["tiny", "--precision", precision, "--models-dir", str(models_dir), "--providers", "cpu", "openvino"]
    assert main(command) == 0
    assert "openvino  cpu" in capsys.readouterr().out


def test_a_network_that_nobody_has_is_an_error(models_dir, capsys):
    assert main(["huge", "--models-dir", str(models_dir)]) == 1
    assert "'huge'" in capsys.readouterr().err


def test_a_difference_is_measured_against_the_reference():
    reference = {"y": np.array([0.0, -2.0, 1.0], np.float32), "labels": np.array([1, 2, 3, 4], np.uint8)}
    other = {"y": np.array([0.0, -2.0, 1.2], np.float32), "labels": np.array([1, 2, 3, 5], np.uint8)}
    y, labels = differences(reference, other)
    assert abs(y.worst - 0.1) < 1e-6 and abs(y.mean - 0.1 / 3) < 1e-6 and y.labels == 0
    assert labels == Difference("labels", 0.0, 0.0, 0.25)
    assert not y.within(TOLERANCES["fp32"]) and not labels.within(TOLERANCES["int8"])


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"z": np.zeros(2, np.float32)}, "are not"),
        ({"y": np.zeros(3, np.float32)}, r"\(3,\)"),
        ({"y": np.zeros(2, np.float64)}, "float64"),
        ({"y": np.array([0, np.nan], np.float32)}, "finite"),
    ],
)
def test_answers_of_another_kind_are_refused(other, said):
    with pytest.raises(EngineError, match=said):
        differences({"y": np.zeros(2, np.float32)}, other)
