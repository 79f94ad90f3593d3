"""`open_network`: the right file, the right provider, and errors that say everything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engines import EngineError, InputError, Unavailable, WeightsError, available_providers, open_network, providers
from engines.manifest import read_manifest
from engines.providers import PROVIDERS, choose_entry, has_integer_dot_product
from tests.engines.conftest import manifest_entry, tiny_answer, tiny_onnx

INSTALLED = [provider.name for provider in available_providers() if provider.available and provider.name != "torch"]


@pytest.mark.parametrize("provider", [*INSTALLED, "auto"])
def test_every_installed_provider_computes_the_convolution(models_dir, picture, provider):
    with open_network("tiny", provider=provider, models_dir=models_dir) as network:
        assert network.specs.inputs[0].dtype == np.float32
        answer = network.run({"x": picture})["y"]
    np.testing.assert_allclose(answer, tiny_answer(picture), atol=1e-5)


@pytest.mark.parametrize("provider", INSTALLED)
def test_batch_is_pinned_to_one_unless_left_free(models_dir, picture, provider):
    three = np.repeat(picture, 3, axis=0)
    with open_network("tiny", provider=provider, models_dir=models_dir) as network, pytest.raises(InputError):
        network.run({"x": three})
    with open_network("tiny", provider=provider, models_dir=models_dir, batch=None) as network:
        np.testing.assert_allclose(network.run({"x": three})["y"], tiny_answer(three), atol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"image": np.zeros((1, 3, 8, 8), np.float32)}, "takes inputs ['x']"),
        ({"x": np.zeros((1, 3, 9, 8), np.float32)}, "(1, 3, 9, 8)"),
        ({"x": np.zeros((3, 8, 8), np.float32)}, "(3, 8, 8)"),
        ({"x": np.zeros((1, 3, 8, 8), np.uint8)}, "uint8"),
        ({"x": [1.0]}, "not list"),
    ],
)
@pytest.mark.parametrize("provider", INSTALLED)
def test_wrong_input_is_named(models_dir, provider, inputs, said):
    with open_network("tiny", provider=provider, models_dir=models_dir) as network:
        with pytest.raises(InputError) as error:
            network.run(inputs)
    assert said in str(error.value) and "tiny" in str(error.value)


def test_a_closed_engine_says_so(models_dir, picture):
    network = open_network("tiny", provider="cpu", models_dir=models_dir)
    network.close()
    network.close()
    with pytest.raises(EngineError, match="closed"):
        network.run({"x": picture})


def test_auto_without_any_provider_lists_every_reason(models_dir, monkeypatch):
    def refuse(self):
        raise Unavailable(f"no {self.name} today")

    monkeypatch.setattr(providers.Provider, "describe", refuse)
    with pytest.raises(EngineError) as error:
        open_network("tiny", models_dir=models_dir)
    assert all(f"{name}: no {name} today" in str(error.value) for name in providers.AUTO)


def test_unknown_provider_network_and_quality_are_named(models_dir):
    with pytest.raises(EngineError, match=r"'abacus'.*tensorrt.*cpu"):
        open_network("tiny", provider="abacus", models_dir=models_dir)
    with pytest.raises(WeightsError, match=r"'huge'.*tiny"):
        open_network("huge", models_dir=models_dir)
    with pytest.raises(WeightsError, match=r"'full'.*light"):
        open_network("tiny", quality="full", models_dir=models_dir)


def test_a_file_that_is_no_network_is_reported(models_dir):
    (models_dir / "weights" / "tiny-light.onnx").write_bytes(b"not a network")
    (models_dir / "models.toml").write_text(manifest_entry(b"not a network", "tiny-light.onnx"))
    for provider in INSTALLED:
        with pytest.raises(WeightsError, match=r"tiny-light\.onnx"):
            open_network("tiny", provider=provider, models_dir=models_dir)


def _entries(models_dir: Path, speed: str):
    content = tiny_onnx()
    kinds = [("light", "fp16", ""), ("light", "int8", speed), ("full", "int8w", ""), ("full", "int8", speed)]
    text = "".join(manifest_entry(content, f"{q}-{p}.onnx", q, p, metrics) for q, p, metrics in kinds)
    (models_dir / "models.toml").write_text(text)
    return read_manifest(models_dir)


@pytest.mark.parametrize(
    ("provider", "dot_product", "speed", "chosen"),
    [
        ("cpu", False, "speedup_no_dot_product = 2.0", "light-int8.onnx"),
        ("cpu", False, "speedup_no_dot_product = 1.05", "light-fp16.onnx"),
        ("cpu", False, "speedup_dot_product = 3.0", "light-fp16.onnx"),
        ("cpu", True, "speedup_dot_product = 3.0", "light-int8.onnx"),
        ("cpu", True, "speedup_no_dot_product = 2.0", "light-int8.onnx"),
        ("cpu", True, "speedup_no_dot_product = 2.0, speedup_dot_product = 1.0", "light-fp16.onnx"),
        ("openvino", True, "speedup_dot_product = 3.0", "light-int8.onnx"),
        ("cuda", True, "speedup_dot_product = 3.0", "full-int8w.onnx"),
        ("tensorrt", False, "speedup_dot_product = 3.0", "full-int8w.onnx"),
        ("torch", True, "speedup_dot_product = 3.0", "light-fp16.onnx"),
        ("cpu", True, "", "light-fp16.onnx"),
    ],
)
def test_the_file_suits_the_machine(models_dir, provider, dot_product, speed, chosen):
    assert choose_entry(_entries(models_dir, speed), PROVIDERS[provider], dot_product).file == chosen


def test_a_precision_can_be_asked_for(models_dir):
    entries = _entries(models_dir, "")
    assert choose_entry(entries, PROVIDERS["cpu"], False, "int8").file == "light-int8.onnx"
    assert choose_entry(entries, PROVIDERS["cpu"], False, "int8w").file == "full-int8w.onnx"
    with pytest.raises(WeightsError, match="no fp32 weights for tiny"):
        choose_entry(entries, PROVIDERS["cpu"], False, "fp32")
    with pytest.raises(EngineError, match="'fp8'"):
        choose_entry(entries, PROVIDERS["cpu"], False, "fp8")


def test_byte_dot_products_are_read_from_the_processor(tmp_path, monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor : 0\nflags\t: fpu avx avx2 fma\n")
    assert not has_integer_dot_product(cpuinfo)
    cpuinfo.write_text("processor : 0\nflags\t: fpu avx2 avx512_vnni\n")
    assert has_integer_dot_product(cpuinfo)
    assert not has_integer_dot_product(tmp_path / "absent")


def test_every_absent_provider_has_a_reason():
    for provider in available_providers():
        assert provider.detail
    assert "cpu" in INSTALLED


def test_opening_imports_neither_torch_nor_tensorrt(models_dir):
    program = (
        "import sys; from pathlib import Path; from engines import open_network; "
        f"open_network('tiny', provider='cpu', models_dir=Path({str(models_dir)!r})).close(); "
        "assert not {'torch', 'tensorrt', 'openvino', 'onnx'} & set(sys.modules), 'heavy import'"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
