"""From torch to a file: the same numbers, at half and a quarter of the size, in half precision, and in int8."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("onnxscript", reason="the extra `train` is not installed")
pytestmark = pytest.mark.train

import onnx  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from engines import EngineError, WeightsError, open_network  # noqa: E402
from engines.export import Export, example_inputs, export_onnx, fold_norms, torch_answers  # noqa: E402
from engines.half import half_graph  # noqa: E402
from engines.manifest import read_manifest  # noqa: E402
from engines.parity import TOLERANCES, differences  # noqa: E402
from engines.run_torch import stored_tensors  # noqa: E402
from engines.storage import channel_scale, restore, store_bytes, store_half  # noqa: E402
from tools.export import _run, main, publish, record_metrics  # noqa: E402
from tools.quantise import calibration_inputs, quantise  # noqa: E402

EXPORT = Export({"crop": ("N", 3, 32, 32)}, {"labels": ("N", 32, 32), "shadow": ("N", 1, 32, 32), "kind": ("N", 3)})


class Small(nn.Module):
    """A few of everything that our networks are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.depthwise = nn.Sequential(nn.Conv2d(16, 16, 3, 1, 1, groups=16, bias=False), nn.BatchNorm2d(16))
        self.wide = nn.Sequential(nn.Conv2d(16, 16, 3, 1, 1), nn.Hardswish())
        self.maps = nn.Conv2d(16, 5, 1)
        self.kind = nn.Linear(16, 3)
        self.register_buffer("spread", torch.tensor([3.0, 2.0, 1.0]))

    def forward(self, crop: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x = self.stem((crop - 0.45) / 0.25)
        x = x + self.wide(functional.relu(self.depthwise(x)))
        maps = functional.interpolate(self.maps(x), scale_factor=2.0, mode="bilinear", align_corners=False)
        labels = maps[:, :4].argmax(1).to(torch.uint8)
        return labels, maps[:, 4:].sigmoid(), (self.kind(x.mean((2, 3))) * self.spread).softmax(1)


@pytest.fixture(scope="module")
def small() -> nn.Module:
    torch.manual_seed(0)
    module = Small()
    for norm in (part for part in module.modules() if isinstance(part, nn.BatchNorm2d)):
        for tensor, low, high in ((norm.running_mean, -1, 1), (norm.running_var, 0.5, 2), (norm.bias, -1, 1)):
            tensor.data.uniform_(low, high)
    return module.eval()


@pytest.fixture(scope="module")
def exported(small) -> onnx.ModelProto:
    return export_onnx(fold_norms(small), EXPORT)


@pytest.mark.parametrize("batch", [1, 3])
def test_the_file_computes_what_the_module_does(small, exported, batch):
    inputs = example_inputs(EXPORT, batch)
    for difference in differences(torch_answers(small, inputs, EXPORT.outputs), _run(exported, inputs)):
        assert difference.within(TOLERANCES["fp32"]), difference


def test_norms_are_folded_and_names_kept(small, exported):
    assert "BatchNormalization" not in {node.op_type for node in exported.graph.node}
    stored = stored_tensors(store_bytes(exported).SerializeToString())
    for name, tensor in small.state_dict().items():
        assert stored[name].shape == tuple(tensor.shape), name
        np.testing.assert_allclose(stored[name], tensor.numpy(), atol=float(tensor.abs().max()) / 120)


def test_the_file_tells_nothing_of_the_machine_it_was_made_on(exported):
    content = exported.SerializeToString()
    assert str(Path(__file__).parent).encode() not in content and b".py" not in content


@pytest.mark.parametrize(("store", "bits", "worst"), [(store_half, 16, 2e-3), (store_bytes, 8, 5e-2)])
def test_stored_weights_run_in_float32(exported, store, bits, worst):
    inputs = example_inputs(EXPORT, 1)
    small_file = store(exported)
    assert len(small_file.SerializeToString()) < len(exported.SerializeToString())
    for difference in differences(_run(exported, inputs), _run(small_file, inputs)):
        assert difference.worst < worst and difference.labels < 0.02, difference
    for difference in differences(_run(small_file, inputs), _run(restore(small_file), inputs)):
        assert difference.within(TOLERANCES["fp32"]), difference


def test_float16_cannot_hold_everything(exported):
    large = onnx.ModelProto()
    large.CopyFrom(exported)
    tensor = next(t for t in large.graph.initializer if t.name == "wide.0.weight")
    tensor.CopyFrom(onnx.numpy_helper.from_array(np.full(tuple(tensor.dims), 1e5, np.float32), tensor.name))
    with pytest.raises(ValueError, match=r"wide\.0\.weight"):
        store_half(large)


@pytest.mark.parametrize(("axis", "shape"), [(0, (8, 1)), (-1, (1, 500))])
def test_the_scale_covers_each_channel(axis, shape):
    weights = np.random.default_rng(0).standard_t(4, (8, 500)).astype(np.float32)
    scale = channel_scale(weights, axis)
    assert scale.shape == shape and np.abs(weights / scale).max(1 if axis == 0 else 0) == pytest.approx(127, rel=1e-5)


def test_half_precision_from_the_first_to_the_last_heavy_layer(exported):
    half = half_graph(exported)
    inputs = example_inputs(EXPORT, 1)
    for difference in differences(_run(exported, inputs), _run(half, inputs)):
        assert difference.within(TOLERANCES["fp16"]), difference
    types = {value.name: value.type.tensor_type.elem_type for value in (*half.graph.input, *half.graph.output)}
    assert types["crop"] == types["shadow"] == onnx.TensorProto.FLOAT
    constants = {tensor.name: tensor.data_type for tensor in half.graph.initializer}
    assert constants["wide.0.weight.as_half"] == onnx.TensorProto.FLOAT16 and "wide.0.weight" not in constants


def test_int8_stays_close_and_needs_pictures(exported):
    with pytest.raises(EngineError, match="calibration"):
        quantise(exported, [])
    inputs = [example_inputs(EXPORT, 1, seed=seed) for seed in range(8)]
    model = quantise(exported, inputs[:6])
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in model.graph.node}
    assert [imported.domain for imported in model.opset_import] == [""]
    labels, *others = differences(_run(exported, inputs[7]), _run(model, inputs[7]))
    assert labels.labels < 0.1 and all(0 < d.worst < 0.1 for d in others)


