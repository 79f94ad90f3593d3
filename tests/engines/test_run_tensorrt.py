"""TensorRT: what can be known without a GPU (files, flags, shapes, reasons); the rest runs where there is one."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import numpy as np
import pytest

from engines import Unavailable, open_network
from engines.base import Options
from engines.build import build_all
from engines.build_tensorrt import library, plan_precision, profile_shapes, source_of, version
from engines.cuda_driver import LIBRARY, CudaDriver
from engines.manifest import read_manifest
from engines.providers import PROVIDERS
from tests.engines.conftest import tiny_answer, tiny_onnx


def _reason() -> str | None:
    try:
        PROVIDERS["tensorrt"].describe()
    except Unavailable as why:
        return str(why)
    return None


REASON = _reason()


@pytest.mark.skipif(REASON is None, reason="TensorRT and a GPU are here")
def test_without_tensorrt_or_gpu_the_reason_is_one_line(models_dir):
    assert REASON and "\n" not in REASON
    with pytest.raises(Unavailable) as error:
        open_network("tiny", provider="tensorrt", models_dir=models_dir)
    assert REASON in str(error.value) and "tiny" in str(error.value)
    with pytest.raises(Unavailable, match="no way to run tiny"):
        list(build_all(provider="tensorrt", models_dir=models_dir))


def test_building_readies_every_listed_network(models_dir):
    times = iter([0.0, 1.5])
    (built,) = build_all(provider="cpu", models_dir=models_dir, clock=lambda: next(times))
    assert str(built).split() == ["tiny", "ready", "on", "cpu", "after", "1.5", "s"]


@pytest.mark.gpu
@pytest.mark.skipif(REASON is not None, reason=str(REASON))
def test_a_gpu_computes_the_convolution_and_keeps_its_plan(models_dir, picture, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for _ in range(2):
        with open_network("tiny", provider="tensorrt", models_dir=models_dir) as network:
            np.testing.assert_allclose(network.run({"x": picture})["y"], tiny_answer(picture), atol=2e-2)
    assert len(list((tmp_path / "cache" / "nakedeye" / "engines").glob("*.plan"))) == 1


def test_versions_known_and_unknown():
    assert version(SimpleNamespace(__version__="8.6.1")) == (8, 6)
    assert version(SimpleNamespace(__version__="10.13.3.9")) == (10, 13)
    assert version(SimpleNamespace(__version__="11.0.0.114")) == (11, 0)
    for unknown in ("7.2.1", "8.5.0", "12.0.0"):
        with pytest.raises(Unavailable, match=f"TensorRT {unknown} is not one of 8.6, 10 and 11"):
            version(SimpleNamespace(__version__=unknown))


@pytest.mark.skipif(REASON is None or "imported" not in REASON, reason="TensorRT is installed")
def test_an_absent_library_names_the_extra():
    with pytest.raises(Unavailable, match=r"nakedeye\[tensorrt\]"):
        library()


@pytest.mark.parametrize("number", [(8, 6), (10, 9), (11, 0)])
def test_precision_comes_from_flags_before_version_10_and_from_the_file_after(number):
    import onnx

    types = {}
    for precision in ("fp32", "fp16"):
        source = source_of(tiny_onnx(np.float16), number, precision)
        graph = onnx.load_from_string(source.onnx).graph
        types[precision] = {onnx.TensorProto.DataType.Name(tensor.data_type) for tensor in graph.initializer}
        assert source.typed == (number >= (10, 0))
        assert source.flags == (("FP16",) if precision == "fp16" and number < (10, 0) else ())
    assert types["fp32"] == {"FLOAT"}
    assert types["fp16"] == ({"FLOAT16"} if number >= (10, 0) else {"FLOAT"})


def test_shapes_and_precision_follow_the_options(models_dir):
    (entry,) = read_manifest(models_dir)
    assert profile_shapes(entry, Options(batch=2)) == {"x": ((2, 3, 8, 8),) * 3}
    assert profile_shapes(entry, Options(batch=None)) == {"x": ((1, 3, 8, 8), (1, 3, 8, 8), (8, 3, 8, 8))}
    assert plan_precision(entry, Options()) == "fp16"
    assert plan_precision(entry, Options(precision="fp32")) == "fp32"
    with pytest.raises(Unavailable, match="bf16"):
        plan_precision(entry, Options(precision="bf16"))


def test_a_machine_without_driver_says_so():
    def absent(name: str) -> None:
        raise OSError(name)

    with pytest.raises(Unavailable, match=f"no NVIDIA driver: {LIBRARY}"):
        CudaDriver(load=absent)


def test_a_driver_without_gpu_says_so():
    def no_device(code: int, name: object) -> int:
        ctypes.cast(name, ctypes.POINTER(ctypes.c_char_p))[0] = b"CUDA_ERROR_NO_DEVICE"
        return 0

    driver = SimpleNamespace(cuInit=lambda flags: 100, cuGetErrorName=no_device)
    with pytest.raises(Unavailable, match="cuInit failed: CUDA_ERROR_NO_DEVICE"):
        CudaDriver(load=lambda name: driver)
