"""A tiny network as an ONNX file with its manifest, as `open_network` expects them in a `models_dir`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra `dev` is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

WEIGHT = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)


def tiny_onnx(dtype: type = np.float32) -> bytes:
    """x (N,3,8,8) -> y = relu(conv(x)) (N,4,8,8); the weights are stored as `dtype` and cast to float32."""
    nodes = [
        helper.make_node("Cast", ["w.stored"], ["w"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4, 8, 8])],
        [numpy_helper.from_array(WEIGHT.astype(dtype), "w.stored")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def manifest_entry(
    content: bytes, file: str, quality: str = "light", precision: str = "fp32", metrics: str = "error = 0.5"
) -> str:
    """One [[model]] of a models.toml for the tiny network."""
    return f"""
[[model]]
name = "tiny"
quality = "{quality}"
file = "{file}"
sha256 = "{hashlib.sha256(content).hexdigest()}"
precision = "{precision}"
inputs = {{ x = ["N", 3, 8, 8] }}
outputs = {{ y = ["N", 4, 8, 8] }}
trained_on = ["nothing: random numbers"]
licence = "MIT"
metrics = {{ {metrics} }}
"""


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    """A folder with one network, `tiny`, of quality light."""
    content = tiny_onnx()
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "tiny-light.onnx").write_bytes(content)
    (tmp_path / "models.toml").write_text(manifest_entry(content, "tiny-light.onnx"))
    return tmp_path


@pytest.fixture
def picture() -> np.ndarray:
    """(1, 3, 8, 8) float32."""
    return np.random.default_rng(1).random((1, 3, 8, 8), np.float32)


def tiny_answer(x: np.ndarray) -> np.ndarray:
    """relu(conv(x, WEIGHT)) by numpy."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))  # (N, 3, 8, 8, 3, 3)
    return np.maximum(np.einsum("nchwij,ocij->nohw", windows, WEIGHT), 0)
