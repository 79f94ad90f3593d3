"""Static int8 quantisation (QDQ, one scale per output channel) of an exported network, with calibration pictures.

The pictures come from training shards (docs/architecture.md), or from an .npz that holds the network's inputs by name.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from engines.base import EngineError
from engines.networks.classes import GLASSES, Region
from realtime.align import LANDMARK_CROP_SIZE, STRIP, box_of, landmark_crop_from_box, warp
from realtime.landmark_map import landmark_map
from realtime.regressor import shrunk

if TYPE_CHECKING:
    import onnx

Inputs = dict[str, np.ndarray]
HEAVY = ("Conv", "ConvTranspose", "Gemm", "MatMul")
QUANTISED = (*HEAVY, "Add", "Relu", "MaxPool", "AveragePool", "GlobalAveragePool", "Concat", "Resize")


def quantise(model: onnx.ModelProto, calibration: list[Inputs]) -> onnx.ModelProto:
    """int8 weights and activations, ranges from `calibration` (batches of 1). The layers that answer stay float32.

    Raises EngineError without calibration pictures: activations would be guessed.
    """
    if not calibration:
        raise EngineError("int8 needs calibration pictures; none were found")
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        plain, ready, small = (Path(folder) / f"{name}.onnx" for name in ("plain", "ready", "small"))
        plain.write_bytes(pinned(model, 1).SerializeToString())
        quant_pre_process(plain, ready, skip_symbolic_shape=True)
        settings: dict[str, Any] = {
            "quant_format": QuantFormat.QDQ, "per_channel": True, "op_types_to_quantize": list(QUANTISED),
            "nodes_to_exclude": answering_nodes(ready), "activation_type": QuantType.QUInt8,
            "weight_type": QuantType.QInt8, "extra_options": {"CalibPercentile": 99.999},
            "reduce_range": True,  # 7-bit weights: without VNNI, sums of two 8-bit products would saturate
        }  # fmt: skip
        try:
            settings["calibrate_method"] = CalibrationMethod.Percentile
            quantize_static(ready, small, _Calibration(calibration), **settings)
        except ValueError:  # numpy makes no histogram of an activation that hardly varies (a gate that is always open)
            settings["calibrate_method"] = CalibrationMethod.MinMax
            quantize_static(ready, small, _Calibration(calibration), **settings)
        import onnx

        quantised = onnx.load(small)
    domains = {node.domain for node in quantised.graph.node}
    kept = [imported for imported in quantised.opset_import if imported.domain in domains]
    del quantised.opset_import[:], quantised.metadata_props[:]
    quantised.opset_import.extend(kept)  # ONNX Runtime lists every operator set that it knows
    return quantised


def pinned(model: onnx.ModelProto, batch: int) -> onnx.ModelProto:
    """A copy of `model` with N fixed: calibration collects tensors of one shape."""
    import onnx

    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value in (*fixed.graph.input, *fixed.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param == "N":
                dimension.dim_value = batch
    return fixed


def answering_nodes(path: Path) -> list[str]:
    """Names of the nodes after the last heavy layer on the way to an output, that layer included.

    Their values are pixels, logits or coefficients: rounding them to 256 steps would be seen.
    """
    import onnx

    nodes = onnx.load(path).graph.node
    consumers: dict[str, list[int]] = {}
    for number, node in enumerate(nodes):
        for name in node.input:
            consumers.setdefault(name, []).append(number)
    leads_to_heavy: dict[int, bool] = {}
    for number in reversed(range(len(nodes))):  # nodes are in topological order
        after = [later for name in nodes[number].output for later in consumers.get(name, [])]
        leads_to_heavy[number] = any(nodes[later].op_type in HEAVY or leads_to_heavy[later] for later in after)
    return [node.name for number, node in enumerate(nodes) if not leads_to_heavy[number]]


class _Calibration:
    """What ONNX Runtime's calibrators read: the next inputs, or None at the end."""

    def __init__(self, inputs: list[Inputs]):
        self._inputs = inputs
        self._next: Iterator[Inputs] = iter(inputs)

    def get_next(self) -> Inputs | None:
        return next(self._next, None)

    def rewind(self) -> None:
        self._next = iter(self._inputs)