def test_calibration_reads_arrays_of_inputs(tmp_path):
    np.savez(tmp_path / "a.npz", crop=np.zeros((5, 3, 32, 32), np.float32))
    np.savez(tmp_path / "b.npz", crop=np.ones((5, 3, 32, 32), np.float32))
    inputs = calibration_inputs("anything", tmp_path, count=4)
    assert [float(x["crop"].mean()) for x in inputs] == [0, 0, 1, 1] and inputs[0]["crop"].shape == (1, 3, 32, 32)
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match=r"no \.npz shards"):
        calibration_inputs("anything", tmp_path / "empty")


def test_exported_networks_open_by_name_and_keep_their_measures(small, exported, tmp_path):
    kept = {"trained_on": ["synthetic"], "models_dir": tmp_path}
    publish("small", exported, small, EXPORT, "light", "fp16", **kept)
    pictures = [example_inputs(EXPORT, 1, seed=seed) for seed in range(4)]
    publish("small", exported, small, EXPORT, "light", "int8", calibration=pictures, **kept)
    record_metrics("small", "light", "fp16", {"nme": 0.05}, tmp_path)
    entry = record_metrics("small", "light", "int8", {"nme": 0.051}, tmp_path)
    assert abs(entry.metrics["nme_change"] - 0.02) < 1e-9
    assert {e.precision: e.licence for e in read_manifest(tmp_path)} == {"fp16": "MIT", "int8": "MIT"}
    with open_network("small", provider="cpu", precision="fp16", models_dir=tmp_path) as network:
        (found, *_) = differences(torch_answers(small, pictures[0], EXPORT.outputs), network.run(pictures[0]))
    assert found.labels < 0.01


@pytest.mark.parametrize(("precision", "worst"), [("fp16", 2e-3), ("int8w", 5e-2)])
def test_torch_runs_a_network_with_the_parameters_of_its_file(
    small, exported, tmp_path, monkeypatch, precision, worst
):
    publish("small", exported, small, EXPORT, "light", precision, trained_on=["synthetic"], models_dir=tmp_path)
    monkeypatch.setattr("engines.export.inference_module", lambda name, quality: fold_norms(Small().eval()))
    inputs = example_inputs(EXPORT, 1)
    with open_network("small", provider="torch", precision=precision, models_dir=tmp_path) as network:
        for difference in differences(torch_answers(small, inputs, EXPORT.outputs), network.run(inputs)):
            assert difference.worst < worst and difference.labels < 0.02, difference


def test_torch_refuses_a_file_of_another_network(small, exported, tmp_path, monkeypatch):
    publish("small", exported, small, EXPORT, "light", trained_on=["synthetic"], models_dir=tmp_path)
    monkeypatch.setattr("engines.export.inference_module", lambda name, quality: nn.Sequential(nn.Linear(2, 2)))
    with pytest.raises(WeightsError, match=r"small-light\.onnx lacks 0\.weight"):
        open_network("small", provider="torch", models_dir=tmp_path)


def test_the_command_explains_what_it_lacks(tmp_path, capsys):
    assert main(["landmarks", "--models-dir", str(tmp_path)]) == 2
    missing = str(tmp_path / "none.pt")
    assert main(["landmarks", "--checkpoint", missing, "--models-dir", str(tmp_path)]) == 1
    assert f"no checkpoint at {missing}" in capsys.readouterr().err
    (tmp_path / "models.toml").write_text("")
    (tmp_path / "m.json").write_text(json.dumps({"nme": 0.04}))
    assert main(["landmarks", "--metrics", str(tmp_path / "m.json"), "--models-dir", str(tmp_path)]) == 1
    assert "lists no landmarks (light, fp16)" in capsys.readouterr().err