# --- calibration pictures ---


def calibration_inputs(name: str, path: Path, count: int = 128, seed: int = 0) -> list[Inputs]:
    """`count` inputs of network `name`, batch 1, spread over the files of `path` (a shard, .npz of inputs, or folder).

    Raises EngineError when there are none.
    """
    beside = ("worn.npz", "removed.npz")  # what else lies with the shards
    files = sorted(file for file in path.glob("*.npz") if file.name not in beside) if path.is_dir() else [path]
    if not files:
        raise EngineError(f"no .npz shards in {path}")
    rng = np.random.default_rng(seed)
    collected: list[Inputs] = []
    for file in files:
        with np.load(file, allow_pickle=False) as shard:
            collected += list(_inputs_of(name, shard, -(-count // len(files)), rng))
    return collected[:count]


def _inputs_of(name: str, shard: Mapping[str, Any], count: int, rng: np.random.Generator) -> Iterator[Inputs]:
    if "image_offsets" not in shard:  # the inputs themselves, (n, ...) each
        arrays = {key: shard[key] for key in shard}
        for i in range(min(count, len(next(iter(arrays.values()))))):
            yield {key: array[i : i + 1].astype(np.float32) for key, array in arrays.items()}
        return
    if name not in FROM_SHARD:
        raise EngineError(f"{name} has no calibration from shards; give an .npz with its inputs by name")
    n = len(shard["image_offsets"]) - 1
    for i in rng.permutation(n)[:count]:
        yield {key: value[None] for key, value in FROM_SHARD[name](shard, int(i)).items()}


def _picture(shard: Mapping[str, Any], key: str, i: int) -> np.ndarray:
    start, end = shard[key + "_offsets"][i : i + 2]
    picture = cv2.imdecode(np.ascontiguousarray(shard[key][start:end]), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise EngineError(f"picture {i} of {key!r} in the calibration shard cannot be decoded")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) if picture.ndim == 3 else picture


def _planes(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> (3, H, W) float32 0..1."""
    return np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) / 255


def _landmarks(shard: Mapping[str, Any], i: int) -> Inputs:
    matrix = landmark_crop_from_box(box_of(shard["points"][i]))
    return {"crop": _planes(warp(_picture(shard, "image", i), matrix, (LANDMARK_CROP_SIZE, LANDMARK_CROP_SIZE)))}


def _deleter(shard: Mapping[str, Any], i: int) -> Inputs:
    return {"strip": _planes(_picture(shard, "image", i)[STRIP])}


def _coefficients(shard: Mapping[str, Any], i: int) -> Inputs:
    features = np.zeros(128, np.float32)  # no layer that is quantised sees them
    return {"crop": _planes(shrunk(_picture(shard, "clean", i))), "features": features}


def deleted(labels: np.ndarray) -> np.ndarray:
    """(H, W) class map -> (H, W) bool: frame, dark lens and glare, slightly grown."""
    hides = np.isin(labels, [region for region in GLASSES if region != Region.CLEAR_LENS]).astype(np.uint8)
    return cv2.dilate(hides, np.ones((5, 5), np.uint8)) > 0


def _generator(shard: Mapping[str, Any], i: int) -> Inputs:
    known = _planes(_picture(shard, "image", i)[STRIP])
    hole = deleted(_picture(shard, "labels", i)[STRIP]).astype(np.float32)
    return {"strip": np.concatenate([known * (1 - hole), hole[None], landmark_map(shard["points"][i])[None]])}


FROM_SHARD: dict[str, Callable[[Mapping[str, Any], int], Inputs]] = {
    "landmarks": _landmarks,
    "deleter": _deleter,
    "coefficients": _coefficients,
    "generator": _generator,
}
